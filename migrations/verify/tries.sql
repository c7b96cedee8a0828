BEGIN;
SELECT open_at FROM throttle WHERE false;
SELECT id_hash, account_id, last_at FROM known_browser WHERE false;
SELECT 1 / (try_delay(4, 5) IS NULL AND try_delay(5, 5) = interval '1 s'
    AND try_delay(8, 5) = interval '8 s'
    AND try_delay(500, 5) = interval '15 min')::int;
SELECT 1 / (try_begin(ARRAY['verify'], ARRAY['verify'], ARRAY[1]) = 0)::int;
SELECT 1 / (try_right(ARRAY['verify'], ARRAY['verify']) = 1)::int;
ROLLBACK;
