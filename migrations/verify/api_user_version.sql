BEGIN;
SELECT version FROM api_user WHERE false;
SELECT api_wider('{}', '{}');
ROLLBACK;
