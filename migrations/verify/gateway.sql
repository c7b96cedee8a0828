BEGIN;
SELECT 1 / (count(*) = 10)::int FROM pg_trigger WHERE tgname = 'gateway';
ROLLBACK;
