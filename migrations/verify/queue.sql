BEGIN;
SELECT standing FROM request WHERE false;
SELECT id, account_id, name, filter, created_at FROM queue_filter WHERE false;
SELECT 1 / (count(*) = 11)::int FROM pg_class WHERE relname IN
    ('queue_sent', 'queue_due', 'queue_name', 'queue_product_sent',
    'queue_product_due', 'queue_product_name', 'queue_taken_sent',
    'queue_taken_due', 'queue_taken_name', 'queue_name_part',
    'queue_tenant_code');
ROLLBACK;
