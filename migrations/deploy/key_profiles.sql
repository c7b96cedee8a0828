-- Five ways to hand out keys, one model.  A product has a key profile, which is
-- data: how a call carries a key, who makes keys, how one is shown, what can be
-- done with it.  What a key opens hangs on a subscription (tenant, product,
-- environment) whatever the profile; its values stand in subscription_key.
BEGIN;

CREATE TABLE key_profile (
	name		text PRIMARY KEY CHECK (name ~ '^[a-z][a-z-]{2,31}$'),
	place		integer NOT NULL UNIQUE,
	title		text NOT NULL,
	summary		text NOT NULL,
	-- A primary and a secondary value, which can be shown again; otherwise
	-- issued_key, each with one value.
	is_pair		boolean NOT NULL DEFAULT false,
	-- How a call carries it; '' is not at all.  With takes_token a key is
	-- exchanged for a token, which is sent as Authorization: Bearer.
	key_header	text NOT NULL CHECK (key_header ~ '^[A-Za-z-]{0,40}$'),
	key_query	text NOT NULL DEFAULT '',
	takes_token	boolean NOT NULL DEFAULT false,
	-- Where a call must name the tenant, and by what.
	tenant_header	text NOT NULL DEFAULT '' CHECK
			    (tenant_header ~ '^[A-Za-z-]{0,40}$'),
	tenant_by	text NOT NULL DEFAULT '' CHECK (tenant_by IN
			    ('', 'slug', 'host')),
	missing_status	integer NOT NULL DEFAULT 401 CHECK
			    (missing_status IN (401, 403)),
	unknown_status	integer NOT NULL DEFAULT 401 CHECK
			    (unknown_status IN (401, 403)),
	-- request: with its approval.  people: everybody of the tenant.
	-- administrators: owners and managers.  granted: owners, and whom an
	-- owner has let (membership.makes_keys).  staff: at a client's request.
	makers		text NOT NULL CHECK (makers IN ('request', 'people',
			    'administrators', 'granted', 'staff')),
	-- none: API users say it.  picked: of the product's, for each key.
	-- maker: all that its maker may.
	scopes		text NOT NULL CHECK (scopes IN
			    ('none', 'picked', 'maker')),
	-- Never more than its maker may at the time of the call.
	within_maker	boolean NOT NULL DEFAULT false,
	reveal		text NOT NULL CHECK (reveal IN
			    ('show', 'once', 'hand-over')),
	-- Of the value's text: type, and whether a letter of the environment
	-- follows; how many characters lists show of its beginning.
	letters		text NOT NULL DEFAULT '' CHECK
			    (letters ~ '^([a-z]{2})?$'),
	env_letter	boolean NOT NULL DEFAULT false,
	shows_first	integer NOT NULL DEFAULT 0 CHECK
			    (shows_first BETWEEN 0 AND 12),
	-- Of each key, where product and key don't say otherwise; NULL: none.
	key_calls_a_minute integer CHECK (key_calls_a_minute > 0),
	-- What Regenerate offers, in seconds; -1: until the client ends it.
	overlaps_s	integer[] NOT NULL DEFAULT '{}',
	can_pause	boolean NOT NULL DEFAULT false,
	can_delete	boolean NOT NULL DEFAULT false,
	can_revoke	boolean NOT NULL DEFAULT false,
	can_expire	boolean NOT NULL DEFAULT false,
	-- The words under which clients find their keys.
	menu		text[] NOT NULL CHECK (cardinality(menu) BETWEEN 1 AND 3),
	CONSTRAINT key_profile_pair CHECK
	    (is_pair = (makers = 'request') AND is_pair = (letters = '')),
	CONSTRAINT key_profile_tenant CHECK
	    ((tenant_header = '') = (tenant_by = '')),
	CONSTRAINT key_profile_carried CHECK (takes_token = (key_header = ''))
);
INSERT INTO key_profile (name, place, title, summary, is_pair, key_header,
	key_query, makers, scopes, reveal, menu)
