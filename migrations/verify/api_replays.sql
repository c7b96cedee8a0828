BEGIN;
SELECT token_id, key_hash, request_hash, created_at, status, body
    FROM api_replay WHERE false;
ROLLBACK;
