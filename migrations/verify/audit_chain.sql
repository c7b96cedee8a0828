BEGIN;
SELECT lane, n, hash FROM audit_head WHERE false;
SELECT lane, n, audit_id, hash FROM audit_link WHERE false;
SELECT lane, n FROM audit_exported WHERE false;
SELECT 1 / count(*) FROM audit_export;
SELECT 1 / (NOT EXISTS (SELECT FROM audit AS a WHERE NOT EXISTS
    (SELECT FROM audit_link AS l WHERE l.audit_id = a.id)))::int;
SELECT 1 / (NOT has_table_privilege('latchkey_app', 'audit_head',
    'INSERT, UPDATE, DELETE, TRUNCATE'))::int;
SELECT 1 / (NOT has_table_privilege('latchkey_app', 'audit_link',
    'INSERT, UPDATE, DELETE, TRUNCATE'))::int;
ROLLBACK;
