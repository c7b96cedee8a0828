-- What is stored about a person is found by the person: see close_db_data() of
-- app/accounts.
BEGIN;

CREATE INDEX request_note_author ON request_note (author_id)
	WHERE kind <> 'decision';
CREATE INDEX request_consent_by ON request_consent (answered_by)
	WHERE answered_by IS NOT NULL;
CREATE INDEX join_ask_account ON join_ask (account_id);

COMMIT;
