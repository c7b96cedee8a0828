BEGIN;
SELECT account_id, reason, by_account, at FROM account_disabling WHERE false;
SELECT 1 / (count(*) = 7)::int FROM pg_class WHERE relname IN
    ('person_order', 'person_address', 'tenant_beginning', 'person_name_part',
    'person_address_part', 'tenant_name_part', 'tenant_code_part');
ROLLBACK;
