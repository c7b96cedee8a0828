BEGIN;
DROP TABLE account_disabling;
DROP INDEX person_order, person_address, tenant_beginning, person_name_part,
    person_address_part, tenant_name_part, tenant_code_part;
DROP EXTENSION pg_trgm;
COMMIT;
