BEGIN;
SELECT 'request_note_author'::regclass, 'request_consent_by'::regclass,
    'join_ask_account'::regclass;
ROLLBACK;
