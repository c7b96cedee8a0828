BEGIN;
DROP TRIGGER stamp ON subscription_change;
DROP FUNCTION stamp_change;
COMMIT;
