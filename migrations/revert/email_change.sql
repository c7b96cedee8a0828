BEGIN;
DROP FUNCTION email_change_next_at;
DROP TABLE email_change;
COMMIT;
