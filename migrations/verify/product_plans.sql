BEGIN;
SELECT version, calls_a_second, calls_a_month, approval, approval_delay_min,
    terms_version, closes_at, was_hidden FROM product WHERE false;
SELECT id, product_id, place, name, note, path, operations
    FROM product_resource WHERE false;
SELECT product_id, version, text, created_at FROM product_terms
    WHERE false;
SELECT request_id, account_id, product_id, version, at FROM terms_acceptance
    WHERE false;
SELECT 1 / (count(*) = 5)::int FROM pg_class WHERE relname IN
    ('product_catalogue', 'product_order', 'product_closing',
    'subscription_product_live', 'request_product_open');
ROLLBACK;
