-- The reason for which an account is disabled goes when it is that no more.
-- Enabling did so in its own statement, which does not see what another wrote
-- while it waited for the account: disabled and enabled at the same moment left
-- a reason behind, and nobody could disable that account again.
BEGIN;

DELETE FROM account_disabling d USING account a
	WHERE a.id = d.account_id AND a.state <> 'disabled';

CREATE FUNCTION account_enabled() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	DELETE FROM account_disabling WHERE account_id = NEW.id;
	RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION account_enabled FROM PUBLIC;
CREATE TRIGGER account_enabled AFTER UPDATE OF state ON account FOR EACH ROW
	WHEN (OLD.state = 'disabled' AND NEW.state <> 'disabled')
	EXECUTE FUNCTION account_enabled();

COMMIT;
