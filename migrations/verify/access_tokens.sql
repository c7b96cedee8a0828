BEGIN;
SELECT id, account_id, name, mac, mac_version, first4, last4, scopes,
    created_at, expires_at, last_used_at, last_used_address, ended_at
    FROM access_token WHERE false;
SELECT 1 / count(*) FROM mail_kind WHERE kind = 'token_made';
ROLLBACK;
