BEGIN;
SELECT 1 / (provolatile = 'v')::int FROM pg_proc
	WHERE oid = 'tenant_has_owner(uuid)'::regprocedure;
ROLLBACK;
