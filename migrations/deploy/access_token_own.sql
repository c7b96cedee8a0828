-- One's own data lists all access tokens, ended ones, too: found by person.
BEGIN;
CREATE INDEX access_token_own ON access_token (account_id, id);
COMMIT;
