BEGIN;
SELECT 1 / (array_length(tgattr::int2[], 1) = 5)::int FROM pg_trigger
WHERE tgname = 'stamp' AND tgrelid = 'tenant'::regclass;
ROLLBACK;
