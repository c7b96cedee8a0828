BEGIN;
DROP FUNCTION api_matrix_hash, api_matrix;
DROP TRIGGER subscription_api_roles ON subscription;
DROP TRIGGER tenant_api_roles ON tenant;
DROP FUNCTION subscription_api_roles, tenant_api_roles, api_role_fill,
	api_role_begin;
DROP TABLE api_role_grant, api_role;
DROP FUNCTION api_role_grant_included, api_accounts_plain, uuid_v7;
ALTER TABLE product_resource
	DROP CONSTRAINT product_resource_places,
	DROP CONSTRAINT product_resource_plain,
	DROP CONSTRAINT product_resource_one_path;
COMMIT;
