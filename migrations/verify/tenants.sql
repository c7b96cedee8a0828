BEGIN;
SELECT id, code, name, name_folded, slug, notes, state, created_at FROM tenant
    WHERE false;
SELECT tenant_id, domain FROM tenant_domain WHERE false;
SELECT account_id, tenant_id, role, let_in_by, created_at FROM membership
    WHERE false;
SELECT 1 / count(*) FROM public_mail_domain WHERE domain = 'gmail.com';
SELECT 1 / (NOT has_table_privilege('latchkey_app', 'public_mail_domain',
    'INSERT'))::int;
ROLLBACK;
