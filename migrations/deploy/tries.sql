-- Tries at what is secret: passwords and codes.  Each counts in the lanes that
-- it comes by (its account, its network, or its browser), before it is looked
-- at, and is given back when it was right.  A lane is a row of throttle: tat is
-- when all of its failures are forgotten, one in 15 minutes, and open_at when
-- the next try may come, 1, 2, 4, 8 ... seconds after the last, at most 900.
-- Since 900 seconds are those 15 minutes, no lane ever lets more than 96 tries
-- a day through beyond its first ones.
BEGIN;

ALTER TABLE throttle ADD COLUMN open_at timestamptz;

-- How long a lane is closed after a failure; NULL: p_free go through at once.
CREATE FUNCTION try_delay(p_failures numeric, p_free integer) RETURNS interval
	LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
	SELECT CASE WHEN p_failures >= p_free THEN least(interval '900 s', interval '1 s'
		* (2 ^ least(p_failures - p_free, 10))::double precision) END
$$;

-- Counts a try in all of its lanes and returns 0; or, where one is closed,
-- counts nothing and returns how many seconds it is.  Lanes are held until the
-- statement ends, in their order, so that several at once count each other.
CREATE FUNCTION try_begin(p_lanes text[], p_keys text[], p_free integer[])
	RETURNS double precision
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
	v_now	timestamptz := clock_timestamp();
	v_wait	double precision;
BEGIN
	-- A closed one costs a look and no more.
	SELECT max(extract(epoch FROM t.open_at - v_now)) INTO v_wait
	    FROM unnest(p_lanes, p_keys) AS x (lane, key)
	    JOIN throttle t ON t.bucket = x.lane AND t.key = x.key;
	IF v_wait > 0 THEN
		RETURN v_wait;
	END IF;
	INSERT INTO throttle AS t (bucket, key, tat)
	    SELECT x.lane, x.key, v_now
	    FROM unnest(p_lanes, p_keys) AS x (lane, key)
	    ORDER BY x.lane, x.key
	    ON CONFLICT (bucket, key) DO UPDATE SET tat = t.tat;
	v_now := clock_timestamp();
	SELECT max(extract(epoch FROM t.open_at - v_now)) INTO v_wait
	    FROM unnest(p_lanes, p_keys) AS x (lane, key)
	    JOIN throttle t ON t.bucket = x.lane AND t.key = x.key;
	IF v_wait > 0 THEN
		RETURN v_wait;
	END IF;
	UPDATE throttle t SET tat = greatest(t.tat, v_now) + interval '900 s',
	    open_at = v_now + try_delay(ceil(extract(epoch FROM
		greatest(t.tat, v_now) + interval '900 s' - v_now) / 900),
		x.free)
	    FROM unnest(p_lanes, p_keys, p_free) AS x (lane, key, free)
	    WHERE t.bucket = x.lane AND t.key = x.key;
	RETURN 0;
END $$;

-- It was right: gives it back.
CREATE FUNCTION try_right(p_lanes text[], p_keys text[]) RETURNS bigint
	LANGUAGE sql SET search_path = public, pg_temp AS $$
	WITH held AS MATERIALIZED (SELECT t.bucket, t.key
	    FROM unnest(p_lanes, p_keys) AS x (lane, key)
	    JOIN throttle t ON t.bucket = x.lane AND t.key = x.key
	    ORDER BY t.bucket, t.key FOR UPDATE OF t),
	back AS (UPDATE throttle t SET tat = t.tat - interval '900 s',
	    open_at = NULL FROM held
	    WHERE t.bucket = held.bucket AND t.key = held.key RETURNING 1)
	SELECT count(*) FROM back
$$;

-- Browsers that somebody has signed in with: a hash of a cookie of their own,
-- that stays when the session ends.  They have a lane for themselves, so that
-- no stranger's failures hold them up.
CREATE TABLE known_browser (
	id_hash		bytea NOT NULL,
	account_id	uuid NOT NULL REFERENCES account ON DELETE CASCADE,
	last_at		timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, id_hash)
);
CREATE INDEX known_browser_age ON known_browser (last_at);

CREATE FUNCTION known_browser_forget() RETURNS trigger
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	DELETE FROM known_browser WHERE account_id = NEW.id;
	RETURN NULL;
END $$;
CREATE TRIGGER known_browser_forget AFTER UPDATE OF state ON account
	FOR EACH ROW WHEN (NEW.state = 'closed')
	EXECUTE FUNCTION known_browser_forget();

-- A link for a forgotten password lives 30 minutes, so the next mail must come
-- before: three at once, and then 1, 2, 4, 8, 16, 20, 20 ... minutes after the
-- last.  Whoever asks in somebody's name fills a mailbox with 72 mails a day at
-- most, and never keeps its owner without a living link.
CREATE OR REPLACE FUNCTION recovery_next_at(p_email_folded text)
	RETURNS timestamptz
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
	v_mails	bigint;
	v_next	timestamptz;
BEGIN
	PERFORM pg_advisory_xact_lock(
	    hashtextextended('recovery ' || p_email_folded, 0));
	SELECT count(*), max(created_at) + least(interval '20 min',
	    interval '1 min' * 2 ^ greatest(least(count(*) - 3, 5), 0))
	    INTO v_mails, v_next FROM recovery
	    WHERE email_folded = p_email_folded
	    AND created_at > clock_timestamp() - interval '3 hours';
	RETURN CASE WHEN v_mails >= 3 AND v_next > clock_timestamp()
	    THEN v_next END;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON known_browser TO latchkey_app;
GRANT SELECT (last_at), DELETE ON known_browser TO latchkey_courier;

COMMIT;
