BEGIN;
SELECT account_id, sealed, last_counter, created_at FROM totp WHERE false;
SELECT account_id, code_hash, used_at FROM recovery_code WHERE false;
SELECT id_hash, account_id, created_at, expires_at FROM pending_signin
    WHERE false;
ROLLBACK;
