-- What falls due is done once: who inserts the row of (kind, subject, due)
-- does the job, in the same statement.
BEGIN;

CREATE TABLE job (
	kind		text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
	subject		uuid NOT NULL,
	due		timestamptz NOT NULL,
	done_at		timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT job_once PRIMARY KEY (kind, subject, due)
);
CREATE INDEX job_age ON job (done_at);
GRANT SELECT, INSERT, DELETE ON job TO latchkey_courier;

COMMIT;
