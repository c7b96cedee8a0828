BEGIN;
SELECT 1 / count(*) FROM pg_proc WHERE proname = 'request_approve_by_checks'
    AND prosrc LIKE '%rq.is_pair%';
SELECT 1 / count(*) FROM pg_trigger
    WHERE tgrelid = 'key_profile'::regclass AND tgname = 'stamp';
ROLLBACK;
