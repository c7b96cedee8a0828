BEGIN;
SELECT 1 / (count(*) = 0)::int FROM information_schema.columns
    WHERE table_name = 'product_terms' AND column_name = 'created_by';
ROLLBACK;
