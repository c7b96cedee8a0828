-- What admins say of a product: its plan, how requests are approved, the terms
-- to accept, and the way from a draft to the end.
BEGIN;

-- draft: not yet offered.  hidden: no longer offered, keys go on.  closing: no
-- new requests, keys go on until closes_at.  closed: keys have stopped.
ALTER TABLE product
	DROP CONSTRAINT product_state_check,
	ADD CONSTRAINT product_state_check CHECK (state IN
	    ('draft', 'published', 'hidden', 'closing', 'closed')),
	-- Grows with each change (product_guard): who edits says which one he
	-- has seen.
	ADD COLUMN version integer NOT NULL DEFAULT 1,
	ADD COLUMN calls_a_second integer CHECK (calls_a_second > 0),
	ADD COLUMN calls_a_month bigint CHECK (calls_a_month > 0),
	ADD COLUMN approval text NOT NULL DEFAULT 'hand' CHECK (approval IN
	    ('hand', 'checks')),
	-- From the request until the checks alone approve it; up to a week.
	ADD COLUMN approval_delay_min integer NOT NULL DEFAULT 60 CHECK
	    (approval_delay_min BETWEEN 0 AND 10080),
	ADD COLUMN terms_version integer,	-- to be accepted; NULL: none
	ADD COLUMN closes_at timestamptz,
	-- Of what closes or is closed: it was hidden then, and strangers still
	-- don't see it.
	ADD COLUMN was_hidden boolean NOT NULL DEFAULT false,
	ADD CONSTRAINT product_closes CHECK
	    ((state <> 'closing' OR closes_at IS NOT NULL)
	    AND (closes_at IS NULL OR state IN ('closing', 'closed')));

CREATE INDEX product_catalogue ON product (place, name)
	WHERE state IN ('published', 'closing') AND NOT was_hidden;
CREATE INDEX product_order ON product (lower(name) COLLATE "C", id);
CREATE INDEX product_closing ON product (closes_at) WHERE state = 'closing';
CREATE INDEX subscription_product_live ON subscription (product_id)
	WHERE state IN ('active', 'suspended');
CREATE INDEX request_product_open ON request (product_id)
	WHERE state = 'submitted';

CREATE FUNCTION product_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id <> OLD.id
	    OR (NEW.slug <> OLD.slug AND OLD.state <> 'draft')
	    OR (NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
		('draft', 'published'),
		('published', 'hidden'), ('hidden', 'published'),
		('published', 'closing'), ('hidden', 'closing'),
		('closing', 'published'), ('closing', 'hidden'),
		('closing', 'closed'),
		-- at once, where nobody holds a key
		('published', 'closed'), ('hidden', 'closed'),
		-- offered again; ended keys stay ended
		('closed', 'published'))) THEN
		RAISE EXCEPTION 'product_state' USING ERRCODE = 'LK030';
	END IF;
	NEW.version := OLD.version + 1;
	NEW.was_hidden := NEW.state IN ('closing', 'closed')
	    AND (OLD.state = 'hidden' OR OLD.was_hidden);
	RETURN NEW;
END $$;
CREATE TRIGGER product_guard BEFORE UPDATE ON product
	FOR EACH ROW EXECUTE FUNCTION product_guard();

-- A resource keeps its id when others are put before it or taken away.
ALTER TABLE product_resource
	ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
	DROP CONSTRAINT product_resource_pkey,
	ADD PRIMARY KEY (id),
	ADD CONSTRAINT product_resource_place UNIQUE (product_id, place)
	    DEFERRABLE,
	ADD CONSTRAINT product_resource_path CHECK (path LIKE '/%'),
	ADD CONSTRAINT product_resource_operations CHECK (operations <> '{}'
	    AND operations <@ ARRAY['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

-- Terms are never changed: a new text is a new version, and who accepted the
-- one before has accepted that one.
CREATE TABLE product_terms (
	product_id	uuid NOT NULL REFERENCES product ON DELETE CASCADE,
	version		integer NOT NULL CHECK (version > 0),
	text		text NOT NULL CHECK (text <> ''),
	created_at	timestamptz NOT NULL DEFAULT now(),
	created_by	uuid REFERENCES account,
	PRIMARY KEY (product_id, version)
);
ALTER TABLE product ADD CONSTRAINT product_terms_current
	FOREIGN KEY (id, terms_version) REFERENCES product_terms;

-- Who accepted what when, with the request: written in its statement.
CREATE TABLE terms_acceptance (
	request_id	uuid PRIMARY KEY REFERENCES request ON DELETE CASCADE,
	account_id	uuid NOT NULL REFERENCES account,
	product_id	uuid NOT NULL,
	version		integer NOT NULL,
	at		timestamptz NOT NULL DEFAULT now(),
	FOREIGN KEY (product_id, version) REFERENCES product_terms
);
CREATE INDEX terms_acceptance_account ON terms_acceptance (account_id);

GRANT SELECT, INSERT ON product_terms, terms_acceptance TO latchkey_app;
GRANT UPDATE (state) ON product TO latchkey_courier;

COMMIT;
