BEGIN;
SELECT id, kind, staff_role, state, password_hash, password_at, created_at,
    verified_at, signed_in_at FROM account WHERE false;
SELECT account_id, email, email_folded, email_domain, name, client FROM person
    WHERE false;
SELECT id, email, email_folded, email_domain, name, client, invited_as,
    token_hash, created_at, expires_at, used_at, replaced_at FROM signup
    WHERE false;
SELECT id_hash, account_id, created_at, fresh_at, last_used_at, expires_at,
    address, agent FROM session WHERE false;
SELECT network, last_at FROM known_network WHERE false;
SELECT bucket, key, tat FROM throttle WHERE false;
SELECT 1 / (throttle_wait('verify', 'verify', '1s', 1) = 0)::int;
SELECT 1 / (signup_next_at('verify') IS NULL)::int;
SELECT 1 / (NOT has_table_privilege('latchkey_app', 'account', 'DELETE'))::int;
ROLLBACK;
