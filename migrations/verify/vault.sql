BEGIN;
SELECT kind, version, master_version, sealed, created_at FROM sealed_key
    WHERE false;
SELECT 1 / (NOT has_table_privilege('latchkey_app', 'sealed_key',
    'DELETE'))::int;
ROLLBACK;
