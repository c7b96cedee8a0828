-- The number of unread notices stands in the frame of every page: so notices
-- that come, are read or go are changes of what workers keep (see stamps).
--
-- They come in the middle of statements that end sessions, so they stamp at the
-- commit; and they wait for nobody there, since others hold what they would
-- wait for.  A bell that is missed so is late by what a worker keeps at most.
BEGIN;

CREATE FUNCTION stamp_notice() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	UPDATE session SET stamp = stamp + 1, stamped_at = now()
	    WHERE id_hash IN (SELECT id_hash FROM session WHERE account_id =
	    CASE TG_OP WHEN 'DELETE' THEN OLD.account_id ELSE NEW.account_id END
	    FOR UPDATE SKIP LOCKED);
	RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION stamp_notice FROM PUBLIC;
CREATE CONSTRAINT TRIGGER stamp
	AFTER INSERT OR DELETE OR UPDATE OF read_at ON notice
	DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION stamp_notice();

COMMIT;
