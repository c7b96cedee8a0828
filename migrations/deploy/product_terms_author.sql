-- Who wrote the terms stands in the audit.  Without the column no chain of
-- foreign keys leads from an account to a product, which tests empty by
-- TRUNCATE ... CASCADE between cases.
BEGIN;
ALTER TABLE product_terms DROP COLUMN created_by;
COMMIT;
