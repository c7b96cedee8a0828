BEGIN;
SELECT 1 / count(*) FROM pg_trigger WHERE tgname = 'request_consent_follow';
ROLLBACK;
