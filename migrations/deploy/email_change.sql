-- Changes of e-mail addresses.  The row of an address that has an account
-- already has no token: its mail goes to that account in place of a link.  A
-- used row holds the address from before for as long as it can be undone.
BEGIN;

CREATE TABLE email_change (
	id		uuid PRIMARY KEY,
	account_id	uuid NOT NULL REFERENCES account ON DELETE CASCADE,
	email		text NOT NULL,
	email_folded	text NOT NULL,
	email_domain	text NOT NULL,
	token_hash	bytea,		-- of the link that confirms
	created_at	timestamptz NOT NULL DEFAULT now(),
	expires_at	timestamptz NOT NULL,
	used_at		timestamptz,
	replaced_at	timestamptz,	-- a newer one counts
	old_email	text,
	old_folded	text,
	old_domain	text,
	undo_hash	bytea,		-- of the link that undoes
	undo_until	timestamptz,
	undone_at	timestamptz,	-- or an older one was undone
	CONSTRAINT email_change_token UNIQUE (token_hash),
	CONSTRAINT email_change_undo UNIQUE (undo_hash),
	CONSTRAINT email_change_used CHECK ((used_at IS NULL) = (old_email IS NULL)
	    AND (used_at IS NULL) = (old_folded IS NULL)
	    AND (used_at IS NULL) = (old_domain IS NULL)
	    AND (used_at IS NULL) = (undo_hash IS NULL)
	    AND (used_at IS NULL) = (undo_until IS NULL))
);
CREATE INDEX email_change_account ON email_change (account_id, created_at DESC);
CREATE INDEX email_change_address ON email_change (email_folded, created_at DESC);
CREATE INDEX email_change_age ON email_change (created_at);

-- When the next mail may be asked for: three an hour of an account, and as
-- many to an address.  The account first, so that no two wait for each other.
CREATE FUNCTION email_change_next_at(p_account uuid, p_email_folded text)
	RETURNS timestamptz
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(
	    hashtextextended('email_change of ' || p_account, 0));
	PERFORM pg_advisory_xact_lock(
	    hashtextextended('email_change to ' || p_email_folded, 0));
	RETURN greatest(
	    (SELECT created_at + interval '1 hour' FROM email_change
	    WHERE account_id = p_account
	    AND created_at > clock_timestamp() - interval '1 hour'
	    ORDER BY created_at DESC OFFSET 2 LIMIT 1),
	    (SELECT created_at + interval '1 hour' FROM email_change
	    WHERE email_folded = p_email_folded
	    AND created_at > clock_timestamp() - interval '1 hour'
	    ORDER BY created_at DESC OFFSET 2 LIMIT 1));
END $$;

GRANT SELECT, INSERT, UPDATE ON email_change TO latchkey_app;
GRANT SELECT (id, created_at, expires_at, used_at, replaced_at,
	undo_until, undone_at), DELETE ON email_change TO latchkey_courier;

COMMIT;
