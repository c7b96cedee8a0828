-- What a call with an Idempotency-Key was answered: sent again within 24 hours,
-- the answer is given again and nothing is done twice.  An answer that showed
-- a secret is not kept, only that there was one.
BEGIN;

CREATE TABLE api_replay (
	token_id	uuid NOT NULL REFERENCES access_token ON DELETE CASCADE,
	key_hash	bytea NOT NULL,		-- SHA-256 of the header
	request_hash	bytea NOT NULL,		-- of method, path and body
	created_at	timestamptz NOT NULL DEFAULT now(),
	status		integer,		-- NULL while it runs
	body		text,			-- NULL: it revealed a secret
	PRIMARY KEY (token_id, key_hash)
);
CREATE INDEX api_replay_created ON api_replay (created_at);

GRANT SELECT, INSERT, UPDATE ON api_replay TO latchkey_app;
GRANT SELECT (created_at), DELETE ON api_replay TO latchkey_courier;

COMMIT;
