BEGIN;
SELECT permit_version FROM membership WHERE false;
SELECT 1 / has_column_privilege('latchkey_app', 'membership', 'makes_keys',
    'UPDATE')::integer;
SELECT 1 / has_column_privilege('latchkey_app', 'membership_role', 'tenant_id',
    'UPDATE')::integer;
ROLLBACK;
