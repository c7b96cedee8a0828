BEGIN;
SELECT 1 / (account_close('00000000-0000-0000-0000-000000000000', '')
    = 'changed')::int;
SELECT 1 / (NOT has_function_privilege('latchkey_courier',
    'account_close(uuid, text)', 'EXECUTE'))::int;
ROLLBACK;
