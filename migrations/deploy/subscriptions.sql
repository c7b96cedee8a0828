-- Subscriptions, their keys, and the requests that lead to them.  The one-key
-- rule is the partial unique index subscription_one_live; everything above it
-- is courtesy.
BEGIN;

CREATE TABLE subscription (
	id		uuid PRIMARY KEY,
	tenant_id	uuid NOT NULL REFERENCES tenant,
	product_id	uuid NOT NULL,
	environment	text NOT NULL DEFAULT 'live' CHECK
			    (environment ~ '^[a-z]{2,16}$'),
	one_key		boolean NOT NULL,
	name		text NOT NULL,
	state		text NOT NULL DEFAULT 'active' CHECK (state IN
			    ('active', 'suspended', 'expired', 'cancelled')),
	created_at	timestamptz NOT NULL DEFAULT now(),
	approved_by	uuid REFERENCES account,
	expires_at	timestamptz,
	ended_at	timestamptz,
	-- one_key is the product's, or the rule below could be evaded; so a
	-- product keeps its rule while it has subscriptions.
	CONSTRAINT subscription_product FOREIGN KEY (product_id, one_key)
	    REFERENCES product (id, one_key_per_tenant)
);
CREATE UNIQUE INDEX subscription_one_live
	ON subscription (tenant_id, environment)
	WHERE one_key AND state IN ('active', 'suspended');
CREATE UNIQUE INDEX subscription_one_live_product
	ON subscription (tenant_id, product_id, environment)
	WHERE state IN ('active', 'suspended');
CREATE INDEX subscription_tenant ON subscription (tenant_id, id);
CREATE INDEX subscription_expiry ON subscription (expires_at)
	WHERE state IN ('active', 'suspended');

-- active <-> suspended; both -> expired | cancelled, which are ends.
CREATE FUNCTION subscription_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.tenant_id <> OLD.tenant_id OR NEW.product_id <> OLD.product_id
	    OR NEW.environment <> OLD.environment OR NEW.id <> OLD.id
	    OR NEW.one_key <> OLD.one_key
	    OR (NEW.state <> OLD.state
	    AND OLD.state NOT IN ('active', 'suspended')) THEN
		RAISE EXCEPTION 'subscription_state' USING ERRCODE = 'LK020';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER subscription_guard BEFORE UPDATE ON subscription
	FOR EACH ROW EXECUTE FUNCTION subscription_guard();

CREATE TABLE subscription_key (
	id		uuid PRIMARY KEY,
	subscription_id	uuid NOT NULL REFERENCES subscription,
	slot		text NOT NULL CHECK (slot IN ('primary', 'secondary')),
	state		text NOT NULL DEFAULT 'current' CHECK (state IN
			    ('current', 'old', 'ended')),
	sealed		bytea NOT NULL,	-- row "subscription_key:<id>:<slot>"
	mac		bytea NOT NULL,	-- purpose "subscription-key"
	prefix_mac	bytea NOT NULL,	-- "subscription-key-prefix", 8 characters
	mac_version	integer NOT NULL,
	last4		text NOT NULL CHECK (length(last4) = 4),
	created_at	timestamptz NOT NULL DEFAULT now(),
	created_by	uuid REFERENCES account,
	ends_at		timestamptz,	-- of an old value
	CONSTRAINT subscription_key_mac UNIQUE (mac)
);
CREATE UNIQUE INDEX subscription_key_current
	ON subscription_key (subscription_id, slot) WHERE state = 'current';
CREATE UNIQUE INDEX subscription_key_old
	ON subscription_key (subscription_id, slot) WHERE state = 'old';
CREATE INDEX subscription_key_prefix ON subscription_key (prefix_mac);
CREATE INDEX subscription_key_last4 ON subscription_key (last4);

CREATE TABLE request (
	id		uuid PRIMARY KEY,
	account_id	uuid NOT NULL REFERENCES account,
	product_id	uuid NOT NULL REFERENCES product,
	tenant_id	uuid REFERENCES tenant,	-- of a confirmed contact, or
						-- the one it was decided for
	environment	text NOT NULL DEFAULT 'live',
	name		text NOT NULL,		-- CLIENT NAME-KEY
	client_folded	text NOT NULL,		-- tenant_fold() of the client
	state		text NOT NULL DEFAULT 'submitted' CHECK (state IN
			    ('submitted', 'approved', 'shared', 'rejected',
			    'withdrawn')),
	submitted_at	timestamptz NOT NULL DEFAULT now(),
	due_at		timestamptz NOT NULL,
	decided_at	timestamptz,
	decided_by	uuid REFERENCES account,
	reason		text NOT NULL DEFAULT '',
	subscription_id	uuid REFERENCES subscription,
	CONSTRAINT request_decided CHECK
	    ((state = 'submitted') = (decided_at IS NULL)),
	CONSTRAINT request_reason CHECK (state <> 'rejected' OR reason <> '')
);
CREATE UNIQUE INDEX request_one_open_tenant ON request (tenant_id, environment)
	WHERE state = 'submitted' AND tenant_id IS NOT NULL;
CREATE UNIQUE INDEX request_one_open_account ON request (account_id, product_id)
	WHERE state = 'submitted';
CREATE INDEX request_queue ON request (submitted_at, id)
	WHERE state = 'submitted';
CREATE INDEX request_client ON request (client_folded)
	WHERE state = 'submitted';
CREATE INDEX request_account ON request (account_id, id DESC);
CREATE INDEX request_tenant ON request (tenant_id, id DESC);

CREATE FUNCTION request_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF OLD.state <> 'submitted' AND NEW.state <> OLD.state THEN
		RAISE EXCEPTION 'request_state' USING ERRCODE = 'LK021';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER request_guard BEFORE UPDATE ON request
	FOR EACH ROW EXECUTE FUNCTION request_guard();

-- One-use nonces of answers that reveal a secret: sent again, a form changes
-- nothing.  Rows go after a day; a nonce is bound to a session that is younger
-- than its row or the fresh sign-in has long passed.
CREATE TABLE reveal (
	nonce_hash	bytea PRIMARY KEY,
	account_id	uuid NOT NULL REFERENCES account,
	at		timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reveal_age ON reveal (at);

GRANT SELECT, INSERT, UPDATE ON subscription, subscription_key, request
	TO latchkey_app;
GRANT SELECT, INSERT ON reveal TO latchkey_app;
GRANT SELECT ON subscription, request TO latchkey_courier;
GRANT UPDATE (state, ended_at) ON subscription TO latchkey_courier;
GRANT SELECT (at), DELETE ON reveal TO latchkey_courier;

COMMIT;
