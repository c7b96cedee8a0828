BEGIN;
SELECT key_words(gen_random_uuid()), product_words(gen_random_uuid());
SELECT 1 / count(*) FROM pg_trigger WHERE tgname = 'gateway_products';
ROLLBACK;
