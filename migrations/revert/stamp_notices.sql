BEGIN;
DROP TRIGGER stamp ON notice;
DROP FUNCTION stamp_notice;
COMMIT;
