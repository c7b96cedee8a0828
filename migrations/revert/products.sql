BEGIN;
DROP TABLE product_resource, product;
COMMIT;
