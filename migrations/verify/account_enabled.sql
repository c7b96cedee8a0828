BEGIN;
SELECT 1 / (count(*) = 1)::int FROM pg_trigger WHERE tgname = 'account_enabled'
	AND tgrelid = 'account'::regclass;
ROLLBACK;
