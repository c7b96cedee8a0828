BEGIN;

CREATE OR REPLACE FUNCTION recovery_next_at(p_email_folded text)
	RETURNS timestamptz
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(
	    hashtextextended('recovery ' || p_email_folded, 0));
	RETURN (SELECT created_at + interval '1 hour' FROM recovery
	    WHERE email_folded = p_email_folded
	    AND created_at > clock_timestamp() - interval '1 hour'
	    ORDER BY created_at DESC OFFSET 2 LIMIT 1);
END $$;
DROP TRIGGER known_browser_forget ON account;
DROP FUNCTION known_browser_forget;
DROP TABLE known_browser;
DROP FUNCTION try_right;
DROP FUNCTION try_begin;
DROP FUNCTION try_delay;
ALTER TABLE throttle DROP COLUMN open_at;

COMMIT;