VALUES ('subscription-pair', 1, 'Subscription key pair',
	'One primary and one secondary key for the whole client, after approval. '
	'API users say what each integration may do.', true,
	'Ocp-Apim-Subscription-Key', 'subscription-key', 'request', 'none',
	'show', '{Profile,Show key}');
INSERT INTO key_profile (name, place, title, summary, key_header,
	tenant_header, tenant_by, makers, scopes, within_maker, reveal, letters,
	shows_first, key_calls_a_minute, can_pause, can_delete, can_expire, menu)
VALUES ('user-key', 2, 'Keys of people',
	'Everybody makes keys of their own, with a part of their own '
	'permissions. A key never does more than its maker may.', 'X-Api-Key',
	'X-Tenant-Name', 'slug', 'people', 'picked', true, 'once', 'ca', 12, 200,
	true, true, true, '{API Keys}');
INSERT INTO key_profile (name, place, title, summary, key_header, takes_token,
	tenant_header, tenant_by, makers, scopes, within_maker, reveal, letters,
	shows_first, key_calls_a_minute, can_pause, can_revoke, can_expire, menu)
VALUES ('exchange', 3, 'Keys that are exchanged for tokens',
	'Administrators make keys that carry their own permissions. Programs '
	'exchange a key for a token that lasts some minutes.', '', true,
	'X-Revio-Host', 'host', 'administrators', 'maker', true, 'once', 'xk', 8,
	200, true, true, true, '{Admin,API Management}');
INSERT INTO key_profile (name, place, title, summary, key_header, makers,
	scopes, reveal, letters, env_letter, shows_first, key_calls_a_minute,
	overlaps_s, can_revoke, can_expire, menu)
VALUES ('support-issued', 4, 'Keys that staff issue',
	'Clients ask for a key in an environment with the permissions that they '
	'need. Staff issue it; a link delivers it once.', 'X-Api-Key', 'staff',
	'picked', 'hand-over', 'ak', true, 8, 200, '{-1}', true, true,
	'{API Keys}');
INSERT INTO key_profile (name, place, title, summary, key_header,
	missing_status, unknown_status, makers, scopes, reveal, letters,
	shows_first, key_calls_a_minute, overlaps_s, can_revoke, menu)
VALUES ('partner-key', 5, 'Partner keys with scopes',
	'People whom an owner has granted it make keys for the whole client, '
	'each with the scopes that its integration needs.', 'x-api-key', 403,
	403, 'granted', 'picked', 'once', 'pk', 8, 200, '{0,86400}', true,
	'{Settings,Integrations,Developer}');

ALTER TABLE product
	ADD COLUMN profile text NOT NULL DEFAULT 'subscription-pair'
	    REFERENCES key_profile,
	ADD COLUMN key_calls_a_minute integer CHECK (key_calls_a_minute > 0);

-- Pairs and issued keys are different things: a product changes between them
-- only while nobody has a live subscription.  Whoever makes one holds the
-- product's row.
CREATE FUNCTION product_profile_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT is_pair FROM key_profile WHERE name = NEW.profile) <>
	    (SELECT is_pair FROM key_profile WHERE name = OLD.profile)
	    AND EXISTS (SELECT FROM subscription s WHERE s.product_id = NEW.id
	    AND s.state IN ('active', 'suspended')) THEN
		RAISE EXCEPTION 'product_profile_kind' USING ERRCODE = 'LK031';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER product_profile_kind BEFORE UPDATE OF profile ON product
	FOR EACH ROW WHEN (NEW.profile <> OLD.profile)
	EXECUTE FUNCTION product_profile_kind();

-- ---- scopes ----

