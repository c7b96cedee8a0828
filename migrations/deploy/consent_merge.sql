-- Two clients that are merged may both have been asked about the same request:
-- what was answered for the one counts for the other, unless that one has an
-- answer of its own.  All else moves in tenant_merge().
BEGIN;

CREATE FUNCTION request_consent_follow() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	UPDATE request_consent i SET answer = f.answer,
	    answered_by = f.answered_by, answered_at = f.answered_at
	    FROM request_consent f WHERE f.tenant_id = NEW.id
	    AND i.tenant_id = NEW.merged_into AND i.request_id = f.request_id
	    AND f.answer IS NOT NULL AND i.answer IS NULL;
	RETURN NULL;
END $$;
CREATE TRIGGER request_consent_follow AFTER UPDATE OF state ON tenant
	FOR EACH ROW WHEN (OLD.state <> 'merged' AND NEW.state = 'merged')
	EXECUTE FUNCTION request_consent_follow();

COMMIT;
