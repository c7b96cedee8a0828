-- Two who act on a request at once: the one that began first may come second,
-- and then the request waits since a moment that lies ahead of it.  No time
-- was waited then; before, such an act was refused by request_waited_check.
BEGIN;

CREATE OR REPLACE FUNCTION request_clock() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
DECLARE
	v_length	interval;
BEGIN
	IF NEW.state <> 'submitted' THEN
		NEW.waiting_on := 'staff';
	END IF;
	IF OLD.waiting_on = 'staff' AND NEW.waiting_on = 'contact' THEN
		NEW.waits_since := now();
	ELSIF OLD.waiting_on = 'contact' AND NEW.waiting_on = 'staff' THEN
		v_length := make_interval(secs => greatest(0,
		    extract(epoch FROM now() - OLD.waits_since))::float8);
		NEW.waited := OLD.waited + v_length;
		NEW.due_at := OLD.due_at + v_length;
		NEW.waits_since := NULL;
	END IF;
	RETURN NEW;
END $$;

COMMIT;
