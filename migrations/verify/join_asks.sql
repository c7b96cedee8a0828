BEGIN;
SELECT id, account_id, client, client_folded, asked_at, ended_at, ended_by
    FROM join_ask WHERE false;
ROLLBACK;
