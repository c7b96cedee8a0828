BEGIN;
DROP TABLE membership, tenant_domain, public_mail_domain, tenant;
DROP FUNCTION tenant_domain_private;
DROP FUNCTION tenant_keep_code;
COMMIT;
