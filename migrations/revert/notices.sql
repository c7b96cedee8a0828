BEGIN;
CREATE OR REPLACE FUNCTION mail_queue(p_kind text, p_account uuid,
	p_address text, p_params jsonb DEFAULT '{}') RETURNS uuid
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	INSERT INTO outbox (kind, account_id, address, params)
	VALUES (p_kind, p_account,
	    CASE WHEN p_account IS NULL THEN p_address END,
	    jsonb_strip_nulls(p_params))
	RETURNING id;
$$;
DROP TRIGGER notice_forget ON person;
DROP FUNCTION notice_forget;
DROP FUNCTION mail_unsubscribe;
DROP FUNCTION notice_digests;
DROP FUNCTION notice_path;
DROP FUNCTION notice_words;
DROP TABLE mail_choice;
DROP TABLE notice;
DROP TABLE mail_kind;
COMMIT;
