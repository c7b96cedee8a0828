BEGIN;
SELECT 1 / has_function_privilege('latchkey_app',
    'tenant_merge(uuid, uuid, uuid, text)', 'EXECUTE')::int;
SELECT 1 / (NOT tenant_merge(NULL, NULL, NULL, ''))::int;
ROLLBACK;
