BEGIN;
SELECT id, tenant_id, preset, name, name_folded, scope, accounts, version,
    created_at, changed_at, changed_by FROM api_role WHERE false;
SELECT role_id, tenant_id, resource_id, operation FROM api_role_grant
    WHERE false;
SELECT api_matrix_hash(api_matrix('{}', NULL));
SELECT 1 / count(*) FROM pg_trigger WHERE tgname = 'api_role_grant_included';
ROLLBACK;
