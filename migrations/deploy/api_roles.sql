-- What an integration may do: roles of a tenant, each a matrix of the resources
-- of its products by operation, and whose data it sees.
BEGIN;

-- The decision (app/apiusers/permission.c) takes 64 resources of a product, told
-- apart by their paths, which are plain: parts parted by single slashes, nothing
-- encoded, no "." or "..", none that ends in a dot.
ALTER TABLE product_resource
	ADD CONSTRAINT product_resource_one_path UNIQUE (product_id, path)
	    DEFERRABLE,
	ADD CONSTRAINT product_resource_plain CHECK (length(path) <= 200
	    AND path ~ '^(/[A-Za-z0-9_~.-]*[A-Za-z0-9_~-])+$'),
	ADD CONSTRAINT product_resource_places CHECK (place BETWEEN 1 AND 64);

-- For rows that a trigger makes: RFC 9562, version 7.
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
	SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
	    PLACING substring(int8send((extract(epoch FROM clock_timestamp())
	    * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1),
	    'hex')::uuid
$$;

-- Account numbers: with 5 roles a user, 50 a role and 20 characters each, all
-- of them are 5 kB, which fits one header of a request.
CREATE FUNCTION api_accounts_plain(text[]) RETURNS boolean
	LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(bool_and(x IS NOT NULL AND x ~ '^[A-Za-z0-9_.-]{1,20}$'),
	    true) AND count(*) = count(DISTINCT x) AND count(*) <= 50
	FROM unnest($1) AS x
$$;

CREATE TABLE api_role (
	id		uuid PRIMARY KEY,
	tenant_id	uuid NOT NULL REFERENCES tenant,
	preset		text CHECK (preset IN
			    ('read-only', 'billing', 'full')),
	name		text NOT NULL CHECK (length(name) BETWEEN 2 AND 40),
	name_folded	text NOT NULL,
	scope		text NOT NULL DEFAULT 'all' CHECK (scope IN
			    ('all', 'named')),
	accounts	text[] NOT NULL DEFAULT '{}' CHECK
			    (api_accounts_plain(accounts)),
	version		integer NOT NULL DEFAULT 1,	-- 1: as it was made
	created_at	timestamptz NOT NULL DEFAULT now(),
	changed_at	timestamptz NOT NULL DEFAULT now(),
	changed_by	uuid REFERENCES account,	-- NULL: as it was made
	CONSTRAINT api_role_tenant UNIQUE (id, tenant_id),
	CONSTRAINT api_role_name UNIQUE (tenant_id, name_folded),
	CONSTRAINT api_role_scope CHECK
	    ((scope = 'named') = (cardinality(accounts) > 0))
);
CREATE UNIQUE INDEX api_role_preset ON api_role (tenant_id, preset)
	WHERE preset IS NOT NULL;

CREATE TABLE api_role_grant (
	role_id		uuid NOT NULL,
	tenant_id	uuid NOT NULL,
	-- A resource that goes takes its permissions along.
	resource_id	uuid NOT NULL REFERENCES product_resource
			    ON DELETE CASCADE,
	operation	text NOT NULL CHECK (operation IN
			    ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
	PRIMARY KEY (role_id, resource_id, operation),
	FOREIGN KEY (role_id, tenant_id) REFERENCES api_role (id, tenant_id)
	    ON DELETE CASCADE
);
CREATE INDEX api_role_grant_resource ON api_role_grant (resource_id);

-- Nobody grants what no product of the tenant includes.
CREATE FUNCTION api_role_grant_included() RETURNS trigger
	LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM product_resource p JOIN subscription s
	    ON s.product_id = p.product_id AND s.tenant_id = NEW.tenant_id
	    AND s.state IN ('active', 'suspended')
	    WHERE p.id = NEW.resource_id
	    AND NEW.operation = ANY (p.operations)) THEN
		RAISE EXCEPTION 'api_role_grant_included'
		    USING ERRCODE = 'LK040';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER api_role_grant_included BEFORE INSERT ON api_role_grant
	FOR EACH ROW EXECUTE FUNCTION api_role_grant_included();

-- The three roles that every tenant begins with.  They are filled with the
-- first subscription to each product, unless somebody changed them before; what
-- a product is given later is nobody's until it is ticked.
CREATE FUNCTION api_role_begin(p_tenant uuid) RETURNS void
	LANGUAGE sql AS $$
	INSERT INTO api_role (id, tenant_id, preset, name, name_folded)
	SELECT uuid_v7(), p_tenant, v.preset, v.name, lower(v.name)
	FROM (VALUES ('read-only', 'Read-only'), ('billing', 'Billing'),
	    ('full', 'Full access')) AS v (preset, name)
$$;
CREATE FUNCTION api_role_fill(p_tenant uuid, p_product uuid) RETURNS void
	LANGUAGE sql AS $$
	INSERT INTO api_role_grant (role_id, tenant_id, resource_id, operation)
	SELECT r.id, r.tenant_id, p.id, o.operation
	FROM api_role r JOIN product_resource p ON p.product_id = p_product,
	    unnest(p.operations) AS o (operation)
	WHERE r.tenant_id = p_tenant AND r.version = 1
	AND CASE r.preset WHEN 'read-only' THEN o.operation = 'GET'
	    WHEN 'billing' THEN p.path || '/' LIKE '/billing/%'
	    WHEN 'full' THEN true ELSE false END
	ON CONFLICT DO NOTHING
$$;
CREATE FUNCTION tenant_api_roles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM api_role_begin(NEW.id);
	RETURN NULL;
END $$;
CREATE TRIGGER tenant_api_roles AFTER INSERT ON tenant
	FOR EACH ROW EXECUTE FUNCTION tenant_api_roles();
CREATE FUNCTION subscription_api_roles() RETURNS trigger
	LANGUAGE plpgsql AS $$
BEGIN
	PERFORM api_role_fill(NEW.tenant_id, NEW.product_id);
	RETURN NULL;
END $$;
CREATE TRIGGER subscription_api_roles AFTER INSERT ON subscription
	FOR EACH ROW WHEN (NEW.state IN ('active', 'suspended'))
	EXECUTE FUNCTION subscription_api_roles();

SELECT api_role_begin(id) FROM tenant;
SELECT api_role_fill(tenant_id, product_id) FROM subscription
	WHERE state IN ('active', 'suspended');

-- What roles together allow with a product, in its one canonical form: a line
-- for each resource in the order of the paths' bytes, each ended by a line
-- feed; the path, then " OPERATION=SCOPE" for what is allowed, in the order
-- GET POST PUT PATCH DELETE; the scope is "all", or account numbers in the
-- order of their bytes, parted by commas.  Resources of which nothing is
-- allowed are there, too: the longest path that fits a call decides.  What the
-- product no longer offers is left out.
CREATE FUNCTION api_matrix(p_roles uuid[], p_product uuid) RETURNS text
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
-- By which sets of permissions are told apart: equal hash, equal set.
CREATE FUNCTION api_matrix_hash(p_matrix text) RETURNS bytea
	LANGUAGE sql IMMUTABLE AS $$
	SELECT sha256(convert_to(p_matrix, 'UTF8'))
$$;

GRANT SELECT, INSERT, DELETE ON api_role, api_role_grant TO latchkey_app;
GRANT UPDATE (name, name_folded, scope, accounts, version, changed_at,
	changed_by) ON api_role TO latchkey_app;

COMMIT;
