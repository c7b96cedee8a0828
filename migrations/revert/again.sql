BEGIN;
ALTER TABLE session DROP COLUMN again_failures;
COMMIT;
