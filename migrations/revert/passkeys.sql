BEGIN;
DROP TRIGGER passkey_forget ON account;
DROP FUNCTION passkey_forget;
DROP VIEW second_factor;
DROP TABLE passkey;
COMMIT;
