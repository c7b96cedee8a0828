-- One index for each thing that the audit is looked through by, in the order
-- of its pages (app/audit/audit_db.c).
BEGIN;

CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_tenant_at ON audit (tenant_id, at, id)
	WHERE tenant_id IS NOT NULL;
CREATE INDEX audit_actor_at ON audit (actor_id, at, id)
	WHERE actor_id IS NOT NULL;
CREATE INDEX audit_kind_at ON audit (actor_kind, at, id)
	WHERE actor_id IS NULL;
CREATE INDEX audit_action_at ON audit (action, at, id);

COMMIT;
