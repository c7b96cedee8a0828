BEGIN;
SELECT 1 / (count(*) = 2)::int FROM pg_proc p JOIN pg_language l
	ON l.oid = p.prolang WHERE l.lanname = 'plpgsql'
	AND p.proname IN ('api_matrix', 'api_user_matrix');
ROLLBACK;
