-- The profile says why a subscription was suspended or cancelled: so a reason
-- that comes is a change of what workers keep (see stamps).
BEGIN;

CREATE FUNCTION stamp_change() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM stamp_people(NULL, ARRAY[s.tenant_id]) FROM subscription s
	    WHERE s.id = NEW.subscription_id;
	RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION stamp_change FROM PUBLIC;
CREATE TRIGGER stamp AFTER INSERT ON subscription_change
	FOR EACH ROW EXECUTE FUNCTION stamp_change();

COMMIT;
