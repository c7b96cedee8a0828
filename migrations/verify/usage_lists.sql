BEGIN;
SELECT 1 / (to_regclass('usage_count_month') IS NOT NULL
	AND to_regclass('usage_day_refused') IS NOT NULL)::int;
ROLLBACK;
