-- Second factors: one app with one-time codes (RFC 6238) an account, and ten
-- recovery codes.  A pending sign-in is one whose password was right and whose
-- second factor is still to come: it opens nothing but the page that asks.
BEGIN;

CREATE TABLE totp (
	account_id	uuid PRIMARY KEY REFERENCES account ON DELETE CASCADE,
	sealed		bytea NOT NULL,		-- under a data key
	last_counter	bigint NOT NULL,	-- the newest step that was used
	created_at	timestamptz NOT NULL DEFAULT now()
);

-- 80 random bits each, so a SHA-256 can't be searched through.
CREATE TABLE recovery_code (
	account_id	uuid NOT NULL REFERENCES account ON DELETE CASCADE,
	code_hash	bytea NOT NULL,
	used_at		timestamptz,
	PRIMARY KEY (account_id, code_hash)
);

CREATE TABLE pending_signin (
	id_hash		bytea PRIMARY KEY,	-- SHA-256 of the cookie
	account_id	uuid NOT NULL REFERENCES account ON DELETE CASCADE,
	created_at	timestamptz NOT NULL DEFAULT now(),
	expires_at	timestamptz NOT NULL
);
CREATE INDEX pending_signin_account ON pending_signin (account_id);
CREATE INDEX pending_signin_expiry ON pending_signin (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON totp, recovery_code TO latchkey_app;
GRANT SELECT, INSERT, DELETE ON pending_signin TO latchkey_app;
GRANT SELECT (expires_at), DELETE ON pending_signin TO latchkey_courier;

COMMIT;
