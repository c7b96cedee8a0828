BEGIN;
SELECT stamp, stamped_at FROM session WHERE false;
SELECT 1 / (count(*) >= 10)::int FROM pg_trigger WHERE tgname = 'stamp';
SELECT 1 / (NOT has_function_privilege('latchkey_app', f, 'EXECUTE'))::int
FROM unnest(ARRAY['stamp_sessions(uuid[])', 'stamp_all_sessions()',
	'stamp_people(uuid, uuid[])']) AS f;
ROLLBACK;
