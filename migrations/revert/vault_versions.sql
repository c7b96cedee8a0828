BEGIN;
DROP FUNCTION data_key_retire;
DROP TABLE key_holder;
ALTER TABLE totp DROP COLUMN data_version;
ALTER TABLE subscription_key DROP COLUMN data_version;
DROP FUNCTION sealed_version;
ALTER TABLE sealed_key DROP COLUMN data_version, DROP COLUMN active_at;
COMMIT;
