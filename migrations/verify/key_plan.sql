BEGIN;
SELECT 1 / (count(*) = 3)::int FROM pg_proc p
    JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
    WHERE p.proname IN ('key_matrix', 'token_words', 'token_matrix');
ROLLBACK;
