-- As it was, but that a role that a client began with stays for the people who
-- have it, as for API users, when the client becomes part of another.
BEGIN;

CREATE OR REPLACE FUNCTION tenant_merge(p_from uuid, p_into uuid, p_by uuid, p_why text)
	RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	v_code	text;
	v_key	record;
	v_keys	text;
BEGIN
	-- Whoever puts something into one of them waits here, or is waited for.
	PERFORM FROM tenant WHERE id IN (p_from, p_into) ORDER BY id FOR UPDATE;
	SELECT f.code INTO v_code FROM tenant f, tenant i
	    WHERE f.id = p_from AND f.state <> 'merged'
	    AND i.id = p_into AND i.state = 'active' AND f.id <> i.id;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	IF EXISTS (SELECT FROM subscription f JOIN subscription i
	    ON i.tenant_id = p_into AND i.environment = f.environment
	    AND i.state IN ('active', 'suspended')
	    AND (i.product_id = f.product_id OR (i.one_key AND f.one_key))
	    WHERE f.tenant_id = p_from
	    AND f.state IN ('active', 'suspended')) THEN
		RAISE EXCEPTION 'tenant_merge_keys' USING ERRCODE = 'LK013';
	END IF;
	IF EXISTS (SELECT FROM request f JOIN request i
	    ON i.tenant_id = p_into AND i.environment = f.environment
	    AND i.state = 'submitted'
	    WHERE f.tenant_id = p_from AND f.state = 'submitted') THEN
		RAISE EXCEPTION 'tenant_merge_requests' USING ERRCODE = 'LK013';
	END IF;
	IF EXISTS (SELECT FROM api_user f JOIN api_user i
	    ON i.tenant_id = p_into AND i.username = f.username
	    AND i.state <> 'deleted'
	    WHERE f.tenant_id = p_from AND f.state <> 'deleted') THEN
		RAISE EXCEPTION 'tenant_merge_users' USING ERRCODE = 'LK013';
	END IF;

	UPDATE tenant_alias SET tenant_id = p_into WHERE tenant_id = p_from;
	INSERT INTO tenant_alias (code, tenant_id) VALUES (v_code, p_into);
	UPDATE tenant SET merged_into = p_into WHERE merged_into = p_from;
	UPDATE tenant SET state = 'merged', merged_into = p_into,
	    ended_at = now(), ended_by = p_by, ended_why = p_why,
	    version = version + 1 WHERE id = p_from;

	-- What both have.
	DELETE FROM tenant_domain f USING tenant_domain i
	    WHERE f.tenant_id = p_from AND i.tenant_id = p_into
	    AND i.domain = f.domain;
	DELETE FROM tenant_designated f USING tenant_designated i
	    WHERE f.tenant_id = p_from AND i.tenant_id = p_into
	    AND i.email_folded = f.email_folded;
	UPDATE invitation f SET ended_at = now(), ending = 'replaced'
	    FROM invitation i WHERE f.tenant_id = p_from
	    AND f.ended_at IS NULL AND i.tenant_id = p_into
	    AND i.ended_at IS NULL AND i.email_folded = f.email_folded;
	UPDATE request_consent f SET tenant_id = p_into
	    WHERE f.tenant_id = p_from AND NOT EXISTS (SELECT
	    FROM request_consent i WHERE i.request_id = f.request_id
	    AND i.tenant_id = p_into);
	-- A deleted user's name is held no longer where the other has one of it.
	UPDATE api_user f SET name_held = false FROM api_user i
	    WHERE f.state = 'deleted' AND f.name_held
	    AND i.username = f.username AND i.name_held
	    AND ((f.tenant_id = p_from AND i.tenant_id = p_into)
	    OR (f.tenant_id = p_into AND i.tenant_id = p_from
	    AND i.state <> 'deleted'));
	-- Both have the roles that a client begins with.
	DELETE FROM api_role f WHERE f.tenant_id = p_from
	    AND f.preset IS NOT NULL AND f.version = 1
	    AND NOT EXISTS (SELECT FROM api_user_role u WHERE u.role_id = f.id)
	    AND NOT EXISTS (SELECT FROM membership_role m
	    WHERE m.role_id = f.id);
	UPDATE api_role f SET preset = NULL, version = f.version + 1,
	    name = left(f.name, 37 - length(v_code)) || ' (' || v_code || ')',
	    name_folded = left(f.name_folded, 37 - length(v_code))
		|| ' (' || lower(v_code) || ')'
	    WHERE f.tenant_id = p_from AND (f.preset IS NOT NULL
	    OR EXISTS (SELECT FROM api_role i WHERE i.tenant_id = p_into
	    AND i.name_folded = f.name_folded));

	-- What lets its people in to the other is the reason that staff gave.
	UPDATE membership SET let_in_by = 'reason' WHERE tenant_id = p_from;
	-- All tables whose rows are a tenant's, those that come later as well.
	SELECT string_agg(quote_ident(c.conname), ', ') INTO v_keys
	    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid
	    AND a.attnum = ANY (c.conkey) AND a.attname = 'tenant_id'
	    WHERE c.contype = 'f' AND c.condeferrable
	    AND c.connamespace = 'public'::regnamespace;
	EXECUTE 'SET CONSTRAINTS ' || v_keys || ' DEFERRED';
	FOR v_key IN SELECT DISTINCT c.conrelid::regclass::text AS name
	    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid
	    AND a.attnum = ANY (c.conkey) AND a.attname = 'tenant_id'
	    WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
	    AND c.conrelid NOT IN ('tenant_alias'::regclass,
	    'request_consent'::regclass) ORDER BY 1 LOOP
		EXECUTE format('UPDATE %s SET tenant_id = $1 '
		    'WHERE tenant_id = $2', v_key.name) USING p_into, p_from;
	END LOOP;
	EXECUTE 'SET CONSTRAINTS ' || v_keys || ' IMMEDIATE';
	PERFORM api_role_fill(p_into, s.product_id) FROM subscription s
	    WHERE s.tenant_id = p_into AND s.state IN ('active', 'suspended');
	RETURN true;
END $$;

COMMIT;
