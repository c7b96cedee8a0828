-- What the gateway check says of an issued key beside what it may: the scopes
-- that it has at this moment, and which scope a call needs.
BEGIN;

-- Parted by blanks.  Of a key that is kept within its maker, those that the
-- maker may wholly.
CREATE FUNCTION key_words(p_key uuid) RETURNS text
	LANGUAGE sql STABLE AS $$
	WITH k AS (
	    SELECT i.id, i.maker_id, s.tenant_id, s.product_id, f.scopes,
		f.within_maker
	    FROM issued_key i JOIN subscription s ON s.id = i.subscription_id
	    JOIN product p ON p.id = s.product_id
	    JOIN key_profile f ON f.name = p.profile WHERE i.id = p_key
	), held AS MATERIALIZED (
	    SELECT c.resource_id, c.operation
	    FROM k, person_cells(k.maker_id, k.tenant_id, k.product_id) c
	    WHERE k.within_maker
	) SELECT coalesce(string_agg(c.word, ' ' ORDER BY c.place, c.word), '')
	FROM k JOIN product_scope c ON c.product_id = k.product_id
	WHERE (k.scopes = 'maker' OR EXISTS (SELECT FROM issued_key_scope ks
	    WHERE ks.key_id = k.id AND ks.scope_id = c.id))
	AND (NOT k.within_maker OR NOT EXISTS (SELECT FROM product_scope_grant g
	    WHERE g.scope_id = c.id AND NOT EXISTS (SELECT FROM held h
	    WHERE h.resource_id = g.resource_id
	    AND h.operation = g.operation)))
$$;

-- Lines "PATH OPERATION SCOPE"; of several scopes for one thing the narrowest
-- comes first.  More than 64 kB are none: it is for a sentence.
CREATE FUNCTION product_words(p_product uuid) RETURNS text
	LANGUAGE sql STABLE AS $$
	WITH line AS (
	    SELECT r.path, g.operation, c.word, c.place,
		count(*) OVER (PARTITION BY c.id) AS grants
	    FROM product_scope c JOIN product_scope_grant g ON g.scope_id = c.id
	    JOIN product_resource r ON r.id = g.resource_id
	    WHERE c.product_id = p_product
	), text AS (
	    SELECT coalesce(string_agg(path || ' ' || operation || ' ' || word,
		chr(10) ORDER BY path COLLATE "C", operation, grants, place), '')
		AS lines FROM line
	) SELECT CASE WHEN octet_length(lines) <= 65536 THEN lines ELSE '' END
	FROM text
$$;

-- An old value of an issued key may go on until somebody ends it.
ALTER TABLE subscription_key
	DROP CONSTRAINT subscription_key_end,
	ADD CONSTRAINT subscription_key_end CHECK
	    (CASE state WHEN 'current' THEN ends_at IS NULL
	    WHEN 'old' THEN ends_at IS NOT NULL OR key_id IS NOT NULL
	    ELSE true END);

-- A worker knows which products there are.
CREATE TRIGGER gateway_products AFTER INSERT OR DELETE ON product
	FOR EACH STATEMENT EXECUTE FUNCTION gateway_tell_all();

COMMIT;
