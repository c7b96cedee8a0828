BEGIN;
DELETE FROM notice WHERE kind = 'request_comment';
DELETE FROM mail_choice WHERE kind = 'request_comment';
DELETE FROM mail_kind WHERE kind = 'request_comment';
COMMIT;
