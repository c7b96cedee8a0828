-- What may become of a request, a subscription and a key is said here, once
-- and for all programs: which state may follow which, and which columns may
-- change.  Who owns the tables may load and mend history (lifecycle_lifted);
-- the steps from state to state bind the owner, too.
BEGIN;

CREATE FUNCTION lifecycle_lifted(p_table oid) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT pg_get_userbyid(relowner) = current_user FROM pg_class
	WHERE oid = p_table
$$;

-- Every step that there is; a state without a row here is an end.
CREATE FUNCTION lifecycle_step(p_what text, p_from text, p_to text)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p_from = p_to OR (p_what, p_from, p_to) IN (VALUES
		('request', 'submitted', 'approved'),
		('request', 'submitted', 'shared'),
		('request', 'submitted', 'rejected'),
		('request', 'submitted', 'withdrawn'),
		('subscription', 'active', 'suspended'),
		('subscription', 'suspended', 'active'),
		('subscription', 'active', 'expired'),
		('subscription', 'active', 'cancelled'),
		('subscription', 'suspended', 'expired'),
		('subscription', 'suspended', 'cancelled'),
		('key', 'current', 'old'),
		('key', 'current', 'ended'),
		('key', 'old', 'ended'))
$$;

-- ---- requests ------------------------------------------------------------

CREATE OR REPLACE FUNCTION request_guard() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	IF NOT lifecycle_step('request', OLD.state, NEW.state) THEN
		RAISE EXCEPTION 'request_state' USING ERRCODE = 'LK021';
	END IF;
	IF (NEW.id, NEW.account_id, NEW.product_id, NEW.environment, NEW.name,
	    NEW.client_folded, NEW.submitted_at) IS DISTINCT FROM
	    (OLD.id, OLD.account_id, OLD.product_id, OLD.environment, OLD.name,
	    OLD.client_folded, OLD.submitted_at)
	    -- What was decided stays as it was decided.
	    OR (OLD.state <> 'submitted' AND
	    (NEW.decided_at, NEW.decided_by, NEW.reason, NEW.tenant_id,
	    NEW.subscription_id) IS DISTINCT FROM
	    (OLD.decided_at, OLD.decided_by, OLD.reason, OLD.tenant_id,
	    OLD.subscription_id))
	    -- While it is open, it is of the client that its contact is of.
	    OR (NEW.state = 'submitted' AND NEW.tenant_id IS DISTINCT FROM
	    OLD.tenant_id AND NEW.tenant_id IS DISTINCT FROM (SELECT tenant_id
	    FROM membership WHERE account_id = NEW.account_id)) THEN
		IF NOT lifecycle_lifted(TG_RELID) THEN
			RAISE EXCEPTION 'request_column'
			    USING ERRCODE = 'LK022';
		END IF;
	END IF;
	RETURN NEW;
END $$;

-- A request begins as submitted, and as the client's whose contact asks: so
-- the index request_one_open_tenant can't be passed by saying nothing of the
-- client.  The account's row is held, so that a contact who is let in at the
-- same moment is seen here, or this request there.
CREATE FUNCTION request_begin() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	IF lifecycle_lifted(TG_RELID) THEN
		RETURN NEW;
	END IF;
	IF NEW.state <> 'submitted' THEN
		RAISE EXCEPTION 'request_state' USING ERRCODE = 'LK021';
	END IF;
	PERFORM FROM account WHERE id = NEW.account_id FOR SHARE;
	NEW.tenant_id := (SELECT tenant_id FROM membership
	    WHERE account_id = NEW.account_id);
	RETURN NEW;
END $$;
CREATE TRIGGER request_begin BEFORE INSERT ON request
	FOR EACH ROW EXECUTE FUNCTION request_begin();

-- Who is let in brings the open requests along.  Where the client has one
-- already, the newcomer's ends: two would ask for the same key.
CREATE FUNCTION membership_requests() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
DECLARE
	v_open	request;
