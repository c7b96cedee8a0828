BEGIN;
REVOKE UPDATE (tenant_id) ON membership_role FROM latchkey_app;
REVOKE UPDATE (makes_keys) ON membership FROM latchkey_app;
ALTER TABLE membership DROP COLUMN permit_version;
COMMIT;
