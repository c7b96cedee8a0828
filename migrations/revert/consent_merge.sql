BEGIN;
DROP TRIGGER request_consent_follow ON tenant;
DROP FUNCTION request_consent_follow;
COMMIT;
