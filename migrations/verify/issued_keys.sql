BEGIN;
SELECT 1 / count(*) FROM mail_kind WHERE kind = 'issued_key';
SELECT 1 / count(*) FROM pg_trigger WHERE tgname = 'issued_key_ahead'
    AND tgrelid = 'issued_key'::regclass;
ROLLBACK;
