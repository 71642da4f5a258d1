-- Version 3: which events are tests, and indexes that find deliveries by how their last attempt failed. An older process
-- takes each event that it publishes for a live one; nothing else differs for it.

INSERT INTO layout(version, lowest_code) VALUES (3, 1);

-- 1 for a test, of an event and of its deliveries.
ALTER TABLE event ADD COLUMN test INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN test INTEGER NOT NULL DEFAULT 0;
-- Until now a ping was the only test, and known by its type.
UPDATE event SET test = 1 WHERE type = 'endpoint.ping';
UPDATE delivery SET test = 1 WHERE event IN (SELECT id FROM event WHERE test = 1);

-- Most rows are live and have no reason: these are small.
CREATE INDEX event_test ON event(tenant) WHERE test = 1;
CREATE INDEX delivery_test ON delivery(tenant) WHERE test = 1;
CREATE INDEX delivery_reason ON delivery(tenant, reason) WHERE reason IS NOT NULL;
CREATE INDEX delivery_troubled ON delivery(tenant) WHERE reason IS NOT NULL;
