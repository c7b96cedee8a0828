BEGIN;
SELECT 1 / (count(*) = 1)::int FROM pg_trigger WHERE tgname = 'stamp'
	AND tgrelid = 'notice'::regclass AND tgdeferrable;
ROLLBACK;
