BEGIN;
DROP INDEX product_closed;
DROP TRIGGER stamp ON product;
CREATE TRIGGER stamp AFTER UPDATE ON product
	FOR EACH STATEMENT EXECUTE FUNCTION stamp_product();
DROP FUNCTION product_end_requests;
ALTER TABLE product DROP COLUMN closing_note;
COMMIT;
