-- The client with the most similar name when the request came in, where nothing
-- else points to one: searched once, since a list of many can't search for each.
BEGIN;

ALTER TABLE request
	ADD COLUMN near_id uuid REFERENCES tenant,
	ADD COLUMN near smallint CHECK (near BETWEEN 1 AND 100),	-- per cent
	ADD CONSTRAINT request_near CHECK ((near IS NULL) = (near_id IS NULL));

COMMIT;
