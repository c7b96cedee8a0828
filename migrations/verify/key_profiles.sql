BEGIN;
SELECT name, place, title, summary, is_pair, key_header, key_query, takes_token,
    tenant_header, tenant_by, missing_status, unknown_status, makers, scopes,
    within_maker, reveal, letters, env_letter, shows_first, key_calls_a_minute,
    overlaps_s, can_pause, can_delete, can_revoke, can_expire, menu
    FROM key_profile WHERE false;
SELECT 1 / count(*) FROM key_profile WHERE name = 'subscription-pair';
SELECT profile, key_calls_a_minute FROM product WHERE false;
SELECT id, product_id, word, description, place FROM product_scope WHERE false;
SELECT scope_id, resource_id, operation FROM product_scope_grant WHERE false;
SELECT account_id, role_id, tenant_id FROM membership_role WHERE false;
SELECT makes_keys FROM membership WHERE false;
SELECT id, subscription_id, name, name_folded, maker_id, state, calls_a_minute,
    expires_at, version, created_at, state_at, state_by, state_reason,
    last_used_at, last_used_address FROM issued_key WHERE false;
SELECT key_id, scope_id FROM issued_key_scope WHERE false;
SELECT key_id, first FROM subscription_key WHERE false;
SELECT person_cells(gen_random_uuid(), gen_random_uuid(), gen_random_uuid());
SELECT key_matrix(gen_random_uuid());
SELECT 1 / count(*) FROM pg_trigger WHERE tgname = 'gateway_keys'
    AND tgrelid = 'issued_key'::regclass;
SELECT 1 / (count(*) = 5)::int FROM pg_indexes WHERE indexname IN
    ('issued_key_name', 'issued_key_list', 'issued_key_maker',
    'subscription_key_issued_current', 'subscription_key_issued_old');
ROLLBACK;
