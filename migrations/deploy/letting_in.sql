-- Letting people in.
BEGIN;

-- The first who is let in to a client owns it, all others are members.  Holds
-- the client until the statement ends and looks again behind the lock, so that
-- of two who are let in at once the second sees the first.
CREATE FUNCTION membership_role(p_tenant uuid) RETURNS text
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(
	    hashtextextended('membership ' || p_tenant::text, 0));
	RETURN CASE WHEN EXISTS (SELECT FROM membership
	    WHERE tenant_id = p_tenant) THEN 'member' ELSE 'owner' END;
END $$;

-- Staff may let in who asks to join; why, where no mail domain says it.
ALTER TABLE join_ask ADD COLUMN reason text;

-- Failures of an address, for the mail that tells its owner: with a wrong
-- password, and with a wrong code behind a right one.  What stands for an
-- address without an account is written just as well, so that both take the
-- same work.
CREATE TABLE failed_signin (
	who		text PRIMARY KEY,	-- account, or a hash
	account_id	uuid,
	passwords	integer NOT NULL DEFAULT 0,
	codes		integer NOT NULL DEFAULT 0,
	since		timestamptz NOT NULL DEFAULT now(),
	told_at		timestamptz
);
CREATE INDEX failed_signin_age ON failed_signin (since);
CREATE FUNCTION failed_signin_count(p_who text, p_account uuid,
	p_passwords integer, p_codes integer) RETURNS text
	LANGUAGE sql SET search_path = public, pg_temp AS $$
	INSERT INTO failed_signin AS f (who, account_id, passwords, codes)
	VALUES (p_who, p_account, p_passwords, p_codes)
	ON CONFLICT (who) DO UPDATE SET
	    passwords = CASE WHEN f.since < now() - interval '1 day' THEN 0
		ELSE f.passwords END + p_passwords,
	    codes = CASE WHEN f.since < now() - interval '1 day' THEN 0
		ELSE f.codes END + p_codes,
	    since = CASE WHEN f.since < now() - interval '1 day' THEN now()
		ELSE f.since END
	RETURNING who
$$;
GRANT SELECT, INSERT, UPDATE ON failed_signin TO latchkey_app;
GRANT SELECT, UPDATE (told_at), DELETE ON failed_signin TO latchkey_courier;

-- A mail that is dropped because nobody needs it any more has not failed.
ALTER TABLE outbox DROP CONSTRAINT outbox_state_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_state_check
	CHECK (state IN ('queued', 'sent', 'failed', 'dropped'));

COMMIT;