-- Words of a product that stand for what its resources offer: the same cells
-- that roles are made of.
CREATE TABLE product_scope (
	id		uuid PRIMARY KEY,
	product_id	uuid NOT NULL REFERENCES product ON DELETE CASCADE,
	word		text NOT NULL CHECK (word ~ '^[a-z0-9:._-]{3,64}$'),
	description	text NOT NULL DEFAULT '' CHECK
			    (length(description) <= 200),
	place		integer NOT NULL,
	CONSTRAINT product_scope_word UNIQUE (product_id, word),
	CONSTRAINT product_scope_product UNIQUE (id, product_id)
);
CREATE TABLE product_scope_grant (
	scope_id	uuid NOT NULL REFERENCES product_scope ON DELETE CASCADE,
	resource_id	uuid NOT NULL REFERENCES product_resource
			    ON DELETE CASCADE,
	operation	text NOT NULL CHECK (operation IN
			    ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
	PRIMARY KEY (scope_id, resource_id, operation)
);
CREATE INDEX product_scope_grant_resource ON product_scope_grant (resource_id);

-- ---- people's permissions ----

-- What a person of a tenant may: roles of the same catalogue as API users have.
-- Owners may everything.
CREATE TABLE membership_role (
	account_id	uuid NOT NULL REFERENCES membership ON DELETE CASCADE,
	role_id		uuid NOT NULL,
	tenant_id	uuid NOT NULL,
	PRIMARY KEY (account_id, role_id),
	FOREIGN KEY (role_id, tenant_id) REFERENCES api_role (id, tenant_id)
	    ON DELETE CASCADE DEFERRABLE
);
CREATE INDEX membership_role_role ON membership_role (role_id);
-- An owner lets somebody make keys for the whole client (makers: granted).
ALTER TABLE membership ADD COLUMN makes_keys boolean NOT NULL DEFAULT false;

CREATE FUNCTION person_cells(p_account uuid, p_tenant uuid, p_product uuid)
	RETURNS TABLE (resource_id uuid, operation text, scope text)
	LANGUAGE sql STABLE AS $$
	SELECT p.id, o.operation, 'all'
	FROM membership m JOIN account a ON a.id = m.account_id
	    AND a.state = 'active'
	JOIN product_resource p ON p.product_id = p_product,
	    unnest(p.operations) AS o (operation)
	WHERE m.account_id = p_account AND m.tenant_id = p_tenant
	AND m.role = 'owner'
	UNION ALL
	SELECT g.resource_id, g.operation,
	    CASE WHEN bool_or(r.scope = 'all') THEN 'all'
	    ELSE string_agg(DISTINCT x.account COLLATE "C", ','
		ORDER BY x.account COLLATE "C") END
	FROM membership m JOIN account a ON a.id = m.account_id
	    AND a.state = 'active'
	JOIN membership_role mr ON mr.account_id = m.account_id
	    AND mr.tenant_id = m.tenant_id
	JOIN api_role r ON r.id = mr.role_id
	JOIN api_role_grant g ON g.role_id = r.id
	JOIN product_resource p ON p.id = g.resource_id
	    AND p.product_id = p_product AND g.operation = ANY (p.operations)
	LEFT JOIN LATERAL unnest(r.accounts) AS x (account) ON true
	WHERE m.account_id = p_account AND m.tenant_id = p_tenant
	AND m.role <> 'owner'
	GROUP BY g.resource_id, g.operation
$$;

-- ---- keys ----

CREATE TABLE issued_key (
	id		uuid PRIMARY KEY,
	subscription_id	uuid NOT NULL REFERENCES subscription,
	name		text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
	name_folded	text NOT NULL,
	-- Who made it, or asked for it; the tenant owns it.
	maker_id	uuid NOT NULL REFERENCES account,
	-- pending: issued, not yet fetched.
	state		text NOT NULL CHECK (state IN ('pending', 'active',
			    'inactive', 'revoked', 'deleted')),
	calls_a_minute	integer CHECK (calls_a_minute > 0),
	expires_at	timestamptz,
	version		integer NOT NULL DEFAULT 1,
	created_at	timestamptz NOT NULL DEFAULT now(),
	state_at	timestamptz NOT NULL DEFAULT now(),
	state_by	uuid REFERENCES account,	-- NULL: the system
	state_reason	text NOT NULL DEFAULT '' CHECK
			    (length(state_reason) <= 1000),
	last_used_at	timestamptz,
	last_used_address inet
);
CREATE UNIQUE INDEX issued_key_name ON issued_key
	(subscription_id, name_folded) WHERE state NOT IN ('revoked', 'deleted');
CREATE INDEX issued_key_list ON issued_key (subscription_id, id DESC);
CREATE INDEX issued_key_maker ON issued_key (maker_id, id DESC);

CREATE TABLE issued_key_scope (
	key_id		uuid NOT NULL REFERENCES issued_key,
	scope_id	uuid NOT NULL REFERENCES product_scope
			    ON DELETE CASCADE,
	PRIMARY KEY (key_id, scope_id)
);
CREATE INDEX issued_key_scope_scope ON issued_key_scope (scope_id);

-- pending -> active <-> inactive; each -> revoked | deleted, which are ends.
CREATE FUNCTION issued_key_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id <> OLD.id OR NEW.subscription_id <> OLD.subscription_id
	    OR NEW.maker_id <> OLD.maker_id
	    OR (NEW.state <> OLD.state AND (OLD.state IN ('revoked', 'deleted')
	    OR NEW.state = 'pending'
	    OR (OLD.state = 'pending' AND NEW.state = 'inactive'))) THEN
		RAISE EXCEPTION 'issued_key_state' USING ERRCODE = 'LK042';
	END IF;
	NEW.version := OLD.version + (NEW.last_used_at IS NOT DISTINCT FROM
	    OLD.last_used_at)::integer;
	RETURN NEW;
END $$;
CREATE TRIGGER issued_key_guard BEFORE UPDATE ON issued_key
	FOR EACH ROW EXECUTE FUNCTION issued_key_guard();

-- Only for a live subscription to a product whose profile issues keys; the
-- product is held, so that its profile can't become another meanwhile.
CREATE FUNCTION issued_key_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM subscription s JOIN product p ON p.id = s.product_id
	    JOIN key_profile f ON f.name = p.profile AND NOT f.is_pair
	    WHERE s.id = NEW.subscription_id
	    AND s.state IN ('active', 'suspended') FOR SHARE OF s, p;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'issued_key_fits' USING ERRCODE = 'LK043';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER issued_key_fits BEFORE INSERT ON issued_key
	FOR EACH ROW EXECUTE FUNCTION issued_key_fits();

-- A key's scopes are of its product.
CREATE FUNCTION issued_key_scope_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM issued_key k
	    JOIN subscription s ON s.id = k.subscription_id
	    JOIN product_scope c ON c.product_id = s.product_id
	    WHERE k.id = NEW.key_id AND c.id = NEW.scope_id) THEN
		RAISE EXCEPTION 'issued_key_scope_fits' USING ERRCODE = 'LK044';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER issued_key_scope_fits BEFORE INSERT ON issued_key_scope
	FOR EACH ROW EXECUTE FUNCTION issued_key_scope_fits();

