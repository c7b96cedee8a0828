-- Who did what to what.  Rows hold ids, codes and enumerations only: names and
-- addresses stand in side tables (person) that can be erased.  The portal's
-- role can call audit_write() and read; nobody can change or delete a row.
BEGIN;

GRANT USAGE ON SCHEMA sqitch TO latchkey_app, latchkey_courier;
GRANT SELECT ON sqitch.changes TO latchkey_app, latchkey_courier;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO latchkey_app, latchkey_courier;

CREATE TABLE audit (
	id		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at		timestamptz NOT NULL DEFAULT clock_timestamp(),
	tenant_id	uuid,
	actor_kind	text NOT NULL CHECK (actor_kind IN
			    ('account', 'visitor', 'operator', 'system')),
	actor_id	uuid,
	action		text NOT NULL CHECK (action ~ '^[a-z_]+(\.[a-z_]+)+$'),
	subject_kind	text NOT NULL CHECK (subject_kind ~ '^[a-z_]+$'),
	subject_id	uuid NOT NULL,
	detail		jsonb NOT NULL DEFAULT '{}',
	CONSTRAINT audit_actor CHECK
	    ((actor_kind = 'account') = (actor_id IS NOT NULL))
);
CREATE INDEX audit_tenant ON audit (tenant_id, id DESC);
CREATE INDEX audit_subject ON audit (subject_id, id DESC);

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'audit rows are never changed' USING ERRCODE = 'LK001';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
	FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- Writes one row, in the statement whose change it tells of, and returns its
-- number.  The outer query must read that number, or the call never runs.
CREATE FUNCTION audit_write(p_tenant uuid, p_actor_kind text, p_actor uuid,
	p_action text, p_subject_kind text, p_subject uuid,
	p_detail jsonb DEFAULT '{}') RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	v_id	bigint;
BEGIN
	IF EXISTS (SELECT FROM jsonb_each_text(p_detail) AS d(name, value)
	    WHERE name !~ '^[a-z_0-9]{1,32}$'
	    OR value !~ '^[A-Za-z0-9._:-]{0,64}$') THEN
		RAISE EXCEPTION 'audit detail holds more than ids, codes and numbers'
		    USING ERRCODE = 'LK002';
	END IF;
	INSERT INTO audit (tenant_id, actor_kind, actor_id, action,
	    subject_kind, subject_id, detail)
	VALUES (p_tenant, p_actor_kind, p_actor, p_action,
	    p_subject_kind, p_subject, jsonb_strip_nulls(p_detail))
	RETURNING id INTO v_id;
	RETURN v_id;
END $$;
REVOKE ALL ON FUNCTION audit_write FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_write TO latchkey_app, latchkey_courier;
GRANT SELECT ON audit TO latchkey_app;

COMMIT;
