-- Version 1. Times are milliseconds since the Unix epoch. Numbers (`id`) come from `counter`, so that they only grow,
-- also across deletes: cursors name them. Delivery states: 0 scheduled, 1 in flight, 2 delivered, 3 held, 4 failed,
-- 5 cancelled; so `state < 2` is what may be claimed and `state > 2` what somebody may have to look at.

-- Which version of the code may still work on a file of each version.
CREATE TABLE layout(
  version INTEGER PRIMARY KEY,
  lowest_code INTEGER NOT NULL
) STRICT;
INSERT INTO layout(version, lowest_code) VALUES (1, 1);

CREATE TABLE counter(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  last INTEGER NOT NULL
) STRICT;
INSERT INTO counter(id, last) VALUES (1, 0);

CREATE TABLE tenant(
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL UNIQUE
) STRICT;

-- One row for each endpoint that a delivery names, whether or not the endpoint itself is kept here.
-- `head` is a lower bound of the earliest `ready_at` of its claimable rows: settling a row does not touch it, and a
-- claim that finds nothing repairs it. `turn` is its place among the endpoints that have something due.
CREATE TABLE queue(
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL UNIQUE,
  tenant INTEGER NOT NULL REFERENCES tenant(id),
  head INTEGER,
  turn INTEGER
) STRICT;
CREATE INDEX queue_turn ON queue(turn) WHERE turn IS NOT NULL;
CREATE INDEX queue_head ON queue(head) WHERE turn IS NULL AND head IS NOT NULL;
CREATE INDEX queue_tenant ON queue(tenant);

CREATE TABLE event(
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL REFERENCES tenant(id),
  uid TEXT NOT NULL,
  idempotency_key TEXT,
  fingerprint BLOB NOT NULL CHECK(length(fingerprint) = 32),
  type TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  -- The envelope's bytes. A BLOB: as TEXT it would end at the first NUL for some readers.
  body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_uid ON event(tenant, uid);
CREATE UNIQUE INDEX event_key ON event(tenant, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX event_created ON event(created_at);
CREATE INDEX event_tenant ON event(tenant);

-- `created_at` is its event's. The checks are those of `Delivery::restore`.
CREATE TABLE delivery(
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL CHECK(length(uid) = 20),
  tenant INTEGER NOT NULL,
  event INTEGER NOT NULL REFERENCES event(id),
  endpoint INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 5),
  ready_at INTEGER,
  token BLOB,
  version INTEGER NOT NULL DEFAULT 1,
  round INTEGER NOT NULL DEFAULT 1,
  attempts INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  lost_leases INTEGER NOT NULL DEFAULT 0,
  lost_logged INTEGER NOT NULL DEFAULT 0,
  reason TEXT,
  settled_at INTEGER,
  last_change BLOB,
  -- What is wrong with a row that could not be read; such a row is not claimed until somebody sets this to NULL.
  corrupt TEXT,
  -- Spelt without IN: a list of three opens a temporary table for each row that is written.
  CHECK((state < 2 OR state = 3) = (ready_at IS NOT NULL)),
  CHECK((state = 1) = (token IS NOT NULL)),
  CHECK((state < 2 OR state = 3) = (settled_at IS NULL)),
  CHECK(lost_logged <= lost_leases)
) STRICT;
CREATE UNIQUE INDEX delivery_uid ON delivery(uid);
CREATE INDEX delivery_claim ON delivery(endpoint, ready_at) WHERE state < 2 AND corrupt IS NULL;
CREATE INDEX delivery_held ON delivery(endpoint, ready_at) WHERE state = 3;
CREATE INDEX delivery_ended ON delivery(tenant, state) WHERE state > 2;
CREATE INDEX delivery_event ON delivery(event);
CREATE INDEX delivery_endpoint ON delivery(endpoint);
CREATE INDEX delivery_tenant ON delivery(tenant);

-- Append-only (S8): the key makes a number unique, the writer counts without gaps.
CREATE TABLE attempt(
  delivery INTEGER NOT NULL REFERENCES delivery(id),
  number INTEGER NOT NULL CHECK(number >= 1),
  change BLOB NOT NULL,
  round INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  duration_nanos INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  status_code INTEGER,
  error TEXT,
  detail TEXT,
  url TEXT,
  response BLOB,
  response_truncated INTEGER,
  peer TEXT,
  PRIMARY KEY(delivery, number)
) STRICT, WITHOUT ROWID;

-- What each claim leased, so that it may be asked again with the same token (S3). `deliveries` holds their numbers,
-- eight bytes each, most significant first.
CREATE TABLE claim(
  token BLOB PRIMARY KEY,
  until INTEGER NOT NULL,
  deliveries BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_until ON claim(until);

-- How many deliveries are in each state, written once a transaction.
CREATE TABLE tally(
  tenant INTEGER NOT NULL REFERENCES tenant(id),
  state INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY(tenant, state)
) STRICT, WITHOUT ROWID;

-- A deleted endpoint stays as a tombstone, without secrets and headers, so that the log can name it.
CREATE TABLE endpoint(
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL UNIQUE,
  tenant INTEGER NOT NULL REFERENCES tenant(id),
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  filter TEXT NOT NULL,
  headers TEXT NOT NULL,
  status TEXT NOT NULL,
  policy TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT;
CREATE INDEX endpoint_live ON endpoint(tenant) WHERE deleted_at IS NULL;

-- The only place of secrets.
CREATE TABLE secret(
  endpoint INTEGER NOT NULL REFERENCES endpoint(id),
  role TEXT NOT NULL,
  secret TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  retires_at INTEGER,
  PRIMARY KEY(endpoint, role)
) STRICT, WITHOUT ROWID;
