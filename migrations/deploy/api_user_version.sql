-- Two who change a user's roles at once: one wins.  What widens permissions is
-- told to owners and managers.
BEGIN;

ALTER TABLE api_user ADD COLUMN version integer NOT NULL DEFAULT 1;
GRANT UPDATE (version) ON api_user TO latchkey_app;

-- Do the new roles together allow anything that the old ones don't?
CREATE FUNCTION api_wider(p_old uuid[], p_new uuid[]) RETURNS boolean
	LANGUAGE sql STABLE AS $$
	WITH cell AS (
	    SELECT r.id, g.resource_id, g.operation,
		coalesce(x.account, '*') AS account
	    FROM api_role r JOIN api_role_grant g ON g.role_id = r.id
	    LEFT JOIN LATERAL unnest(r.accounts) AS x (account) ON true
	    WHERE r.id = ANY (p_old || p_new)
	) SELECT EXISTS (SELECT FROM cell n WHERE n.id = ANY (p_new)
	    AND NOT EXISTS (SELECT FROM cell o WHERE o.id = ANY (p_old)
	    AND o.resource_id = n.resource_id AND o.operation = n.operation
	    AND o.account IN ('*', n.account)))
$$;

-- How many there are of a tenant, and which are unused.
CREATE INDEX api_user_live ON api_user (tenant_id, id)
	WHERE state <> 'deleted';

COMMIT;
