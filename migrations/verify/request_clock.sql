BEGIN;
SELECT 1 / (prosrc LIKE '%greatest(%')::int FROM pg_proc
	WHERE oid = 'request_clock'::regproc;
ROLLBACK;
