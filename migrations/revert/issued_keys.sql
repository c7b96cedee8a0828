BEGIN;
DELETE FROM notice WHERE kind = 'issued_key';
DELETE FROM mail_choice WHERE kind = 'issued_key';
DELETE FROM mail_kind WHERE kind = 'issued_key';
DROP TRIGGER issued_key_ahead ON issued_key;
DROP FUNCTION issued_key_ahead();
COMMIT;
