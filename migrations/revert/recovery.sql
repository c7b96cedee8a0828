BEGIN;
DROP FUNCTION recovery_next_at;
DROP TABLE recovery;
COMMIT;
