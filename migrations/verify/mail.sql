BEGIN;
SELECT id, kind, account_id, address, params, state, created_at, next_at,
    claimed_by, tries, ended_at, last_error FROM outbox WHERE false;
SELECT 1 / has_function_privilege('latchkey_app',
    'mail_queue(text, uuid, text, jsonb)', 'EXECUTE')::int;
SELECT 1 / (NOT has_column_privilege('latchkey_app', 'outbox', 'params',
    'SELECT'))::int;
ROLLBACK;
