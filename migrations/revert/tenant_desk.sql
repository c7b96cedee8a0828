BEGIN;
DROP TRIGGER tenant_takes_in ON seating;
DROP TRIGGER tenant_takes_in ON invitation;
DROP TRIGGER tenant_takes_in ON request;
DROP TRIGGER tenant_takes_in ON subscription;
DROP TRIGGER tenant_takes_in ON membership;
DROP FUNCTION tenant_takes_in;
DROP TRIGGER tenant_state_guard ON tenant;
DROP FUNCTION tenant_state_guard;
DROP INDEX tenant_domain_part;
DROP INDEX tenant_domain_beginning;
DROP INDEX tenant_folded_part;
DROP INDEX tenant_code_beginning;
DROP FUNCTION tenant_by_code;
DROP TABLE tenant_alias;
DROP TABLE tenant_designated;
DROP TABLE tenant_host;
REVOKE UPDATE (name, name_folded, slug, notes, notices_to, version, state,
	ended_at, ended_by, ended_why) ON tenant FROM latchkey_app;
GRANT UPDATE ON tenant TO latchkey_app;
ALTER TABLE tenant
	DROP CONSTRAINT tenant_ended,
	DROP CONSTRAINT tenant_merged,
	DROP CONSTRAINT tenant_state_check;
UPDATE tenant SET state = 'closed' WHERE state = 'merged';
ALTER TABLE tenant
	DROP merged_into,
	DROP ended_why,
	DROP ended_by,
	DROP ended_at,
	DROP version,
	DROP notices_to,
	ADD CONSTRAINT tenant_state_check CHECK (state IN ('active', 'closed'));
COMMIT;
