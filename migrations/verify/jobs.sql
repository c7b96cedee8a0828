BEGIN;
SELECT kind, subject, due, done_at FROM job WHERE false;
ROLLBACK;
