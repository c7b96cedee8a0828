-- The number of unread notices stands in the frame of every page: so notices
-- that come, are read or go are changes of what workers keep (see stamps).
BEGIN;

CREATE FUNCTION stamp_notices() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM stamp_sessions(ARRAY(SELECT DISTINCT account_id FROM changed));
	RETURN NULL;
END $$;
CREATE FUNCTION stamp_notices_read() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM stamp_sessions(ARRAY(SELECT DISTINCT c.account_id
	    FROM changed c JOIN before b USING (id)
	    WHERE c.read_at IS DISTINCT FROM b.read_at));
	RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION stamp_notices, stamp_notices_read FROM PUBLIC;
CREATE TRIGGER stamp AFTER INSERT ON notice
	REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION stamp_notices();
CREATE TRIGGER stamp_delete AFTER DELETE ON notice
	REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION stamp_notices();
CREATE TRIGGER stamp_update AFTER UPDATE ON notice
	REFERENCING OLD TABLE AS before NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION stamp_notices_read();

COMMIT;
