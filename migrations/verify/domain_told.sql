BEGIN;
SELECT 1 / count(*) FROM mail_kind WHERE kind = 'domain_listed';
SELECT 1 / count(*) FROM pg_trigger WHERE tgname = 'tenant_domain_told';
ROLLBACK;
