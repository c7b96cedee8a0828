BEGIN;
ALTER TABLE product_terms ADD COLUMN created_by uuid REFERENCES account;
COMMIT;
