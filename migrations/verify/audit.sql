BEGIN;
SELECT id, at, tenant_id, actor_kind, actor_id, action, subject_kind,
    subject_id, detail FROM audit WHERE false;
SELECT 1 / has_function_privilege('latchkey_app',
    'audit_write(uuid, text, uuid, text, text, uuid, jsonb)', 'EXECUTE')::int;
SELECT 1 / (NOT has_table_privilege('latchkey_app', 'audit',
    'INSERT, UPDATE, DELETE, TRUNCATE'))::int;
ROLLBACK;
