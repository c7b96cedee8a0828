-- Closing a product: what the clients are told, and the end of requests that
-- nobody can approve any more.
BEGIN;

-- Typed, and read by every contact who has a key.
ALTER TABLE product ADD COLUMN closing_note text NOT NULL DEFAULT '' CHECK
	(char_length(closing_note) <= 1000);

-- The courier may end no other request than one for a product that is closed.
CREATE FUNCTION product_end_requests() RETURNS
	TABLE (id uuid, tenant_id uuid, account_id uuid, name text, product text)
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	UPDATE request r SET state = 'rejected', decided_at = now(),
	    reason = 'This product was closed. It takes no requests any more.'
	FROM (SELECT o.id, p.name AS product FROM request o
	    JOIN product p ON p.id = o.product_id
	    WHERE o.state = 'submitted' AND p.state = 'closed'
	    ORDER BY o.id LIMIT 500 FOR UPDATE OF o SKIP LOCKED) x
	WHERE r.id = x.id
	RETURNING r.id, r.tenant_id, r.account_id, r.name, x.product
$$;
REVOKE ALL ON FUNCTION product_end_requests FROM PUBLIC;
GRANT EXECUTE ON FUNCTION product_end_requests TO latchkey_courier;

-- A statement that closes no product, as most of the job's, stamps nobody.
DROP TRIGGER stamp ON product;
CREATE TRIGGER stamp AFTER UPDATE ON product
	FOR EACH ROW EXECUTE FUNCTION stamp_product();

-- A job looks for these every half minute.
CREATE INDEX product_closed ON product (id) WHERE state = 'closed';

COMMIT;
