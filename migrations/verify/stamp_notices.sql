BEGIN;
SELECT 1 / (count(*) = 3)::int FROM pg_trigger WHERE tgname LIKE 'stamp%'
	AND tgrelid = 'notice'::regclass;
ROLLBACK;
