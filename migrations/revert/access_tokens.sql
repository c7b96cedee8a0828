BEGIN;
DELETE FROM notice WHERE kind = 'token_made';
DELETE FROM mail_kind WHERE kind = 'token_made';
DROP TRIGGER access_token_end ON account;
DROP FUNCTION access_token_end;
DROP TABLE access_token;
COMMIT;
