-- Passkeys (WebAuthn): public keys of authenticators, up to ten an account.
BEGIN;

CREATE TABLE passkey (
	id		uuid PRIMARY KEY,
	account_id	uuid NOT NULL REFERENCES account ON DELETE CASCADE,
	credential_id	bytea NOT NULL CHECK (octet_length(credential_id)
			    BETWEEN 1 AND 1023),
	algorithm	integer NOT NULL CHECK (algorithm IN (-7, -257)),
	public_key	bytea NOT NULL,
	sign_count	bigint NOT NULL,
	name		text NOT NULL CHECK (name <> ''),
	created_at	timestamptz NOT NULL DEFAULT now(),
	used_at		timestamptz,
	CONSTRAINT passkey_credential UNIQUE (credential_id)
);
CREATE INDEX passkey_account ON passkey (account_id);

-- Who has a second factor, of whatever kind.
CREATE VIEW second_factor AS
	SELECT account_id FROM totp UNION ALL SELECT account_id FROM passkey;

-- A closed account keeps its row, but nothing that a person named.
CREATE FUNCTION passkey_forget() RETURNS trigger
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	DELETE FROM passkey WHERE account_id = NEW.id;
	RETURN NULL;
END $$;
CREATE TRIGGER passkey_forget AFTER UPDATE OF state ON account
	FOR EACH ROW WHEN (NEW.state = 'closed')
	EXECUTE FUNCTION passkey_forget();

GRANT SELECT, INSERT, UPDATE, DELETE ON passkey TO latchkey_app;
GRANT SELECT ON second_factor TO latchkey_app;

COMMIT;
