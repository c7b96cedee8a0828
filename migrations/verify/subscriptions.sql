BEGIN;
SELECT id, tenant_id, product_id, environment, one_key, name, state, created_at,
    approved_by, expires_at, ended_at FROM subscription WHERE false;
SELECT id, subscription_id, slot, state, sealed, mac, prefix_mac, mac_version,
    last4, created_at, created_by, ends_at FROM subscription_key WHERE false;
SELECT id, account_id, product_id, tenant_id, environment, name, client_folded,
    state, submitted_at, due_at, decided_at, decided_by, reason,
    subscription_id FROM request WHERE false;
SELECT nonce_hash, account_id, at FROM reveal WHERE false;
SELECT 1 / count(*) FROM pg_indexes WHERE indexname = 'subscription_one_live';
ROLLBACK;
