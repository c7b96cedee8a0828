-- Limits of a client in place of its products' plans, and what was called.
BEGIN;

-- Calls of each API user; NULL: as many as its subscription.
ALTER TABLE product
	ADD COLUMN user_calls_a_minute integer CHECK (user_calls_a_minute > 0);
-- NULL: as the product's plan says, or, of all keys together, no limit.
ALTER TABLE tenant
	ADD COLUMN calls_a_second integer CHECK (calls_a_second > 0),
	ADD COLUMN calls_a_minute integer CHECK (calls_a_minute > 0),
	ADD COLUMN calls_a_day bigint CHECK
	    (calls_a_day BETWEEN 1 AND 1000000000),
	ADD COLUMN calls_a_month bigint CHECK
	    (calls_a_month BETWEEN 1 AND 1000000000),
	ADD COLUMN user_calls_a_minute integer CHECK (user_calls_a_minute > 0),
	ADD COLUMN all_calls_a_minute integer CHECK (all_calls_a_minute > 0),
	ADD COLUMN all_calls_a_day bigint CHECK
	    (all_calls_a_day BETWEEN 1 AND 1000000000);
GRANT UPDATE (calls_a_second, calls_a_minute, calls_a_day, calls_a_month,
	user_calls_a_minute, all_calls_a_minute, all_calls_a_day)
	ON tenant TO latchkey_app;

CREATE FUNCTION gateway_tell_plan() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_notify('latchkey_gateway', NEW.id::text);
	RETURN NULL;
END $$;
CREATE TRIGGER gateway_plan AFTER UPDATE OF calls_a_second, calls_a_minute,
	calls_a_day, calls_a_month, user_calls_a_minute, all_calls_a_minute,
	all_calls_a_day ON tenant
	FOR EACH ROW EXECUTE FUNCTION gateway_tell_plan();
CREATE TRIGGER gateway_plan AFTER UPDATE OF calls_a_second, calls_a_minute,
	calls_a_day, calls_a_month, user_calls_a_minute ON product
	FOR EACH STATEMENT EXECUTE FUNCTION gateway_tell_all();

-- Calls by what became of them: 'allowed', or the code of the refusal.  Those
-- of unknown keys are of no subscription, and those without an API user of no
-- user: both are the nil UUID.  Hours are kept for some weeks, days for longer
-- (app/jobs).  No foreign keys: what these rows are of is never deleted, and
-- a flush must not wait for whoever changes it.
CREATE TABLE usage_hour (
	subscription_id	uuid NOT NULL,
	hour		timestamptz NOT NULL,
	api_user_id	uuid NOT NULL,
	outcome		text NOT NULL,
	calls		bigint NOT NULL,
	PRIMARY KEY (subscription_id, hour, api_user_id, outcome)
) WITH (fillfactor = 70);
CREATE INDEX usage_hour_time ON usage_hour USING brin (hour)
	WITH (pages_per_range = 16);
CREATE TABLE usage_day (
	subscription_id	uuid NOT NULL,
	day		date NOT NULL,
	api_user_id	uuid NOT NULL,
	outcome		text NOT NULL,
	calls		bigint NOT NULL,
	PRIMARY KEY (subscription_id, day, api_user_id, outcome)
) WITH (fillfactor = 70);
CREATE INDEX usage_day_time ON usage_day USING brin (day)
	WITH (pages_per_range = 16);
CREATE INDEX usage_day_user ON usage_day (api_user_id, day);

-- What quotas are counted by: allowed calls of the last day and month.
CREATE TABLE usage_count (
	subscription_id	uuid PRIMARY KEY,
	day		date NOT NULL,
	day_calls	bigint NOT NULL,
	month		date NOT NULL,		-- its first day
	month_calls	bigint NOT NULL
) WITH (fillfactor = 50);

-- The last batch of each portal, so that one that was sent twice is counted
-- once.
CREATE TABLE usage_flush (
	source		uuid PRIMARY KEY,
	batch		bigint NOT NULL,
	at		timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, UPDATE ON usage_hour, usage_day, usage_count,
	usage_flush TO latchkey_app;
GRANT SELECT, DELETE ON usage_hour, usage_day, usage_flush
	TO latchkey_courier;

COMMIT;
