-- The profile says which limits hold for a client, its own ones included.
BEGIN;
DROP TRIGGER stamp ON tenant;
CREATE TRIGGER stamp AFTER UPDATE OF name, state, calls_a_minute, calls_a_day,
	user_calls_a_minute ON tenant
	FOR EACH ROW EXECUTE FUNCTION stamp_tenant();
COMMIT;
