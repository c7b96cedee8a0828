BEGIN;
DROP FUNCTION audit_write;
DROP TABLE audit;
DROP FUNCTION audit_refuse;
REVOKE USAGE ON SCHEMA public FROM latchkey_app, latchkey_courier;
GRANT USAGE ON SCHEMA public TO PUBLIC;
REVOKE SELECT ON sqitch.changes FROM latchkey_app, latchkey_courier;
REVOKE USAGE ON SCHEMA sqitch FROM latchkey_app, latchkey_courier;
COMMIT;
