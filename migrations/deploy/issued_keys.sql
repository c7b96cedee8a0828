-- Issued keys are counted behind the subscription's lock, and told of.
BEGIN;

-- At most 100 living keys of a subscription.  By name this trigger comes before
-- issued_key_fits, which takes a weaker lock on the same row; the count is a
-- statement of its own, so it sees what whoever held the lock has made.
CREATE FUNCTION issued_key_ahead() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM FROM subscription WHERE id = NEW.subscription_id
	    FOR NO KEY UPDATE;
	IF (SELECT count(*) FROM issued_key
	    WHERE subscription_id = NEW.subscription_id
	    AND state NOT IN ('revoked', 'deleted')) >= 100 THEN
		RAISE EXCEPTION 'issued_key_full' USING
		    ERRCODE = 'check_violation',
		    CONSTRAINT = 'issued_key_full';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER issued_key_ahead BEFORE INSERT ON issued_key
	FOR EACH ROW EXECUTE FUNCTION issued_key_ahead();

INSERT INTO mail_kind (kind, words, optional, reader, path, path_id) VALUES
('issued_key', 'A key was made or changed', false, 'contact', '/subscriptions/', 'subscription_id');

COMMIT;
