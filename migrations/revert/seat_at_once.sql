BEGIN;
DROP FUNCTION tenant_has_owner;
COMMIT;
