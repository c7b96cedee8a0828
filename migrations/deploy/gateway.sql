-- What the gateway check keeps in memory is told when it changes: a
-- notification with the tenant's id, or "*" where it may be anybody's.  Only
-- columns that the check reads count, since NOTIFY makes commits wait for one
-- another: that a key was used tells nobody.
BEGIN;

CREATE FUNCTION gateway_tell_tenant() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', NEW.tenant_id::text);
	RETURN NULL;
END $$;
CREATE TRIGGER gateway AFTER UPDATE OF state, expires_at, tenant_id
	ON subscription FOR EACH ROW EXECUTE FUNCTION gateway_tell_tenant();
CREATE TRIGGER gateway AFTER INSERT OR UPDATE OF state, expires_at, tenant_id,
	name_held ON api_user
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_tenant();
CREATE TRIGGER gateway AFTER UPDATE OF scope, accounts ON api_role
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_tenant();

-- Rows that go as well as rows that come.
CREATE FUNCTION gateway_tell_either() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', CASE TG_OP WHEN 'DELETE'
	    THEN OLD.tenant_id ELSE NEW.tenant_id END::text);
	RETURN NULL;
END $$;
CREATE TRIGGER gateway AFTER INSERT OR DELETE ON api_user_role
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_either();
CREATE TRIGGER gateway AFTER INSERT OR DELETE ON api_role_grant
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_either();
CREATE TRIGGER gateway AFTER INSERT OR DELETE ON tenant_alias
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_either();

CREATE FUNCTION gateway_tell_key() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', s.tenant_id::text)
	    FROM subscription s WHERE s.id = NEW.subscription_id;
	RETURN NULL;
END $$;
CREATE TRIGGER gateway AFTER INSERT OR UPDATE OF state, ends_at
	ON subscription_key FOR EACH ROW EXECUTE FUNCTION gateway_tell_key();

CREATE FUNCTION gateway_tell_password() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', u.tenant_id::text)
	    FROM api_user u WHERE u.id = NEW.api_user_id;
	RETURN NULL;
END $$;
CREATE TRIGGER gateway AFTER INSERT OR UPDATE OF state, ends_at
	ON api_user_password FOR EACH ROW
	EXECUTE FUNCTION gateway_tell_password();

CREATE FUNCTION gateway_tell_all() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', '*');
	RETURN NULL;
END $$;
CREATE TRIGGER gateway AFTER UPDATE OF slug, needs_api_user ON product
	FOR EACH STATEMENT EXECUTE FUNCTION gateway_tell_all();
CREATE TRIGGER gateway AFTER INSERT OR DELETE OR UPDATE OF path, operations
	ON product_resource FOR EACH STATEMENT
	EXECUTE FUNCTION gateway_tell_all();

COMMIT;
