BEGIN;
SELECT kind, words, optional, reader, path, path_id FROM mail_kind WHERE false;
SELECT id, account_id, kind, params, at, read_at, digest FROM notice
    WHERE false;
SELECT account_id, kind, choice FROM mail_choice WHERE false;
SELECT 1 / has_function_privilege('latchkey_courier', 'notice_digests()',
    'EXECUTE')::int;
SELECT 1 / (NOT has_table_privilege('latchkey_app', 'notice',
    'INSERT, DELETE, TRUNCATE'))::int;
ROLLBACK;
