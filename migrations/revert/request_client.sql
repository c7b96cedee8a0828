BEGIN;
CREATE OR REPLACE FUNCTION request_begin() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	IF lifecycle_lifted(TG_RELID) THEN
		RETURN NEW;
	END IF;
	IF NEW.state <> 'submitted' THEN
		RAISE EXCEPTION 'request_state' USING ERRCODE = 'LK021';
	END IF;
	PERFORM FROM account WHERE id = NEW.account_id FOR SHARE;
	NEW.tenant_id := (SELECT tenant_id FROM membership
	    WHERE account_id = NEW.account_id);
	RETURN NEW;
END $$;
COMMIT;
