BEGIN;
SELECT 1 / (count(*) = 1)::int FROM pg_trigger WHERE tgname = 'stamp'
	AND tgrelid = 'subscription_change'::regclass;
ROLLBACK;
