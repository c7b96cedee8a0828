BEGIN;
DROP INDEX audit_actor;
UPDATE membership SET let_in_by = 'owner' WHERE let_in_by = 'invitation';
ALTER TABLE membership DROP CONSTRAINT membership_let_in_by_check;
ALTER TABLE membership ADD CONSTRAINT membership_let_in_by_check
	CHECK (let_in_by IN ('first', 'domain', 'owner', 'reason'));
DROP TABLE invitation;
COMMIT;
