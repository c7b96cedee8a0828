BEGIN;
REVOKE UPDATE (state) ON product FROM latchkey_courier;
DROP TABLE terms_acceptance;
ALTER TABLE product DROP CONSTRAINT product_terms_current;
DROP TABLE product_terms;
ALTER TABLE product_resource
	DROP CONSTRAINT product_resource_operations,
	DROP CONSTRAINT product_resource_path,
	DROP CONSTRAINT product_resource_place,
	DROP CONSTRAINT product_resource_pkey,
	DROP COLUMN id,
	ADD PRIMARY KEY (product_id, place);
DROP TRIGGER product_guard ON product;
DROP FUNCTION product_guard;
DROP INDEX product_catalogue, product_order, product_closing,
    subscription_product_live, request_product_open;
-- What was never offered, and what was about to close, as near as it goes.
UPDATE product SET state = 'hidden' WHERE state = 'draft';
ALTER TABLE product DROP CONSTRAINT product_closes;
UPDATE product SET state = 'closed' WHERE state = 'closing';
ALTER TABLE product
	DROP COLUMN version,
	DROP COLUMN calls_a_second,
	DROP COLUMN calls_a_month,
	DROP COLUMN approval,
	DROP COLUMN approval_delay_min,
	DROP COLUMN terms_version,
	DROP COLUMN closes_at,
	DROP COLUMN was_hidden,
	DROP CONSTRAINT product_state_check,
	ADD CONSTRAINT product_state_check CHECK (state IN
	    ('published', 'hidden', 'closed'));
COMMIT;
