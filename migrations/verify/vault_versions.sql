BEGIN;
SELECT active_at, data_version FROM sealed_key WHERE false;
SELECT data_version FROM subscription_key WHERE false;
SELECT data_version FROM totp WHERE false;
SELECT id, program, host, pid, master_version, data_version, seals_under,
    alive_until FROM key_holder WHERE false;
SELECT 1 / (sealed_version('\x0100000102'::bytea) = 258)::int;
SELECT 1 / has_function_privilege('latchkey_app',
    'data_key_retire(integer)', 'EXECUTE')::int;
SELECT 1 / (NOT has_function_privilege('latchkey_courier',
    'data_key_retire(integer)', 'EXECUTE'))::int;
ROLLBACK;
