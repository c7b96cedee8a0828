-- As api_matrix() has it: a function in PL/pgSQL keeps its plan as long as its
-- connection.  The gateway asks for a key's permissions on every miss, and each
-- exchange for its words.
BEGIN;

CREATE OR REPLACE FUNCTION key_matrix(p_key uuid) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
	RETURN (
	WITH k AS (
	    SELECT i.id, i.maker_id, s.tenant_id, s.product_id, f.scopes,
		f.within_maker
	    FROM issued_key i JOIN subscription s ON s.id = i.subscription_id
	    JOIN product p ON p.id = s.product_id
	    JOIN key_profile f ON f.name = p.profile WHERE i.id = p_key
	), held AS MATERIALIZED (
	    SELECT c.resource_id, c.operation, c.scope
	    FROM k, person_cells(k.maker_id, k.tenant_id, k.product_id) c
	    WHERE k.within_maker
	), said AS MATERIALIZED (
	    SELECT DISTINCT g.resource_id, g.operation
	    FROM issued_key_scope ks JOIN product_scope_grant g
		ON g.scope_id = ks.scope_id WHERE ks.key_id = p_key
	), line AS (
	    SELECT p.path, coalesce(string_agg(' ' || o.operation || '='
		|| CASE WHEN k.within_maker THEN h.scope ELSE 'all' END, ''
		ORDER BY array_position(ARRAY['GET', 'POST', 'PUT', 'PATCH',
		'DELETE'], o.operation)) FILTER (WHERE (k.scopes = 'maker'
		OR d.operation IS NOT NULL)
		AND (NOT k.within_maker OR h.scope IS NOT NULL)), '') AS cells
	    FROM k JOIN product_resource p ON p.product_id = k.product_id
	    CROSS JOIN unnest(p.operations) AS o (operation)
	    LEFT JOIN held h ON h.resource_id = p.id
		AND h.operation = o.operation
	    LEFT JOIN said d ON d.resource_id = p.id
		AND d.operation = o.operation
	    GROUP BY p.path
	) SELECT coalesce(string_agg(path || cells || chr(10), ''
	    ORDER BY path COLLATE "C"), '') FROM line);
END $$;

CREATE OR REPLACE FUNCTION token_words(p_key uuid) RETURNS text[]
	LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
	RETURN (
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
	    WHERE g.scope_id = c.id AND l.path IS NULL));
END $$;

CREATE OR REPLACE FUNCTION token_matrix(p_key uuid, p_words text[]) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
	RETURN (
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
	FROM line l);
END $$;

COMMIT;
