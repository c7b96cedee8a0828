BEGIN;
CREATE OR REPLACE FUNCTION gateway_tell_tenant() RETURNS trigger
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', NEW.tenant_id::text);
	RETURN NULL;
END $$;
COMMIT;
