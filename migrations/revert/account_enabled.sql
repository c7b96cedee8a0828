BEGIN;
DROP TRIGGER account_enabled ON account;
DROP FUNCTION account_enabled;
COMMIT;
