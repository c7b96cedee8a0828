-- Search among people, and accounts that staff disabled.  pg_trgm is one of the
-- extensions that a database's owner may make.
BEGIN;

CREATE EXTENSION pg_trgm;
-- In the order of the list, and for a beginning of up to two letters.
CREATE INDEX person_order ON person (lower(name) COLLATE "C", account_id);
CREATE INDEX person_address ON person (email_folded COLLATE "C");
CREATE INDEX tenant_beginning ON tenant (lower(name) COLLATE "C");
-- For three letters or more, anywhere.  Without fastupdate: a list of what is
-- not yet sorted in would be read by each search.
CREATE INDEX person_name_part ON person USING gin
	(lower(name) gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX person_address_part ON person USING gin
	(email_folded gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX tenant_name_part ON tenant USING gin
	(lower(name) gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX tenant_code_part ON tenant USING gin
	(lower(code) gin_trgm_ops) WITH (fastupdate = off);

-- Why an account is disabled.  The row goes with the person's.
CREATE TABLE account_disabling (
	account_id	uuid PRIMARY KEY REFERENCES person ON DELETE CASCADE,
	reason		text NOT NULL CHECK (reason <> ''),
	by_account	uuid NOT NULL REFERENCES account,
	at		timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, DELETE ON account_disabling TO latchkey_app;

COMMIT;
