BEGIN;
DROP TABLE usage_flush, usage_count, usage_day, usage_hour;
DROP TRIGGER gateway_plan ON product;
DROP TRIGGER gateway_plan ON tenant;
DROP FUNCTION gateway_tell_plan();
ALTER TABLE tenant
	DROP COLUMN calls_a_second,
	DROP COLUMN calls_a_minute,
	DROP COLUMN calls_a_day,
	DROP COLUMN calls_a_month,
	DROP COLUMN user_calls_a_minute,
	DROP COLUMN all_calls_a_minute,
	DROP COLUMN all_calls_a_day;
ALTER TABLE product DROP COLUMN user_calls_a_minute;
COMMIT;
