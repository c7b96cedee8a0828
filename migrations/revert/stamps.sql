BEGIN;
DROP TRIGGER stamp ON product;
DROP TRIGGER stamp ON subscription_key;
DROP TRIGGER stamp ON subscription;
DROP TRIGGER stamp ON request;
DROP TRIGGER stamp ON tenant;
DROP TRIGGER stamp ON person;
DROP TRIGGER stamp ON account;
DROP TRIGGER stamp ON passkey;
DROP TRIGGER stamp ON totp;
DROP TRIGGER stamp ON membership;
DROP FUNCTION stamp_product, stamp_key, stamp_subscription, stamp_request,
	stamp_tenant, stamp_person, stamp_account, stamp_of_account;
DROP FUNCTION stamp_people, stamp_all_sessions, stamp_sessions;
ALTER TABLE session DROP COLUMN stamp, DROP COLUMN stamped_at;
COMMIT;
