BEGIN;
DROP TRIGGER tenant_domain_told ON tenant_domain;
DROP FUNCTION tenant_domain_told;
DELETE FROM notice WHERE kind = 'domain_listed';
DELETE FROM mail_choice WHERE kind = 'domain_listed';
DELETE FROM mail_kind WHERE kind = 'domain_listed';
COMMIT;
