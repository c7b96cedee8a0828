BEGIN;
SELECT notices_to, version, ended_at, ended_by, ended_why, merged_into
    FROM tenant WHERE false;
SELECT host, tenant_id FROM tenant_host WHERE false;
SELECT tenant_id, email_folded, email FROM tenant_designated WHERE false;
SELECT code, tenant_id, at FROM tenant_alias WHERE false;
SELECT 1 / (tenant_by_code('') IS NULL)::int;
SELECT 1 / (count(*) = 5)::int FROM pg_trigger WHERE tgname = 'tenant_takes_in';
SELECT 1 / (count(*) = 6)::int FROM pg_class WHERE relname IN
    ('tenant_code_beginning', 'tenant_folded_part', 'tenant_alias_beginning',
    'tenant_alias_part', 'tenant_domain_beginning', 'tenant_domain_part');
ROLLBACK;