BEGIN
	PERFORM FROM account WHERE id = NEW.account_id FOR NO KEY UPDATE;
	FOR v_open IN SELECT * FROM request WHERE account_id = NEW.account_id
	    AND state = 'submitted' AND tenant_id IS DISTINCT FROM NEW.tenant_id
	    ORDER BY submitted_at, id FOR UPDATE LOOP
		IF NOT EXISTS (SELECT FROM request
		    WHERE tenant_id = NEW.tenant_id AND state = 'submitted'
		    AND environment = v_open.environment) THEN
			UPDATE request SET tenant_id = NEW.tenant_id
			    WHERE id = v_open.id;
			CONTINUE;
		END IF;
		UPDATE request SET state = 'withdrawn', decided_at = now(),
		    tenant_id = NEW.tenant_id WHERE id = v_open.id;
		PERFORM audit_write(NEW.tenant_id, 'system', NULL,
		    'request.withdrawn', 'request', v_open.id);
		PERFORM mail_queue('request_withdrawn', NEW.account_id, NULL,
		    jsonb_build_object('request_id', v_open.id,
		    'request_name', v_open.name, 'product', (SELECT name
		    FROM product WHERE id = v_open.product_id)));
	END LOOP;
	RETURN NULL;
END $$;
CREATE TRIGGER membership_requests AFTER INSERT OR UPDATE OF tenant_id
	ON membership FOR EACH ROW EXECUTE FUNCTION membership_requests();

-- ---- subscriptions -------------------------------------------------------

ALTER TABLE subscription
	-- Since when expires_at stands: earlier reminders are not due.
	ADD COLUMN expiry_set_at timestamptz;

CREATE OR REPLACE FUNCTION subscription_guard() RETURNS trigger
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	IF NOT lifecycle_step('subscription', OLD.state, NEW.state) THEN
		RAISE EXCEPTION 'subscription_state' USING ERRCODE = 'LK020';
	END IF;
	IF ((NEW.id, NEW.tenant_id, NEW.product_id, NEW.environment,
	    NEW.one_key, NEW.name, NEW.created_at, NEW.approved_by)
	    IS DISTINCT FROM
	    (OLD.id, OLD.tenant_id, OLD.product_id, OLD.environment,
	    OLD.one_key, OLD.name, OLD.created_at, OLD.approved_by)
	    -- An end is an end.
	    OR (OLD.state IN ('expired', 'cancelled') AND
	    (NEW.expires_at, NEW.expiry_set_at, NEW.ended_at) IS DISTINCT FROM
	    (OLD.expires_at, OLD.expiry_set_at, OLD.ended_at)))
	    AND NOT lifecycle_lifted(TG_RELID) THEN
		RAISE EXCEPTION 'subscription_column' USING ERRCODE = 'LK020';
	END IF;
	IF NEW.state <> OLD.state AND NEW.state IN ('expired', 'cancelled') THEN
		NEW.ended_at := now();
	END IF;
	RETURN NEW;
END $$;

CREATE FUNCTION subscription_begin() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	IF NOT lifecycle_lifted(TG_RELID) THEN
		RAISE EXCEPTION 'subscription_state' USING ERRCODE = 'LK020';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER subscription_begin BEFORE INSERT ON subscription
	FOR EACH ROW WHEN (NEW.state NOT IN ('active', 'suspended'))
	EXECUTE FUNCTION subscription_begin();

REVOKE UPDATE ON subscription FROM latchkey_app;
GRANT UPDATE (state, expires_at, expiry_set_at) ON subscription
	TO latchkey_app;

-- Lists of staff: all by id, those of a state, those that end soon.
CREATE INDEX subscription_state ON subscription (state, id DESC);
DROP INDEX subscription_expiry;
CREATE INDEX subscription_expiry ON subscription (expires_at, id)
	WHERE state IN ('active', 'suspended');

