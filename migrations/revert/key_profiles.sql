BEGIN;
DROP TRIGGER gateway_keys ON tenant;
DROP TRIGGER gateway_keys ON tenant_host;
DROP TRIGGER gateway_keys ON product;
DROP TRIGGER gateway_keys ON account;
DROP TRIGGER gateway_keys_role ON membership;
DROP TRIGGER gateway_keys ON membership;
DROP FUNCTION gateway_tell_maker;
DROP FUNCTION key_matrix;
-- Issued keys can't be told from pairs without the columns.
DELETE FROM subscription_key WHERE key_id IS NOT NULL;
ALTER TABLE subscription_key
	DROP COLUMN key_id,
	DROP COLUMN first,
	ALTER COLUMN slot SET NOT NULL,
	ALTER COLUMN sealed SET NOT NULL;
DROP TABLE issued_key_scope;
DROP TABLE issued_key;
DROP FUNCTION issued_key_scope_fits, issued_key_fits, issued_key_guard,
	gateway_tell_key_scope;
DROP FUNCTION person_cells;
ALTER TABLE membership DROP COLUMN makes_keys;
DROP TABLE membership_role;
DROP TABLE product_scope_grant;
DROP TABLE product_scope;
DROP TRIGGER product_profile_kind ON product;
DROP FUNCTION product_profile_kind;
ALTER TABLE product
	DROP COLUMN profile,
	DROP COLUMN key_calls_a_minute;
DROP TABLE key_profile;
COMMIT;