-- Values: of a slot of a pair, sealed, or of an issued key, which nobody can
-- show again.  An old value of an issued key may go on until somebody ends it.
ALTER TABLE subscription_key
	ADD COLUMN key_id uuid REFERENCES issued_key,
	-- What lists show of its beginning.
	ADD COLUMN first text NOT NULL DEFAULT '',
	ALTER COLUMN slot DROP NOT NULL,
	ALTER COLUMN sealed DROP NOT NULL,
	ADD CONSTRAINT subscription_key_kind CHECK
	    ((key_id IS NULL) = (slot IS NOT NULL)
	    AND (key_id IS NULL) = (sealed IS NOT NULL)
	    AND (key_id IS NOT NULL OR first = '')
	    AND length(first) <= 12);
CREATE UNIQUE INDEX subscription_key_issued_current ON subscription_key (key_id)
	WHERE state = 'current' AND key_id IS NOT NULL;
CREATE UNIQUE INDEX subscription_key_issued_old ON subscription_key (key_id)
	WHERE state = 'old' AND key_id IS NOT NULL;
CREATE INDEX subscription_key_issued ON subscription_key (key_id, id DESC)
	WHERE key_id IS NOT NULL;

-- What a key may now, in the one form that all sets of permissions have
-- (api_matrix): what its scopes stand for, or all, and of that what its maker
-- may where the profile says so.
CREATE FUNCTION key_matrix(p_key uuid) RETURNS text
	LANGUAGE sql STABLE AS $$
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
	    ORDER BY path COLLATE "C"), '') FROM line
