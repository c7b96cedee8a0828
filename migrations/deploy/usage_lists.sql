-- Who calls most, and what is refused, without reading what everybody called.
BEGIN;
CREATE INDEX usage_count_month ON usage_count (month, month_calls,
	subscription_id);
CREATE INDEX usage_day_refused ON usage_day (day) WHERE outcome <> 'allowed';
COMMIT;
