BEGIN;
DROP INDEX api_user_live;
DROP FUNCTION api_wider;
ALTER TABLE api_user DROP COLUMN version;
COMMIT;
