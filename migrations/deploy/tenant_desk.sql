-- tenant_desk
-- What staff keep of a client beyond its name: hosts, who may ask for it, where
-- technical notices go, former codes.  A client that is closed, or merged into
-- another, takes nothing new in; what says so stands in triggers here.
BEGIN;

ALTER TABLE tenant DROP CONSTRAINT tenant_state_check;
ALTER TABLE tenant
	ADD notices_to	text NOT NULL DEFAULT '' CHECK
			    (octet_length(notices_to) <= 254),
	ADD version	integer NOT NULL DEFAULT 1,	-- of what staff edit
	ADD ended_at	timestamptz,			-- closed or merged
	ADD ended_by	uuid REFERENCES account,
	ADD ended_why	text NOT NULL DEFAULT '',
	ADD merged_into	uuid REFERENCES tenant,
	ADD CONSTRAINT tenant_state_check CHECK
	    (state IN ('active', 'closed', 'merged')),
	ADD CONSTRAINT tenant_merged CHECK
	    ((state = 'merged') = (merged_into IS NOT NULL)),
	ADD CONSTRAINT tenant_ended CHECK
	    ((state = 'active') = (ended_at IS NULL));
CREATE INDEX tenant_merged_into ON tenant (merged_into)
	WHERE merged_into IS NOT NULL;
-- merged_into is tenant_merge()'s alone.
REVOKE UPDATE ON tenant FROM latchkey_app;
GRANT UPDATE (name, name_folded, slug, notes, notices_to, version, state,
	ended_at, ended_by, ended_why) ON tenant TO latchkey_app;

-- Names by which a client is reached: each of one client only.
CREATE TABLE tenant_host (
	host		text PRIMARY KEY CHECK (length(host) <= 253 AND host ~
	    '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$'),
	tenant_id	uuid NOT NULL REFERENCES tenant
);
CREATE INDEX tenant_host_tenant ON tenant_host (tenant_id);

-- Who may ask for the client, as it told us: a check on requests.  Compared as
-- addresses of accounts are, by person.email_folded.
CREATE TABLE tenant_designated (
	tenant_id	uuid NOT NULL REFERENCES tenant,
	email_folded	text NOT NULL,
	email		text NOT NULL CHECK (octet_length(email) <= 254),
	PRIMARY KEY (tenant_id, email_folded)
);
CREATE INDEX tenant_designated_email ON tenant_designated (email_folded);

-- Codes of clients that were merged into others.  The row of the old client
-- stays, so its code is nobody else's, and audit rows that name it can be read.
CREATE TABLE tenant_alias (
	code		text PRIMARY KEY REFERENCES tenant (code),
	tenant_id	uuid NOT NULL REFERENCES tenant,
	at		timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tenant_alias_tenant ON tenant_alias (tenant_id);

-- The client of a code, also of a former one.  Whoever looks a client up by its
-- code does so by this.
CREATE FUNCTION tenant_by_code(p_code text) RETURNS uuid
	LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
	SELECT coalesce(
	    (SELECT a.tenant_id FROM tenant_alias a WHERE a.code = p_code),
	    (SELECT t.id FROM tenant t WHERE t.code = p_code))
$$;
REVOKE ALL ON FUNCTION tenant_by_code FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_by_code TO latchkey_app, latchkey_courier;

-- Search: beginnings, and parts of three letters or more.
CREATE INDEX tenant_code_beginning ON tenant (lower(code) COLLATE "C");
CREATE INDEX tenant_folded_part ON tenant USING gin
	(name_folded gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX tenant_alias_beginning ON tenant_alias (lower(code) COLLATE "C");
CREATE INDEX tenant_alias_part ON tenant_alias USING gin
	(lower(code) gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX tenant_domain_beginning ON tenant_domain (domain COLLATE "C");
CREATE INDEX tenant_domain_part ON tenant_domain USING gin
	(domain gin_trgm_ops) WITH (fastupdate = off);

-- active <-> closed, both -> merged, which is the end.  A client is closed when
-- it has no live key and no request waits: somebody decides on those first.
-- The row is locked here, and whoever puts something in locks it as well
-- (below), so neither passes by the other.
CREATE FUNCTION tenant_state_guard() RETURNS trigger LANGUAGE plpgsql
	SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	IF OLD.state = 'merged' AND (NEW.state <> 'merged'
	    OR NEW.ended_at IS DISTINCT FROM OLD.ended_at) THEN
		RAISE EXCEPTION 'tenant_state' USING ERRCODE = 'LK012';
	END IF;
	IF NEW.state = 'closed' AND OLD.state = 'active' THEN
		IF EXISTS (SELECT FROM subscription WHERE tenant_id = NEW.id
		    AND state IN ('active', 'suspended')) THEN
			RAISE EXCEPTION 'tenant_has_key' USING ERRCODE = 'LK012';
		END IF;
		IF EXISTS (SELECT FROM request WHERE tenant_id = NEW.id
		    AND state = 'submitted') THEN
			RAISE EXCEPTION 'tenant_has_request'
			    USING ERRCODE = 'LK012';
		END IF;
	END IF;
	RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION tenant_state_guard FROM PUBLIC;
CREATE TRIGGER tenant_state_guard BEFORE UPDATE OF state, ended_at ON tenant
	FOR EACH ROW EXECUTE FUNCTION tenant_state_guard();

-- Every statement that puts something in asks for an active client itself; what
-- comes here has met a client that was closed or merged at the same moment, and
-- is told to try again: 40001, serialization_failure.
CREATE FUNCTION tenant_takes_in() RETURNS trigger LANGUAGE plpgsql
	SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM FROM tenant WHERE id = NEW.tenant_id AND state = 'active'
	    FOR SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'tenant_not_active' USING ERRCODE = '40001';
	END IF;
	RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION tenant_takes_in FROM PUBLIC;
CREATE TRIGGER tenant_takes_in BEFORE INSERT OR UPDATE OF tenant_id
	ON membership FOR EACH ROW EXECUTE FUNCTION tenant_takes_in();
CREATE TRIGGER tenant_takes_in BEFORE INSERT OR UPDATE OF tenant_id
	ON subscription FOR EACH ROW WHEN (NEW.state IN ('active', 'suspended'))
	EXECUTE FUNCTION tenant_takes_in();
CREATE TRIGGER tenant_takes_in BEFORE INSERT OR UPDATE OF tenant_id
	ON request FOR EACH ROW
	WHEN (NEW.tenant_id IS NOT NULL AND NEW.state = 'submitted')
	EXECUTE FUNCTION tenant_takes_in();
CREATE TRIGGER tenant_takes_in BEFORE INSERT OR UPDATE OF tenant_id
	ON invitation FOR EACH ROW WHEN (NEW.ended_at IS NULL)
	EXECUTE FUNCTION tenant_takes_in();
CREATE TRIGGER tenant_takes_in BEFORE INSERT OR UPDATE OF tenant_id
	ON seating FOR EACH ROW WHEN (NEW.ended_at IS NULL)
	EXECUTE FUNCTION tenant_takes_in();

GRANT SELECT, INSERT, DELETE ON tenant_host, tenant_designated TO latchkey_app;
GRANT SELECT ON tenant_alias TO latchkey_app;
GRANT SELECT ON tenant_alias, tenant_host, tenant_designated
	TO latchkey_courier;

COMMIT;
