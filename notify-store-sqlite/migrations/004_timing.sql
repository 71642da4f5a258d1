-- Version 4: where an attempt's time went. What an older process logs has none; nothing else differs for it.

INSERT INTO layout(version, lowest_code) VALUES (4, 1);

-- As `Timing::to_text` of notify-core writes it; NULL where nobody measured.
ALTER TABLE attempt ADD COLUMN timing TEXT;
