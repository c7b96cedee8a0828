BEGIN;
DROP TRIGGER gateway ON product_resource;
DROP TRIGGER gateway ON product;
DROP TRIGGER gateway ON api_user_password;
DROP TRIGGER gateway ON subscription_key;
DROP TRIGGER gateway ON tenant_alias;
DROP TRIGGER gateway ON api_role_grant;
DROP TRIGGER gateway ON api_user_role;
DROP TRIGGER gateway ON api_role;
DROP TRIGGER gateway ON api_user;
DROP TRIGGER gateway ON subscription;
DROP FUNCTION gateway_tell_all, gateway_tell_password, gateway_tell_key,
	gateway_tell_either, gateway_tell_tenant;
COMMIT;
