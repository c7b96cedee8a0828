BEGIN;
SELECT id, email_folded, account_id, token_hash, created_at, expires_at,
    used_at, replaced_at FROM recovery WHERE false;
SELECT 1 / (recovery_next_at('verify') IS NULL)::int;
SELECT 1 / (NOT has_table_privilege('latchkey_courier', 'recovery',
    'UPDATE'))::int;
ROLLBACK;
