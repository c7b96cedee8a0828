BEGIN;
SELECT shape FROM product_resource WHERE false;
SELECT 1 / count(*) FROM pg_constraint
    WHERE conname = 'product_resource_one_shape';
ROLLBACK;
