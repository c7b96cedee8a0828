-- What moves from one client to another (tenant_merge) is told to both: a
-- worker knows it under the client that it had.
BEGIN;

CREATE OR REPLACE FUNCTION gateway_tell_tenant() RETURNS trigger
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', NEW.tenant_id::text);
	IF TG_OP = 'UPDATE' AND OLD.tenant_id <> NEW.tenant_id THEN
		PERFORM pg_notify('latchkey_gateway', OLD.tenant_id::text);
	END IF;
	RETURN NULL;
END $$;

COMMIT;
