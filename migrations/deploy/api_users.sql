-- API users: machine accounts of a tenant, FORTAPI@ALTWORX, one for each
-- integration, their passwords, and the links by which a vendor makes one.
BEGIN;

CREATE TABLE api_user (
	id		uuid PRIMARY KEY,
	tenant_id	uuid NOT NULL REFERENCES tenant,
	-- Shown and stored in capitals, so compared without case.
	username	text NOT NULL CHECK (username ~ '^[A-Z0-9._-]{2,32}$'),
	-- The name is taken: as long as the user lives, and 90 days longer.
	name_held	boolean NOT NULL DEFAULT true,
	vendor		text NOT NULL CHECK (length(vendor) BETWEEN 1 AND 64),
	vendor_folded	text NOT NULL,		-- tenant_fold()
	integration	text NOT NULL CHECK
			    (length(integration) BETWEEN 1 AND 80),
	contact_name	text NOT NULL DEFAULT '' CHECK
			    (length(contact_name) <= 64),
	contact_email	text NOT NULL DEFAULT '' CHECK
			    (octet_length(contact_email) <= 254),
	note		text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
	expires_at	timestamptz,
	state		text NOT NULL DEFAULT 'enabled' CHECK (state IN
			    ('enabled', 'disabled', 'deleted')),
	created_at	timestamptz NOT NULL DEFAULT now(),
	created_by	uuid NOT NULL REFERENCES account,
	-- Disabled by staff, with a reason: only staff enable it again.
	disabled_reason	text NOT NULL DEFAULT '',
	disabled_by_staff boolean NOT NULL DEFAULT false,
	state_at	timestamptz NOT NULL DEFAULT now(),
	state_by	uuid REFERENCES account,
	last_used_at	timestamptz,		-- by the gateway's check
	last_used_address inet,
	CONSTRAINT api_user_tenant UNIQUE (id, tenant_id),
	CONSTRAINT api_user_held CHECK (name_held OR state = 'deleted'),
	CONSTRAINT api_user_reason CHECK
	    (NOT disabled_by_staff OR disabled_reason <> '')
);
CREATE UNIQUE INDEX api_user_name ON api_user (tenant_id, username)
	WHERE name_held;
CREATE INDEX api_user_vendor ON api_user (tenant_id, vendor_folded)
	WHERE state <> 'deleted';

-- A name is free 90 days after its user went.  The index above decides between
-- two who take it at once.
CREATE FUNCTION api_user_free_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE api_user SET name_held = false
	    WHERE tenant_id = NEW.tenant_id AND username = NEW.username
	    AND name_held AND state = 'deleted'
	    AND state_at < now() - interval '90 days';
	RETURN NEW;
END $$;
CREATE TRIGGER api_user_free_name BEFORE INSERT ON api_user
	FOR EACH ROW EXECUTE FUNCTION api_user_free_name();

-- enabled <-> disabled; both -> deleted, which is an end.
CREATE FUNCTION api_user_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id <> OLD.id OR NEW.tenant_id <> OLD.tenant_id
	    OR NEW.username <> OLD.username
	    OR (OLD.state = 'deleted' AND NEW.state <> 'deleted')
	    OR (NEW.name_held <> OLD.name_held AND (NEW.name_held
	    OR OLD.state_at >= now() - interval '90 days')) THEN
		RAISE EXCEPTION 'api_user_state' USING ERRCODE = 'LK041';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER api_user_guard BEFORE UPDATE ON api_user
	FOR EACH ROW EXECUTE FUNCTION api_user_guard();

-- A user's roles are its own tenant's.
CREATE TABLE api_user_role (
	api_user_id	uuid NOT NULL,
	role_id		uuid NOT NULL,
	tenant_id	uuid NOT NULL,
	PRIMARY KEY (api_user_id, role_id),
	FOREIGN KEY (api_user_id, tenant_id)
	    REFERENCES api_user (id, tenant_id),
	FOREIGN KEY (role_id, tenant_id) REFERENCES api_role (id, tenant_id)
);
CREATE INDEX api_user_role_role ON api_user_role (role_id);

