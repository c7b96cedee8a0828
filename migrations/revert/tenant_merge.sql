BEGIN;
DROP FUNCTION tenant_merge;
CREATE OR REPLACE FUNCTION api_user_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id <> OLD.id OR NEW.tenant_id <> OLD.tenant_id
	    OR NEW.username <> OLD.username
	    OR (OLD.state = 'deleted' AND NEW.state <> 'deleted')
	    OR (NEW.name_held <> OLD.name_held AND (NEW.name_held
	    OR OLD.state_at >= now() - interval '90 days')) THEN
		RAISE EXCEPTION 'api_user_state' USING ERRCODE = 'LK031';
	END IF;
	RETURN NEW;
END $$;
ALTER FUNCTION api_user_guard() RESET ALL;
DO $$
DECLARE
	v_key	record;
BEGIN
	FOR v_key IN SELECT c.conrelid::regclass AS name, c.conname
	    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid
	    AND a.attnum = ANY (c.conkey) AND a.attname = 'tenant_id'
	    WHERE c.contype = 'f' AND c.confrelid <> 'tenant'::regclass
	    AND c.connamespace = 'public'::regnamespace LOOP
		EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I '
		    'NOT DEFERRABLE', v_key.name, v_key.conname);
	END LOOP;
END $$;
COMMIT;
