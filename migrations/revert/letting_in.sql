BEGIN;

UPDATE outbox SET state = 'failed' WHERE state = 'dropped';
ALTER TABLE outbox DROP CONSTRAINT outbox_state_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_state_check
	CHECK (state IN ('queued', 'sent', 'failed'));
DROP FUNCTION failed_signin_count;
DROP TABLE failed_signin;
ALTER TABLE join_ask DROP COLUMN reason;
DROP FUNCTION membership_role;

COMMIT;
