BEGIN;
SELECT id, account_id, email, email_folded, email_domain, token_hash,
    created_at, expires_at, used_at, replaced_at, old_email, old_folded,
    old_domain, undo_hash, undo_until, undone_at FROM email_change WHERE false;
SELECT 1 / (email_change_next_at('00000000-0000-0000-0000-000000000000',
    'verify') IS NULL)::int;
ROLLBACK;
