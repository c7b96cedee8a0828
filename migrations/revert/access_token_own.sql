BEGIN;
DROP INDEX access_token_own;
COMMIT;