-- What was done to a subscription and its keys, by whom and why.  Typed
-- reasons stand here, not in the audit.
CREATE TABLE subscription_change (
	id		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	subscription_id	uuid NOT NULL REFERENCES subscription,
	at		timestamptz NOT NULL DEFAULT now(),
	account_id	uuid REFERENCES account,	-- NULL: the system or
							-- an operator
	what		text NOT NULL CHECK (what ~ '^[a-z_]{1,40}$'),
	reason		text NOT NULL DEFAULT '',
	expires_at	timestamptz,	-- that was set
	slot		text CHECK (slot IN ('primary', 'secondary')),
	key_id		uuid,		-- the value that it happened to
	-- These are never done without a word.
	CONSTRAINT subscription_change_reason CHECK (reason <> '' OR
	    what NOT IN ('suspended', 'reactivated', 'expiry', 'key_revoked'))
);
CREATE INDEX subscription_change_of
	ON subscription_change (subscription_id, id DESC);
GRANT SELECT, INSERT ON subscription_change TO latchkey_app;
GRANT INSERT ON subscription_change TO latchkey_courier;
GRANT SELECT (expiry_set_at) ON subscription TO latchkey_courier;

-- ---- keys ----------------------------------------------------------------

ALTER TABLE subscription_key
	-- Written by the gateway.
	ADD COLUMN last_used_at timestamptz,
	ADD COLUMN last_used_address inet,
	ADD CONSTRAINT subscription_key_end CHECK
	    (CASE state WHEN 'current' THEN ends_at IS NULL
	    WHEN 'old' THEN ends_at IS NOT NULL ELSE true END);
CREATE INDEX subscription_key_due ON subscription_key (ends_at)
	WHERE state = 'old';

-- An old value may end earlier than was said, never later.
CREATE FUNCTION subscription_key_guard() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	IF NOT lifecycle_step('key', OLD.state, NEW.state) THEN
		RAISE EXCEPTION 'key_state' USING ERRCODE = 'LK023';
	END IF;
	IF ((NEW.id, NEW.subscription_id, NEW.slot, NEW.mac, NEW.prefix_mac,
	    NEW.mac_version, NEW.last4, NEW.created_at, NEW.created_by)
	    IS DISTINCT FROM
	    (OLD.id, OLD.subscription_id, OLD.slot, OLD.mac, OLD.prefix_mac,
	    OLD.mac_version, OLD.last4, OLD.created_at, OLD.created_by)
	    OR NEW.ends_at > OLD.ends_at
	    OR (OLD.ends_at IS NOT NULL AND NEW.ends_at IS NULL)
	    OR (OLD.state = 'ended' AND NEW.ends_at IS DISTINCT FROM
	    OLD.ends_at)) AND NOT lifecycle_lifted(TG_RELID) THEN
		RAISE EXCEPTION 'key_column' USING ERRCODE = 'LK023';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER subscription_key_guard BEFORE UPDATE ON subscription_key
	FOR EACH ROW EXECUTE FUNCTION subscription_key_guard();

-- A value begins as the current one of its slot.
CREATE FUNCTION subscription_key_begin() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	IF NEW.state <> 'current' AND NOT lifecycle_lifted(TG_RELID) THEN
		RAISE EXCEPTION 'key_state' USING ERRCODE = 'LK023';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER subscription_key_begin BEFORE INSERT ON subscription_key
	FOR EACH ROW EXECUTE FUNCTION subscription_key_begin();

REVOKE UPDATE ON subscription_key FROM latchkey_app;
GRANT UPDATE (state, ends_at, sealed, last_used_at, last_used_address)
	ON subscription_key TO latchkey_app;
GRANT SELECT (id, subscription_id, slot, state, ends_at)
	ON subscription_key TO latchkey_courier;
GRANT UPDATE (state) ON subscription_key TO latchkey_courier;

COMMIT;
