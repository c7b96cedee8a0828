BEGIN;
SELECT calls_a_second, calls_a_minute, calls_a_day, calls_a_month,
	user_calls_a_minute, all_calls_a_minute, all_calls_a_day
	FROM tenant WHERE false;
SELECT user_calls_a_minute FROM product WHERE false;
SELECT subscription_id, hour, api_user_id, outcome, calls
	FROM usage_hour WHERE false;
SELECT subscription_id, day, api_user_id, outcome, calls
	FROM usage_day WHERE false;
SELECT day_calls, month_calls FROM usage_count WHERE false;
SELECT source, batch, at FROM usage_flush WHERE false;
SELECT 1 / (count(*) = 2)::int FROM pg_trigger WHERE tgname = 'gateway_plan';
ROLLBACK;
