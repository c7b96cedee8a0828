BEGIN;
SELECT id, account_id, credential_id, algorithm, public_key, sign_count, name,
    created_at, used_at FROM passkey WHERE false;
SELECT account_id FROM second_factor WHERE false;
ROLLBACK;