$$;

-- ---- what the gateway check keeps is told ----

CREATE TRIGGER gateway_keys AFTER INSERT OR UPDATE OF state, expires_at,
	calls_a_minute ON issued_key
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_key();
CREATE FUNCTION gateway_tell_key_scope() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', s.tenant_id::text)
	    FROM issued_key k JOIN subscription s ON s.id = k.subscription_id
	    WHERE k.id = CASE TG_OP WHEN 'DELETE' THEN OLD.key_id
	    ELSE NEW.key_id END;
	RETURN NULL;
END $$;
CREATE TRIGGER gateway_keys AFTER INSERT OR DELETE ON issued_key_scope
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_key_scope();
CREATE TRIGGER gateway_keys AFTER INSERT OR DELETE ON membership_role
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_either();
CREATE TRIGGER gateway_keys AFTER DELETE ON membership
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_either();
CREATE TRIGGER gateway_keys_role AFTER UPDATE OF role, tenant_id ON membership
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_tenant();
CREATE FUNCTION gateway_tell_maker() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', m.tenant_id::text)
	    FROM membership m WHERE m.account_id = NEW.id;
	RETURN NULL;
END $$;
CREATE TRIGGER gateway_keys AFTER UPDATE OF state ON account
	FOR EACH ROW WHEN (NEW.state <> OLD.state)
	EXECUTE FUNCTION gateway_tell_maker();
CREATE TRIGGER gateway_keys AFTER INSERT OR DELETE OR UPDATE ON product_scope_grant
	FOR EACH STATEMENT EXECUTE FUNCTION gateway_tell_all();
CREATE TRIGGER gateway_keys AFTER INSERT OR DELETE OR UPDATE ON product_scope
	FOR EACH STATEMENT EXECUTE FUNCTION gateway_tell_all();
CREATE TRIGGER gateway_keys AFTER UPDATE OF profile, key_calls_a_minute
	ON product FOR EACH STATEMENT EXECUTE FUNCTION gateway_tell_all();
CREATE TRIGGER gateway_keys AFTER INSERT OR DELETE OR UPDATE ON key_profile
	FOR EACH STATEMENT EXECUTE FUNCTION gateway_tell_all();
CREATE TRIGGER gateway_keys AFTER INSERT OR DELETE ON tenant_host
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_either();
CREATE TRIGGER gateway_keys AFTER UPDATE OF slug ON tenant
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_plan();

GRANT SELECT ON key_profile TO latchkey_app, latchkey_courier;
GRANT SELECT, INSERT, DELETE ON product_scope, product_scope_grant
	TO latchkey_app;
GRANT UPDATE (description, place) ON product_scope TO latchkey_app;
GRANT SELECT, INSERT, DELETE ON membership_role, issued_key_scope
	TO latchkey_app;
GRANT SELECT, INSERT ON issued_key TO latchkey_app;
GRANT UPDATE (name, name_folded, state, calls_a_minute, expires_at, version,
	state_at, state_by, state_reason, last_used_at, last_used_address)
	ON issued_key TO latchkey_app;
GRANT SELECT ON issued_key TO latchkey_courier;

COMMIT;
