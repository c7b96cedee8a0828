BEGIN;
SELECT id, tenant_id, role, email, email_folded, email_domain, invited_by,
    token_hash, created_at, expires_at, ended_at, ending FROM invitation
    WHERE false;
SELECT 1 / count(*) FROM pg_class WHERE relname = 'audit_actor';
SELECT 1 / (NOT has_table_privilege('latchkey_app', 'invitation',
    'DELETE'))::int;
ROLLBACK;
