BEGIN;
SELECT 1 / (prosrc LIKE '%membership_role(target.id)%'
    AND prosrc LIKE '%rq.is_pair%')::int FROM pg_proc
    WHERE proname = 'request_approve_by_checks';
ROLLBACK;
