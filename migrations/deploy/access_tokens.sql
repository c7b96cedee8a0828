-- Access tokens: what scripts call the API with.  A token acts for the account
-- that made it and never for longer than a year; a row stays when it has
-- ended, since the audit names it.
BEGIN;

CREATE TABLE access_token (
	id		uuid PRIMARY KEY,
	account_id	uuid NOT NULL REFERENCES account ON DELETE CASCADE,
	name		text NOT NULL CHECK (name <> ''),
	-- HMAC of the whole token, purpose "access-token".
	mac		bytea NOT NULL CHECK (octet_length(mac) = 32),
	mac_version	integer NOT NULL,
	first4		text NOT NULL,		-- behind "lk_"
	last4		text NOT NULL,
	scopes		text[] NOT NULL CHECK (cardinality(scopes) > 0),
	created_at	timestamptz NOT NULL DEFAULT now(),
	expires_at	timestamptz NOT NULL,
	last_used_at	timestamptz,
	last_used_address inet,
	ended_at	timestamptz,
	CONSTRAINT access_token_mac UNIQUE (mac),
	-- The last day of a year is a whole one.
	CONSTRAINT access_token_expires CHECK (expires_at > created_at
	    AND expires_at <= created_at + interval '367 days')
);
CREATE INDEX access_token_account ON access_token (account_id)
	WHERE ended_at IS NULL;

-- Ended with its account, and not back when that is enabled again.  What a
-- person named does not outlive a closed account.
CREATE FUNCTION access_token_end() RETURNS trigger
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	UPDATE access_token SET ended_at = now()
	    WHERE account_id = NEW.id AND ended_at IS NULL;
	IF NEW.state = 'closed' THEN
		UPDATE access_token SET name = 'erased',
		    last_used_address = NULL WHERE account_id = NEW.id;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER access_token_end AFTER UPDATE OF state ON account
	FOR EACH ROW WHEN (NEW.state <> 'active')
	EXECUTE FUNCTION access_token_end();

GRANT SELECT, INSERT ON access_token TO latchkey_app;
GRANT UPDATE (name, last_used_at, last_used_address, ended_at) ON access_token
	TO latchkey_app;

INSERT INTO mail_kind (kind, words, optional, reader, path, path_id) VALUES
('token_made', 'An access token was made', false, 'all', '/account/tokens', '');

COMMIT;
