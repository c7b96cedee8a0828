-- Owners and managers say on a page what the keys of their people may.  Of two
-- who do at once, the second is told: a version says which form was seen.
BEGIN;

ALTER TABLE membership ADD COLUMN permit_version integer NOT NULL DEFAULT 0;
GRANT UPDATE (makes_keys, permit_version) ON membership TO latchkey_app;
-- A manager gives what the manager has, and holds it meanwhile; PostgreSQL asks
-- for this right to lock a row.  The column's foreign keys stay what they are.
GRANT UPDATE (tenant_id) ON membership_role TO latchkey_app;

COMMIT;
