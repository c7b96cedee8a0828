BEGIN;
DROP TRIGGER request_name_keep ON request;
DROP FUNCTION request_name_keep();
DROP TABLE request_name;
CREATE INDEX queue_name_part ON request USING gin
	(lower(name) gin_trgm_ops) WITH (fastupdate = off);
COMMIT;
