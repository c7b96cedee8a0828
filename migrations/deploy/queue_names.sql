-- Names of requests for searching, each once: clients ask again under the same
-- name, and a part of one is looked for among these in place of all requests.
BEGIN;

CREATE TABLE request_name (
	name		text COLLATE "C" PRIMARY KEY	-- lower(request.name)
);
INSERT INTO request_name SELECT DISTINCT lower(name) COLLATE "C" FROM request;
DROP INDEX queue_name_part;
CREATE INDEX queue_name_part ON request_name USING gin (name gin_trgm_ops)
	WITH (fastupdate = off);

CREATE FUNCTION request_name_keep() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	INSERT INTO request_name (name) VALUES (lower(NEW.name) COLLATE "C")
	    ON CONFLICT DO NOTHING;
	RETURN NULL;
END $$;
CREATE TRIGGER request_name_keep AFTER INSERT OR UPDATE OF name ON request
	FOR EACH ROW EXECUTE FUNCTION request_name_keep();
GRANT SELECT, INSERT ON request_name TO latchkey_app;

COMMIT;
