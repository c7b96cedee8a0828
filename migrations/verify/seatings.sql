BEGIN;
SELECT id, tenant_id, account_id, reason, planned_by, planned_at, due_at,
    ended_at, ending FROM seating WHERE false;
ROLLBACK;
