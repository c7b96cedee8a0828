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
		v_length := make_interval(secs =>
		    extract(epoch FROM now() - OLD.waits_since)::float8);
		NEW.waited := OLD.waited + v_length;
		NEW.due_at := OLD.due_at + v_length;
		NEW.waits_since := NULL;
	END IF;
	RETURN NEW;
END $$;

COMMIT;
