BEGIN;
CREATE OR REPLACE FUNCTION api_matrix(p_roles uuid[], p_product uuid) RETURNS text
	LANGUAGE sql STABLE AS $$
	WITH cell AS (
	    SELECT g.resource_id, g.operation,
		CASE WHEN bool_or(r.scope = 'all') THEN 'all'
		ELSE string_agg(DISTINCT x.account COLLATE "C", ','
		    ORDER BY x.account COLLATE "C") END AS scope
	    FROM api_role r JOIN api_role_grant g ON g.role_id = r.id
	    LEFT JOIN LATERAL unnest(r.accounts) AS x (account) ON true
	    WHERE r.id = ANY (p_roles) GROUP BY g.resource_id, g.operation
	), line AS (
	    SELECT p.path, coalesce(string_agg(' ' || c.operation || '='
		|| c.scope, '' ORDER BY array_position(ARRAY['GET', 'POST',
		'PUT', 'PATCH', 'DELETE'], c.operation)), '') AS cells
	    FROM product_resource p LEFT JOIN cell c ON c.resource_id = p.id
		AND c.operation = ANY (p.operations)
	    WHERE p.product_id = p_product GROUP BY p.path
	) SELECT coalesce(string_agg(path || cells || chr(10), ''
	    ORDER BY path COLLATE "C"), '') FROM line
$$;
CREATE OR REPLACE FUNCTION api_user_matrix(p_user uuid, p_product uuid) RETURNS text
	LANGUAGE sql STABLE AS $$
	SELECT api_matrix(ARRAY(SELECT role_id FROM api_user_role
	    WHERE api_user_id = p_user), p_product)
$$;
COMMIT;
