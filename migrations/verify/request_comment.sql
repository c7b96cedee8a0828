BEGIN;
SELECT 1 / count(*) FROM mail_kind WHERE kind = 'request_comment';
ROLLBACK;
