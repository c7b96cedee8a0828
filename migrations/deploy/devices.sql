-- Sessions get a number that may stand in a page, and accounts the devices that
-- they were signed in to from: a hash of network and browser, without the
-- numbers of versions, which change every few weeks.
BEGIN;

ALTER TABLE session ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX session_id ON session (id);

CREATE TABLE known_device (
	account_id	uuid NOT NULL REFERENCES account ON DELETE CASCADE,
	device		bytea NOT NULL,
	last_at		timestamptz NOT NULL DEFAULT now(),
	told		uuid,	-- the last mail about it, NULL: none was due
	PRIMARY KEY (account_id, device)
);
CREATE INDEX known_device_age ON known_device (last_at);

CREATE FUNCTION device_of(p_network inet, p_agent text) RETURNS bytea
	LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
	SELECT sha256(convert_to(host(p_network) || E'\n'
	    || regexp_replace(p_agent, '[0-9]+([._][0-9]+)*', '', 'g'), 'UTF8'))
$$;

-- A sign-in from a device that was not seen for 90 days is told by mail, but
-- for the first one of a young account.  Called by the statement that signs in.
CREATE FUNCTION device_seen(p_account uuid, p_address inet, p_network inet,
	p_agent text) RETURNS uuid
	LANGUAGE sql SET search_path = public, pg_temp AS $$
	SELECT mail_queue('new_device', a.id, NULL,
	    jsonb_build_object('agent', p_agent, 'address', host(p_address),
	    'signed_in_at', now()))
	FROM account a WHERE a.id = p_account
	AND (a.created_at < now() - interval '90 days' OR EXISTS (SELECT
	    FROM known_device o WHERE o.account_id = a.id))
	AND NOT EXISTS (SELECT FROM known_device k WHERE k.account_id = a.id
	    AND k.device = device_of(p_network, p_agent)
	    AND k.last_at > now() - interval '90 days')
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON known_device TO latchkey_app;
GRANT SELECT (last_at), DELETE ON known_device TO latchkey_courier;
REVOKE ALL ON FUNCTION device_seen FROM PUBLIC;
GRANT EXECUTE ON FUNCTION device_seen TO latchkey_app;

COMMIT;
