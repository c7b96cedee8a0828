BEGIN;
SELECT 1 / count(*) FROM mail_kind WHERE kind = 'api_changed';
ROLLBACK;
