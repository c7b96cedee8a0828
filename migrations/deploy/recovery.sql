-- Forgotten passwords: one row for each mail asked for.  A row of an address
-- without an active account counts for the three mails an hour as any other,
-- and its token, which nobody is sent, for nothing.  account_id is no foreign
-- key, since looking one up is work that the others have not.
BEGIN;

CREATE TABLE recovery (
	id		uuid PRIMARY KEY,
	email_folded	text NOT NULL,
	account_id	uuid,
	token_hash	bytea NOT NULL,
	created_at	timestamptz NOT NULL DEFAULT now(),
	expires_at	timestamptz NOT NULL,
	used_at		timestamptz,
	replaced_at	timestamptz,	-- a newer one counts
	CONSTRAINT recovery_token UNIQUE (token_hash)
);
CREATE INDEX recovery_address ON recovery (email_folded, created_at DESC);
CREATE INDEX recovery_of ON recovery (account_id);
CREATE INDEX recovery_age ON recovery (created_at);

-- As signup_next_at(): when the next mail to an address may go, NULL is now.
CREATE FUNCTION recovery_next_at(p_email_folded text) RETURNS timestamptz
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(
	    hashtextextended('recovery ' || p_email_folded, 0));
	RETURN (SELECT created_at + interval '1 hour' FROM recovery
	    WHERE email_folded = p_email_folded
	    AND created_at > clock_timestamp() - interval '1 hour'
	    ORDER BY created_at DESC OFFSET 2 LIMIT 1);
END $$;

GRANT SELECT, INSERT, UPDATE ON recovery TO latchkey_app;
GRANT SELECT (id, account_id, created_at, expires_at, used_at, replaced_at),
	DELETE ON recovery TO latchkey_courier;

COMMIT;
