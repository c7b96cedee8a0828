BEGIN;
SELECT name FROM request_name WHERE false;
SELECT 1 / count(*) FROM pg_trigger WHERE tgname = 'request_name_keep';
ROLLBACK;
