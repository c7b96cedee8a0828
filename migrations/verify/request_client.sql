BEGIN;
SELECT 1 / (count(*) = 1)::int FROM pg_proc WHERE proname = 'request_begin'
    AND prosrc LIKE '%request_tenant%';
ROLLBACK;
