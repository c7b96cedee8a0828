-- What pages show of an account and its client, workers keep from one request
-- to the next: under the stamp of the session, which every request reads with
-- the session's row.  Whatever changes something that is kept raises the stamp
-- in the same transaction, so nothing is kept longer than it is true.
--
-- A change that was under way before a session or a membership was there can't
-- see it.  So nothing is kept under a stamp younger than ten seconds: twice
-- the time that a statement may take.
BEGIN;

ALTER TABLE session ADD COLUMN stamp bigint NOT NULL DEFAULT 0,
	ADD COLUMN stamped_at timestamptz NOT NULL DEFAULT now();

-- In the order of their hashes, so that two that stamp the same sessions wait
-- for one another in place of locking each other out.
CREATE FUNCTION stamp_sessions(p_accounts uuid[]) RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	UPDATE session SET stamp = stamp + 1, stamped_at = now()
	WHERE id_hash IN (SELECT id_hash FROM session
	    WHERE account_id = ANY (p_accounts) ORDER BY id_hash FOR UPDATE)
$$;
CREATE FUNCTION stamp_all_sessions() RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	UPDATE session SET stamp = stamp + 1, stamped_at = now()
	WHERE id_hash IN (SELECT id_hash FROM session
	    ORDER BY id_hash FOR UPDATE)
$$;
-- The account, and all who are of one of the clients.
CREATE FUNCTION stamp_people(p_account uuid, p_tenants uuid[]) RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT stamp_sessions(array_agg(id)) FROM (
	    SELECT account_id FROM membership WHERE tenant_id = ANY (p_tenants)
	    UNION SELECT p_account) AS people (id)
$$;
-- Rows with an account_id.
CREATE FUNCTION stamp_of_account() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		PERFORM stamp_sessions(ARRAY[OLD.account_id]);
	ELSE
		PERFORM stamp_sessions(ARRAY[NEW.account_id]);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER stamp AFTER INSERT OR DELETE OR UPDATE OF tenant_id, role
	ON membership FOR EACH ROW EXECUTE FUNCTION stamp_of_account();
CREATE TRIGGER stamp AFTER INSERT OR DELETE ON totp
	FOR EACH ROW EXECUTE FUNCTION stamp_of_account();
CREATE TRIGGER stamp AFTER INSERT OR DELETE ON passkey
	FOR EACH ROW EXECUTE FUNCTION stamp_of_account();

CREATE FUNCTION stamp_account() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM stamp_sessions(ARRAY[NEW.id]);
	RETURN NULL;
END $$;
CREATE TRIGGER stamp AFTER UPDATE OF kind, staff_role, state ON account
	FOR EACH ROW EXECUTE FUNCTION stamp_account();

-- The names of staff stand on pages of others: "approved by".
CREATE FUNCTION stamp_person() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	IF NEW.name <> OLD.name AND EXISTS (SELECT FROM account
	    WHERE id = NEW.account_id AND kind = 'staff') THEN
		PERFORM stamp_all_sessions();
	ELSE
		PERFORM stamp_sessions(ARRAY[NEW.account_id]);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER stamp AFTER UPDATE ON person
	FOR EACH ROW EXECUTE FUNCTION stamp_person();

CREATE FUNCTION stamp_tenant() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM stamp_people(NULL, ARRAY[NEW.id]);
	RETURN NULL;
END $$;
CREATE TRIGGER stamp AFTER UPDATE OF name, state ON tenant
	FOR EACH ROW EXECUTE FUNCTION stamp_tenant();

CREATE FUNCTION stamp_request() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	IF TG_OP = 'UPDATE' THEN
		PERFORM stamp_people(NEW.account_id,
		    ARRAY[OLD.tenant_id, NEW.tenant_id]);
	ELSE
		PERFORM stamp_people(NEW.account_id, ARRAY[NEW.tenant_id]);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER stamp AFTER INSERT OR UPDATE ON request
	FOR EACH ROW EXECUTE FUNCTION stamp_request();

CREATE FUNCTION stamp_subscription() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM stamp_people(NULL, ARRAY[NEW.tenant_id]);
	RETURN NULL;
END $$;
CREATE TRIGGER stamp AFTER INSERT OR UPDATE ON subscription
	FOR EACH ROW EXECUTE FUNCTION stamp_subscription();

-- When a key was used is not kept true by the second: only what people do.
CREATE FUNCTION stamp_key() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM stamp_people(NULL, ARRAY[s.tenant_id]) FROM subscription s
	    WHERE s.id = NEW.subscription_id;
	RETURN NULL;
END $$;
CREATE TRIGGER stamp AFTER INSERT OR UPDATE OF slot, state, last4, ends_at
	ON subscription_key FOR EACH ROW EXECUTE FUNCTION stamp_key();

CREATE FUNCTION stamp_product() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM stamp_all_sessions();
	RETURN NULL;
END $$;
CREATE TRIGGER stamp AFTER UPDATE ON product
	FOR EACH STATEMENT EXECUTE FUNCTION stamp_product();

REVOKE ALL ON FUNCTION stamp_sessions, stamp_all_sessions, stamp_people,
	stamp_of_account, stamp_account, stamp_person, stamp_tenant,
	stamp_request, stamp_subscription, stamp_key, stamp_product FROM PUBLIC;

COMMIT;
