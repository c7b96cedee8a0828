BEGIN;
SELECT 1 / (prosrc LIKE '%FOR SHARE OF pr%')::int FROM pg_proc
	WHERE proname = 'request_approve_by_checks';
ROLLBACK;
