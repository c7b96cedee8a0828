-- A request that names another client than its contact's is refused, as "try
-- again": the contact was let in, or left, since the statement looked.  One
-- that names none is the contact's client's.
BEGIN;
CREATE OR REPLACE FUNCTION request_begin() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
DECLARE
	v_tenant	uuid;
BEGIN
	IF lifecycle_lifted(TG_RELID) THEN
		RETURN NEW;
	END IF;
	IF NEW.state <> 'submitted' THEN
		RAISE EXCEPTION 'request_state' USING ERRCODE = 'LK021';
	END IF;
	PERFORM FROM account WHERE id = NEW.account_id FOR SHARE;
	SELECT tenant_id INTO v_tenant FROM membership
	    WHERE account_id = NEW.account_id;
	IF NEW.tenant_id IS NOT NULL AND NEW.tenant_id IS DISTINCT FROM
	    v_tenant THEN
		RAISE EXCEPTION 'request_tenant' USING ERRCODE = '40001';
	END IF;
	NEW.tenant_id := v_tenant;
	RETURN NEW;
END $$;
COMMIT;
