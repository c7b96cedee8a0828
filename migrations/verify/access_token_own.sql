BEGIN;
SELECT 1 / count(*) FROM pg_class WHERE oid = 'access_token_own'::regclass;
ROLLBACK;
