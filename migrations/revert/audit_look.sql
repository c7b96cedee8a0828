BEGIN;
DROP INDEX audit_at, audit_tenant_at, audit_actor_at, audit_kind_at,
    audit_action_at;
COMMIT;
