BEGIN;
DROP FUNCTION seating_fall_due;
DROP TABLE seating;
COMMIT;
