BEGIN;
DROP INDEX request_note_author, request_consent_by, join_ask_account;
COMMIT;
