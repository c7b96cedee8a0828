BEGIN;
SELECT id FROM session WHERE false;
SELECT account_id, device, last_at, told FROM known_device WHERE false;
SELECT 1 / (device_of('192.0.2.1', 'A/1.2') = device_of('192.0.2.1', 'A/3'))::int;
SELECT 1 / (device_of('192.0.2.1', 'A') <> device_of('192.0.2.2', 'A'))::int;
ROLLBACK;
