-- People.  `account` has no name and no address: those stand in `person`,
-- which goes when an account is closed.  `signup` holds what was typed until
-- the link in the mail is used; before that there is no account.
BEGIN;

CREATE TABLE account (
	id		uuid PRIMARY KEY,
	kind		text NOT NULL CHECK (kind IN ('contact', 'staff')),
	staff_role	text CHECK (staff_role IN ('staff', 'admin')),
	state		text NOT NULL DEFAULT 'active' CHECK (state IN
			    ('active', 'disabled', 'closed')),
	password_hash	text NOT NULL,
	password_at	timestamptz NOT NULL DEFAULT now(),
	created_at	timestamptz NOT NULL DEFAULT now(),
	verified_at	timestamptz NOT NULL DEFAULT now(),
	signed_in_at	timestamptz,
	CONSTRAINT account_role CHECK
	    ((kind = 'staff') = (staff_role IS NOT NULL))
);
CREATE INDEX account_staff ON account (id) WHERE kind = 'staff';

CREATE TABLE person (
	account_id	uuid PRIMARY KEY REFERENCES account ON DELETE CASCADE,
	email		text NOT NULL CHECK (octet_length(email) <= 254),
	email_folded	text NOT NULL,
	email_domain	text NOT NULL,	-- ASCII (IDNA), lower case
	name		text NOT NULL CHECK (name <> ''),
	client		text NOT NULL DEFAULT '',	-- as typed at sign-up
	CONSTRAINT person_email UNIQUE (email_folded)
);

CREATE TABLE signup (
	id		uuid PRIMARY KEY,
	email		text NOT NULL,
	email_folded	text NOT NULL,
	email_domain	text NOT NULL,
	name		text NOT NULL,
	client		text NOT NULL DEFAULT '',
	invited_as	text CHECK (invited_as IN ('staff', 'admin')),
	token_hash	bytea,		-- NULL: the address has an account
	created_at	timestamptz NOT NULL DEFAULT now(),
	expires_at	timestamptz NOT NULL,
	used_at		timestamptz,
	replaced_at	timestamptz,	-- a newer one counts
	CONSTRAINT signup_token UNIQUE (token_hash)
);
CREATE INDEX signup_address ON signup (email_folded, created_at DESC);
CREATE INDEX signup_age ON signup (created_at);

CREATE TABLE session (
	id_hash		bytea PRIMARY KEY,	-- SHA-256 of the cookie
	account_id	uuid NOT NULL REFERENCES account ON DELETE CASCADE,
	created_at	timestamptz NOT NULL DEFAULT now(),
	fresh_at	timestamptz NOT NULL DEFAULT now(),
	last_used_at	timestamptz NOT NULL DEFAULT now(),
	expires_at	timestamptz NOT NULL,
	address		inet,
	agent		text NOT NULL DEFAULT ''
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expiry ON session (expires_at);

-- Networks (IPv4 address, IPv6 /64) that somebody has signed in from.
CREATE TABLE known_network (
	network		inet PRIMARY KEY,
	last_at		timestamptz NOT NULL DEFAULT now()
);

-- GCRA: tat is the theoretical arrival time of the next hit.  Counts over all
-- workers and survives restarts.
CREATE TABLE throttle (
	bucket		text NOT NULL,
	key		text NOT NULL,
	tat		timestamptz NOT NULL,
	PRIMARY KEY (bucket, key)
);
CREATE INDEX throttle_age ON throttle (tat);

-- Seconds until a hit would be allowed; 0 is now.  Changes nothing.
CREATE FUNCTION throttle_wait(p_bucket text, p_key text, p_every interval,
	p_burst integer) RETURNS double precision
	LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
	SELECT greatest(0, coalesce((SELECT extract(epoch FROM
	    tat - p_every * (p_burst - 1) - clock_timestamp())
	    FROM throttle WHERE bucket = p_bucket AND key = p_key), 0))
$$;
-- Counts one hit.
CREATE FUNCTION throttle_hit(p_bucket text, p_key text, p_every interval)
	RETURNS timestamptz LANGUAGE sql SET search_path = public, pg_temp AS $$
	INSERT INTO throttle AS t (bucket, key, tat)
	VALUES (p_bucket, p_key, clock_timestamp() + p_every)
	ON CONFLICT (bucket, key) DO UPDATE
	SET tat = greatest(t.tat, clock_timestamp()) + p_every
	RETURNING tat
$$;

-- When the next mail to an address may go; NULL is now.  Three an hour.  Holds
-- the address until the statement ends, so that several at once count each
-- other: plpgsql looks again at each statement, behind the lock.
CREATE FUNCTION signup_next_at(p_email_folded text) RETURNS timestamptz
	LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(
	    hashtextextended('signup ' || p_email_folded, 0));
	RETURN (SELECT created_at + interval '1 hour' FROM signup
	    WHERE email_folded = p_email_folded
	    AND created_at > clock_timestamp() - interval '1 hour'
	    ORDER BY created_at DESC OFFSET 2 LIMIT 1);
END $$;

GRANT SELECT, INSERT, UPDATE ON account, signup, known_network
	TO latchkey_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON person, session, throttle
	TO latchkey_app;
GRANT SELECT (id, kind, staff_role, state) ON account TO latchkey_courier;
GRANT SELECT ON person TO latchkey_courier;
GRANT SELECT (id, email_folded, created_at, expires_at, used_at, invited_as)
	ON signup TO latchkey_courier;
GRANT DELETE ON signup, session, throttle, known_network TO latchkey_courier;
GRANT SELECT (expires_at, last_used_at) ON session TO latchkey_courier;
GRANT SELECT (tat) ON throttle TO latchkey_courier;
GRANT SELECT (last_at) ON known_network TO latchkey_courier;

COMMIT;
