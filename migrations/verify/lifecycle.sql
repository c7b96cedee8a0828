BEGIN;
SELECT expiry_set_at FROM subscription WHERE false;
SELECT last_used_at, last_used_address FROM subscription_key WHERE false;
SELECT id, subscription_id, at, account_id, what, reason, expires_at, slot,
    key_id FROM subscription_change WHERE false;
SELECT 1 / (count(*) = 7)::int FROM pg_trigger WHERE tgname IN
    ('request_guard', 'request_begin', 'membership_requests',
    'subscription_guard', 'subscription_begin', 'subscription_key_guard',
    'subscription_key_begin');
SELECT 1 / (count(*) = 3)::int FROM pg_class WHERE relname IN
    ('subscription_state', 'subscription_key_due', 'subscription_change_of');
ROLLBACK;
