BEGIN;
SELECT id, kid, alg, sealed, data_version, created_at, signs_at, ends_at
    FROM signing_key WHERE false;
SELECT 1 / (NOT has_table_privilege('latchkey_courier', 'signing_key',
    'SELECT'))::int;
ROLLBACK;
