BEGIN;
DROP FUNCTION device_seen;
DROP FUNCTION device_of;
DROP TABLE known_device;
ALTER TABLE session DROP COLUMN id;
COMMIT;
