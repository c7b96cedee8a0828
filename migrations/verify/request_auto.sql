BEGIN;
SELECT 1 / (count(*) = 2)::int FROM pg_proc WHERE proname IN
    ('request_auto_begin', 'request_approve_by_checks');
SELECT 1 / (count(*) = 1)::int FROM pg_trigger
    WHERE tgname = 'request_auto_begin';
ROLLBACK;
