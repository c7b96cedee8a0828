BEGIN;
SELECT 1 / (prosrc LIKE '%FROM membership_role m%')::integer FROM pg_proc
    WHERE proname = 'tenant_merge';
ROLLBACK;
