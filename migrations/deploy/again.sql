-- A fresh sign-in before a protected action: who fails five times in a row has
-- lost the session.
BEGIN;

ALTER TABLE session ADD COLUMN again_failures smallint NOT NULL DEFAULT 0;

COMMIT;
