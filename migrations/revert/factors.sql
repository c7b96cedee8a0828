BEGIN;
DROP TABLE pending_signin, recovery_code, totp;
COMMIT;
