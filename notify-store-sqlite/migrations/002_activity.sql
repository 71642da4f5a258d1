-- Version 2: what happened over time. An older process does not count what it settles; nothing else differs for it.

INSERT INTO layout(version, lowest_code) VALUES (2, 1);

-- Attempts that ended in one bucket, `l0` to `l15` by how long they took. `width` is the bucket's, in milliseconds.
CREATE TABLE activity(
  width INTEGER NOT NULL,
  tenant INTEGER NOT NULL,
  start INTEGER NOT NULL,
  endpoint INTEGER NOT NULL,
  type TEXT NOT NULL,
  effect TEXT NOT NULL,
  reason TEXT NOT NULL,
  l0 INTEGER NOT NULL,
  l1 INTEGER NOT NULL,
  l2 INTEGER NOT NULL,
  l3 INTEGER NOT NULL,
  l4 INTEGER NOT NULL,
  l5 INTEGER NOT NULL,
  l6 INTEGER NOT NULL,
  l7 INTEGER NOT NULL,
  l8 INTEGER NOT NULL,
  l9 INTEGER NOT NULL,
  l10 INTEGER NOT NULL,
  l11 INTEGER NOT NULL,
  l12 INTEGER NOT NULL,
  l13 INTEGER NOT NULL,
  l14 INTEGER NOT NULL,
  l15 INTEGER NOT NULL,
  PRIMARY KEY(width, tenant, start, endpoint, type, effect, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_age ON activity(width, start);

-- One row for each endpoint whose last known answer was a failure.
CREATE TABLE failing(
  endpoint INTEGER PRIMARY KEY,
  since INTEGER NOT NULL
) STRICT;