CREATE FUNCTION api_user_matrix(p_user uuid, p_product uuid) RETURNS text
	LANGUAGE sql STABLE AS $$
	SELECT api_matrix(ARRAY(SELECT role_id FROM api_user_role
	    WHERE api_user_id = p_user), p_product)
$$;

-- A link for the vendor.  It carries the right to make the password, once; its
-- token is derived (app/mail/link.h), so nothing here opens anything.
CREATE TABLE api_hand_over (
	id		uuid PRIMARY KEY,
	api_user_id	uuid NOT NULL REFERENCES api_user,
	token_hash	bytea NOT NULL,
	overlap_s	integer NOT NULL DEFAULT 0 CHECK
			    (overlap_s BETWEEN 0 AND 604800),
	-- Its primary key is shown as well: an owner ticked it.
	subscription_id	uuid REFERENCES subscription,
	created_at	timestamptz NOT NULL DEFAULT now(),
	created_by	uuid NOT NULL REFERENCES account,
	expires_at	timestamptz NOT NULL DEFAULT now() + interval '7 days',
	ended_at	timestamptz,
	ending		text CHECK (ending IN
			    ('used', 'replaced', 'withdrawn')),
	CONSTRAINT api_hand_over_token UNIQUE (token_hash),
	CONSTRAINT api_hand_over_life CHECK
	    (expires_at <= created_at + interval '7 days'),
	CONSTRAINT api_hand_over_ended CHECK
	    ((ended_at IS NULL) = (ending IS NULL))
);
CREATE UNIQUE INDEX api_hand_over_open ON api_hand_over (api_user_id)
	WHERE ended_at IS NULL;
CREATE INDEX api_hand_over_user ON api_hand_over (api_user_id, id DESC);

-- One is current; after a rotation at most one old goes on until ends_at.  An
-- old one whose time is over is not valid, whatever its state says.
CREATE TABLE api_user_password (
	id		uuid PRIMARY KEY,
	api_user_id	uuid NOT NULL REFERENCES api_user,
	state		text NOT NULL DEFAULT 'current' CHECK (state IN
			    ('current', 'old', 'ended')),
	-- HMAC of "<api_user_id>:<password>", purpose "api-user-password".
	mac		bytea NOT NULL CHECK (octet_length(mac) = 32),
	mac_version	integer NOT NULL,
	created_at	timestamptz NOT NULL DEFAULT now(),
	created_by	uuid REFERENCES account,
	hand_over_id	uuid REFERENCES api_hand_over,
	ends_at		timestamptz,
	CONSTRAINT api_user_password_mac UNIQUE (mac),
	CONSTRAINT api_user_password_by CHECK
	    ((created_by IS NULL) = (hand_over_id IS NOT NULL)),
	CONSTRAINT api_user_password_ends CHECK
	    ((state = 'current') = (ends_at IS NULL))
);
CREATE UNIQUE INDEX api_user_password_current
	ON api_user_password (api_user_id) WHERE state = 'current';
CREATE UNIQUE INDEX api_user_password_old
	ON api_user_password (api_user_id) WHERE state = 'old';

-- What an account may do with a tenant's API users: 'owner', 'manager' or
-- 'member' of it, 'staff', 'admin'; NULL is nothing.
CREATE FUNCTION api_right(p_account uuid, p_tenant uuid) RETURNS text
	LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN a.kind = 'staff' THEN a.staff_role ELSE m.role END
	FROM account a LEFT JOIN membership m ON m.account_id = a.id
	    AND m.tenant_id = p_tenant
	WHERE a.id = p_account AND a.state = 'active'
$$;

GRANT SELECT, INSERT ON api_user, api_user_role, api_hand_over,
	api_user_password TO latchkey_app;
GRANT DELETE ON api_user_role TO latchkey_app;
GRANT UPDATE (name_held, vendor, vendor_folded, integration, contact_name,
	contact_email, note, expires_at, state, disabled_reason,
	disabled_by_staff, state_at, state_by, last_used_at,
	last_used_address) ON api_user TO latchkey_app;
GRANT UPDATE (state, ends_at) ON api_user_password TO latchkey_app;
GRANT UPDATE (ended_at, ending) ON api_hand_over TO latchkey_app;
GRANT SELECT (id, expires_at, ended_at) ON api_hand_over TO latchkey_courier;

COMMIT;
