BEGIN;
DROP TRIGGER stamp ON notice;
DROP TRIGGER stamp_delete ON notice;
DROP TRIGGER stamp_update ON notice;
DROP FUNCTION stamp_notices, stamp_notices_read;
COMMIT;
