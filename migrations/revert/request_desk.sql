BEGIN;
REVOKE SELECT ON tenant_domain, public_mail_domain FROM latchkey_courier;
REVOKE UPDATE (auto_stopped_at) ON request FROM latchkey_courier;
DROP TABLE canned_reason;
DROP TABLE request_consent;
DROP FUNCTION request_consent_guard;
DROP TRIGGER request_note_end ON request;
DROP FUNCTION request_note_end;
DROP TABLE request_note;
DROP TRIGGER request_clock ON request;
DROP FUNCTION request_clock;
DROP INDEX request_decided;
DROP INDEX request_auto;
ALTER TABLE request
	DROP CONSTRAINT request_waits_open,
	DROP CONSTRAINT request_waits,
	DROP COLUMN auto_stopped_by,
	DROP COLUMN auto_stopped_at,
	DROP COLUMN auto_at,
	DROP COLUMN assigned_to,
	DROP COLUMN waited,
	DROP COLUMN waits_since,
	DROP COLUMN waiting_on;
COMMIT;
