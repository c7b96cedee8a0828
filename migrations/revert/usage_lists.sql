BEGIN;
DROP INDEX usage_count_month;
DROP INDEX usage_day_refused;
COMMIT;
