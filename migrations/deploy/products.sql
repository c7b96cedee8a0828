-- What one subscribes to.
BEGIN;

CREATE TABLE product (
	id		uuid PRIMARY KEY,
	slug		text NOT NULL CHECK
			    (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
	name		text NOT NULL CHECK (name <> ''),
	summary		text NOT NULL DEFAULT '',
	description	text NOT NULL DEFAULT '',
	base_url	text NOT NULL DEFAULT '',
	example_path	text NOT NULL DEFAULT '/',
	state		text NOT NULL DEFAULT 'published' CHECK (state IN
			    ('published', 'hidden', 'closed')),
	place		integer NOT NULL DEFAULT 0,	-- order in the catalogue
	calls_a_minute	integer NOT NULL DEFAULT 200 CHECK (calls_a_minute > 0),
	calls_a_day	integer CHECK (calls_a_day > 0),
	needs_api_user	boolean NOT NULL DEFAULT true,
	one_key_per_tenant boolean NOT NULL DEFAULT true,
	created_at	timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT product_slug UNIQUE (slug),
	-- What a subscription says of its product: see subscriptions.sql.
	CONSTRAINT product_one_key UNIQUE (id, one_key_per_tenant)
);

CREATE TABLE product_resource (
	product_id	uuid NOT NULL REFERENCES product ON DELETE CASCADE,
	place		integer NOT NULL,
	name		text NOT NULL,
	note		text NOT NULL DEFAULT '',
	path		text NOT NULL,
	operations	text[] NOT NULL,
	PRIMARY KEY (product_id, place)
);

GRANT SELECT, INSERT, UPDATE ON product TO latchkey_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON product_resource TO latchkey_app;
GRANT SELECT ON product TO latchkey_courier;

COMMIT;
