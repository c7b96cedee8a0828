BEGIN;
DROP TABLE reveal, request, subscription_key, subscription;
DROP FUNCTION request_guard;
DROP FUNCTION subscription_guard;
COMMIT;
