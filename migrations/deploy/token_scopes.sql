-- Words for what a key may, as tokens name them, and what a token may that was
-- asked for with some of them: never more than its key does at that moment.
BEGIN;

-- Those of the key's product of which the key may every operation.
CREATE FUNCTION token_words(p_key uuid) RETURNS text[]
	LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
	WITH line AS MATERIALIZED (
	    SELECT split_part(x.line, ' ', 1) AS path, x.line
	    FROM string_to_table(key_matrix(p_key), chr(10)) AS x (line)
	)
	SELECT coalesce(array_agg(c.word ORDER BY c.place, c.word), '{}')
	FROM issued_key i JOIN subscription s ON s.id = i.subscription_id
	JOIN product_scope c ON c.product_id = s.product_id
	WHERE i.id = p_key AND EXISTS (SELECT FROM product_scope_grant g
	    WHERE g.scope_id = c.id)
	AND NOT EXISTS (SELECT FROM product_scope_grant g
	    JOIN product_resource r ON r.id = g.resource_id
	    LEFT JOIN line l ON l.path = r.path
		AND strpos(l.line, ' ' || g.operation || '=') > 0
	    WHERE g.scope_id = c.id AND l.path IS NULL)
$$;

-- The same lines as key_matrix() has, with the operations of these words.
CREATE FUNCTION token_matrix(p_key uuid, p_words text[]) RETURNS text
	LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
	WITH line AS MATERIALIZED (
	    SELECT x.place, split_part(x.line, ' ', 1) AS path, x.line
	    FROM string_to_table(key_matrix(p_key), chr(10))
		WITH ORDINALITY AS x (line, place) WHERE x.line <> ''
	), cell AS (
	    SELECT l.place, l.path, w.place AS within, w.cell,
		split_part(w.cell, '=', 1) AS operation
	    FROM line l, string_to_table(l.line, ' ')
		WITH ORDINALITY AS w (cell, place) WHERE w.place > 1
	), said AS MATERIALIZED (
	    SELECT DISTINCT r.path, g.operation
	    FROM issued_key i JOIN subscription s ON s.id = i.subscription_id
	    JOIN product_scope c ON c.product_id = s.product_id
		AND c.word = ANY (p_words)
	    JOIN product_scope_grant g ON g.scope_id = c.id
	    JOIN product_resource r ON r.id = g.resource_id
	    WHERE i.id = p_key
	)
	SELECT coalesce(string_agg(l.path || coalesce((
	    SELECT string_agg(' ' || c.cell, '' ORDER BY c.within)
	    FROM cell c JOIN said d ON d.path = c.path
		AND d.operation = c.operation
	    WHERE c.place = l.place), '') || chr(10), '' ORDER BY l.place), '')
	FROM line l
$$;

COMMIT;
