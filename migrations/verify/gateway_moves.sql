BEGIN;
SELECT 1 / (prosrc LIKE '%OLD.tenant_id%')::int FROM pg_proc
	WHERE proname = 'gateway_tell_tenant';
ROLLBACK;
