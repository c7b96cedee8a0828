BEGIN;
SELECT 1 / (count(*) = 5)::int FROM pg_class WHERE relname IN ('audit_at',
    'audit_tenant_at', 'audit_actor_at', 'audit_kind_at', 'audit_action_at');
ROLLBACK;
