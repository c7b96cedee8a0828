-- Audit rows form chains: each row's hash covers the row and the hash before
-- it, one chain ("lane") a tenant, and 16 for rows without tenant, so that
-- sign-ins don't wait for one another.  Who changes, moves or takes out a row
-- behind our back breaks the chain; `latchkeyctl audit verify` finds where.
--
-- audit_write() puts the row down at once; the number and the hash come from
-- the lane's head by UPDATE ... RETURNING when the transaction commits, in a
-- deferred trigger: by then every other lock of the transaction is held, and
-- it takes the heads of all its rows in the order of lanes.  So no statement,
-- in whatever order it writes its rows, waits for a lock while it holds a
-- head, and two that write for the same tenants never wait for each other in a
-- circle.  (Hashing "the last row" without the head's lock forks.)
BEGIN;

CREATE TABLE audit_head (
	lane		uuid PRIMARY KEY,	-- a tenant, or 1 to 16
	n		bigint NOT NULL CHECK (n > 0),
	hash		bytea NOT NULL CHECK (length(hash) = 32)
) WITH (fillfactor = 50);

CREATE TABLE audit_link (
	lane		uuid NOT NULL,
	n		bigint NOT NULL CHECK (n > 0),	-- 1, 2, 3 ... in its lane
	audit_id	bigint NOT NULL,
	hash		bytea NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (lane, n)
);
CREATE UNIQUE INDEX audit_link_row ON audit_link (audit_id);

CREATE FUNCTION audit_lane(p_tenant uuid, p_id bigint) RETURNS uuid
	LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(p_tenant,
	    ('00000000-0000-0000-0000-0000000000'
	    || lpad(to_hex((p_id & 15) + 1), 2, '0'))::uuid)
$$;

-- SHA-256 of these lines, joined by line feeds; none of them can hold one.
-- app/audit/chain.c makes the same text.
CREATE FUNCTION audit_hash(p_lane uuid, p_n bigint, p_before bytea, a audit)
	RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT sha256(convert_to('latchkey audit 1' || E'\n'
	    || p_lane::text || E'\n' || p_n::text || E'\n'
	    || encode(p_before, 'hex') || E'\n' || a.id::text || E'\n'
	    || (extract(epoch FROM a.at) * 1000000)::bigint::text || E'\n'
	    || coalesce(a.tenant_id::text, '') || E'\n'
	    || a.actor_kind || E'\n'
	    || coalesce(a.actor_id::text, '') || E'\n'
	    || a.action || E'\n' || a.subject_kind || E'\n'
	    || a.subject_id::text || E'\n' || a.detail::text, 'UTF8'))
$$;

-- Puts one row at the end of its lane, whose head stays locked.
CREATE FUNCTION audit_append(a audit) RETURNS void
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
	v_lane	uuid := audit_lane(a.tenant_id, a.id);
	v_head	audit_head;
BEGIN
	UPDATE audit_head AS h
	    SET n = h.n + 1, hash = audit_hash(h.lane, h.n + 1, h.hash, a)
	    WHERE h.lane = v_lane RETURNING h.* INTO v_head;
	IF NOT FOUND THEN
		INSERT INTO audit_head AS h (lane, n, hash)
		    VALUES (v_lane, 1, audit_hash(v_lane, 1, '', a))
		    ON CONFLICT (lane) DO UPDATE SET n = h.n + 1,
		    hash = audit_hash(h.lane, h.n + 1, h.hash, a)
		    RETURNING h.* INTO v_head;
	END IF;
	INSERT INTO audit_link (lane, n, audit_id, hash)
	    VALUES (v_lane, v_head.n, a.id, v_head.hash);
END $$;

-- The first row's turn takes all rows of the transaction; the others find
-- themselves done.  Rows of a subtransaction bear another xmin: each of those
-- is appended at its own turn.
CREATE FUNCTION audit_chain() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	v_row	audit;
	v_last	bigint;
BEGIN
	IF EXISTS (SELECT FROM audit_link WHERE audit_id = NEW.id) THEN
		RETURN NULL;
	END IF;
	SELECT last_value INTO v_last FROM audit_id_seq;
	IF v_last = NEW.id THEN
		PERFORM audit_append(NEW);
		RETURN NULL;
	END IF;
	FOR v_row IN SELECT a.* FROM audit AS a
	    WHERE a.id BETWEEN NEW.id AND v_last
	    AND (a.id = NEW.id OR a.xmin = pg_current_xact_id()::xid)
	    AND NOT EXISTS (SELECT FROM audit_link AS l
	    WHERE l.audit_id = a.id)
	    ORDER BY audit_lane(a.tenant_id, a.id), a.id
	LOOP
		PERFORM audit_append(v_row);
	END LOOP;
	RETURN NULL;
END $$;

-- What is there already, in the order of ids.
DO $$
DECLARE
	v_row	audit;
BEGIN
	FOR v_row IN SELECT a.* FROM audit AS a ORDER BY a.id LOOP
		PERFORM audit_append(v_row);
	END LOOP;
END $$;

CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON audit
	DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER audit_link_append_only
	BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link
	FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_append_only BEFORE DELETE OR TRUNCATE ON audit_head
	FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- Heads go to the courier's log, every minute those that changed: what was
-- written last of each lane, and the line's own chain.
CREATE TABLE audit_exported (
	lane		uuid PRIMARY KEY,
	n		bigint NOT NULL
);
CREATE TABLE audit_export (
	one		boolean PRIMARY KEY DEFAULT true CHECK (one),
	lines		bigint NOT NULL DEFAULT 0,
	digest		text NOT NULL DEFAULT '',	-- of the last line
	at		timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO audit_export DEFAULT VALUES;

REVOKE ALL ON FUNCTION audit_lane, audit_hash, audit_append, audit_chain
	FROM PUBLIC;
GRANT SELECT ON audit_head, audit_link TO latchkey_app;
GRANT SELECT ON audit_head TO latchkey_courier;
GRANT SELECT, INSERT, UPDATE ON audit_exported TO latchkey_courier;
GRANT SELECT, UPDATE ON audit_export TO latchkey_courier;

COMMIT;
