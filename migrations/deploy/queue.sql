-- The queue: every order of every standing is an index, so that a page costs
-- the same among a million requests as among a hundred; and filters that staff
-- saved.
BEGIN;

-- Whom it waits for, or how it ended: one word for filters and indexes.
ALTER TABLE request ADD COLUMN standing text NOT NULL GENERATED ALWAYS AS
	(CASE WHEN state <> 'submitted' THEN state
	WHEN waiting_on = 'contact' THEN 'contact' ELSE 'us' END) STORED;

CREATE INDEX queue_sent ON request (standing, submitted_at, id);
CREATE INDEX queue_due ON request (standing, due_at, id);
CREATE INDEX queue_name ON request (standing, lower(name) COLLATE "C", id);
CREATE INDEX queue_product_sent
	ON request (product_id, standing, submitted_at, id);
CREATE INDEX queue_product_due ON request (product_id, standing, due_at, id);
CREATE INDEX queue_product_name
	ON request (product_id, standing, lower(name) COLLATE "C", id);
CREATE INDEX queue_taken_sent
	ON request (assigned_to, standing, submitted_at, id)
	WHERE assigned_to IS NOT NULL;
CREATE INDEX queue_taken_due ON request (assigned_to, standing, due_at, id)
	WHERE assigned_to IS NOT NULL;
CREATE INDEX queue_taken_name
	ON request (assigned_to, standing, lower(name) COLLATE "C", id)
	WHERE assigned_to IS NOT NULL;

-- For three letters or more, anywhere; and for the beginning of a code.
-- Without fastupdate: a list of what is not yet sorted in would be read by each
-- search.
CREATE INDEX queue_name_part ON request USING gin
	(lower(name) gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX queue_tenant_code ON tenant (lower(code) COLLATE "C");

-- The row goes with the person's.
CREATE TABLE queue_filter (
	id		uuid PRIMARY KEY,
	account_id	uuid NOT NULL REFERENCES person ON DELETE CASCADE,
	name		text NOT NULL CHECK (name <> ''
			    AND char_length(name) <= 40),
	-- As the page itself writes it.
	filter		text NOT NULL CHECK (filter ~ '^[a-z0-9=&-]{0,200}$'),
	created_at	timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT queue_filter_name UNIQUE (account_id, name)
);
GRANT SELECT, INSERT, DELETE ON queue_filter TO latchkey_app;
GRANT UPDATE (filter) ON queue_filter TO latchkey_app;

COMMIT;
