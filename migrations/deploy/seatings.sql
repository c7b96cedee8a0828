-- Staff seat an owner: planned with a reason, effective after 24 hours unless
-- the client has no owner, and cancelled by owners or admins until then.
BEGIN;

CREATE TABLE seating (
	id		uuid PRIMARY KEY,
	tenant_id	uuid NOT NULL REFERENCES tenant,
	account_id	uuid NOT NULL REFERENCES account,
	reason		text NOT NULL CHECK (reason <> ''),
	planned_by	uuid NOT NULL REFERENCES account,
	planned_at	timestamptz NOT NULL DEFAULT now(),
	due_at		timestamptz NOT NULL,
	ended_at	timestamptz,
	ending		text CHECK (ending IN ('seated', 'cancelled', 'void')),
	CONSTRAINT seating_ended CHECK
	    ((ended_at IS NULL) = (ending IS NULL))
);
CREATE UNIQUE INDEX seating_open ON seating (account_id)
	WHERE ended_at IS NULL;
CREATE INDEX seating_due ON seating (due_at) WHERE ended_at IS NULL;
CREATE INDEX seating_tenant ON seating (tenant_id) WHERE ended_at IS NULL;

-- The courier may seat nobody but whom this lets it: planned, due, and all as
-- it was then.  NULL: void.
CREATE FUNCTION seating_fall_due(p_id uuid) RETURNS uuid
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	INSERT INTO membership AS m (account_id, tenant_id, role, let_in_by)
	SELECT s.account_id, s.tenant_id, 'owner', 'reason' FROM seating s
	JOIN tenant t ON t.id = s.tenant_id AND t.state = 'active'
	JOIN account a ON a.id = s.account_id AND a.kind = 'contact'
	    AND a.state = 'active'
	JOIN account b ON b.id = s.planned_by AND b.kind = 'staff'
	    AND b.state = 'active'
	WHERE s.id = p_id AND s.ended_at IS NULL AND s.due_at <= now()
	ON CONFLICT (account_id) DO UPDATE SET role = 'owner'
	WHERE m.tenant_id = excluded.tenant_id
	RETURNING m.account_id
$$;
REVOKE ALL ON FUNCTION seating_fall_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seating_fall_due TO latchkey_courier;

GRANT SELECT, INSERT, UPDATE ON seating TO latchkey_app;
GRANT SELECT, UPDATE (ended_at, ending) ON seating TO latchkey_courier;

COMMIT;
