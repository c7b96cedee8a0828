-- Data keys (kind "data") and HMAC keys (kind = purpose), each sealed under a
-- master key that is outside of the database: a copy of it alone opens nothing.
BEGIN;

CREATE TABLE sealed_key (
	kind		text NOT NULL CHECK (kind ~ '^[a-z-]{1,40}$'),
	version		integer NOT NULL CHECK (version > 0),
	master_version	integer NOT NULL CHECK (master_version > 0),
	sealed		bytea NOT NULL,
	created_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (kind, version)
);
GRANT SELECT, INSERT, UPDATE ON sealed_key TO latchkey_app;
GRANT SELECT ON sealed_key TO latchkey_courier;

COMMIT;
