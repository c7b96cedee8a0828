BEGIN;
REVOKE SELECT (id, subscription_id, slot, state, ends_at), UPDATE (state)
	ON subscription_key FROM latchkey_courier;
REVOKE UPDATE (state, ends_at, sealed, last_used_at, last_used_address)
	ON subscription_key FROM latchkey_app;
GRANT UPDATE ON subscription_key TO latchkey_app;
DROP TRIGGER subscription_key_begin ON subscription_key;
DROP TRIGGER subscription_key_guard ON subscription_key;
DROP FUNCTION subscription_key_begin, subscription_key_guard;
DROP INDEX subscription_key_due;
ALTER TABLE subscription_key
	DROP CONSTRAINT subscription_key_end,
	DROP COLUMN last_used_at,
	DROP COLUMN last_used_address;

DROP TABLE subscription_change;
DROP INDEX subscription_state, subscription_expiry;
CREATE INDEX subscription_expiry ON subscription (expires_at)
	WHERE state IN ('active', 'suspended');
REVOKE UPDATE (state, expires_at, expiry_set_at) ON subscription
	FROM latchkey_app;
GRANT UPDATE ON subscription TO latchkey_app;
DROP TRIGGER subscription_begin ON subscription;
DROP FUNCTION subscription_begin;
ALTER TABLE subscription DROP COLUMN expiry_set_at;
CREATE OR REPLACE FUNCTION subscription_guard() RETURNS trigger
	LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.tenant_id <> OLD.tenant_id OR NEW.product_id <> OLD.product_id
	    OR NEW.environment <> OLD.environment OR NEW.id <> OLD.id
	    OR NEW.one_key <> OLD.one_key
	    OR (NEW.state <> OLD.state
	    AND OLD.state NOT IN ('active', 'suspended')) THEN
		RAISE EXCEPTION 'subscription_state' USING ERRCODE = 'LK020';
	END IF;
	RETURN NEW;
END $$;

DROP TRIGGER membership_requests ON membership;
DROP TRIGGER request_begin ON request;
DROP FUNCTION membership_requests, request_begin;
CREATE OR REPLACE FUNCTION request_guard() RETURNS trigger
	LANGUAGE plpgsql AS $$
BEGIN
	IF OLD.state <> 'submitted' AND NEW.state <> OLD.state THEN
		RAISE EXCEPTION 'request_state' USING ERRCODE = 'LK021';
	END IF;
	RETURN NEW;
END $$;
DROP FUNCTION lifecycle_step, lifecycle_lifted;
COMMIT;
