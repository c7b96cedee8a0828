BEGIN;
DROP TABLE queue_filter;
DROP INDEX queue_tenant_code, queue_name_part;
-- Its indexes go with it.
ALTER TABLE request DROP COLUMN standing;
COMMIT;
