BEGIN;
SELECT 1 / (membership_role('00000000-0000-0000-0000-000000000000')
    = 'owner')::int;
SELECT 1 / (pg_get_constraintdef(oid) LIKE '%dropped%')::int
    FROM pg_constraint WHERE conname = 'outbox_state_check';
SELECT reason FROM join_ask WHERE false;
SELECT who, account_id, passwords, codes, since, told_at FROM failed_signin
    WHERE false;
ROLLBACK;
