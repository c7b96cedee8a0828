BEGIN;
ALTER TABLE subscription_key
	DROP CONSTRAINT subscription_key_end,
	ADD CONSTRAINT subscription_key_end CHECK
	    (CASE state WHEN 'current' THEN ends_at IS NULL
	    WHEN 'old' THEN ends_at IS NOT NULL ELSE true END);
DROP TRIGGER gateway_products ON product;
DROP FUNCTION product_words(uuid);
DROP FUNCTION key_words(uuid);
COMMIT;
