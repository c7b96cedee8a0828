BEGIN;
DELETE FROM mail_choice WHERE kind = 'api_changed';
DELETE FROM notice WHERE kind = 'api_changed';
DELETE FROM mail_kind WHERE kind = 'api_changed';
COMMIT;
