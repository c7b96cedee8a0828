BEGIN;
REVOKE SELECT (verified_at) ON account FROM latchkey_courier;
DROP FUNCTION request_approve_by_checks;
DROP TRIGGER request_auto_begin ON request;
DROP FUNCTION request_auto_begin;
COMMIT;
