-- Outbox: a mail is a row written in the same statement as its cause.  The
-- courier takes rows, makes the message from templates/mail/KIND and sends it.
-- Parameters hold no secret: links are derived from ids under the HMAC key
-- "link" when the message is made.
BEGIN;

CREATE TABLE outbox (
	id		uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	kind		text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
	account_id	uuid,		-- its person's address when it is sent
	address		text,		-- or this address
	params		jsonb NOT NULL DEFAULT '{}',
	state		text NOT NULL DEFAULT 'queued' CHECK (state IN
			    ('queued', 'sent', 'failed')),
	created_at	timestamptz NOT NULL DEFAULT now(),
	next_at		timestamptz NOT NULL DEFAULT now(),
	claimed_by	uuid,		-- a courier's claim, until next_at
	tries		integer NOT NULL DEFAULT 0,
	ended_at	timestamptz,	-- sent or given up
	last_error	text NOT NULL DEFAULT '',
	CONSTRAINT outbox_recipient CHECK
	    ((account_id IS NULL) <> (address IS NULL) OR state <> 'queued')
);
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state = 'queued';
CREATE INDEX outbox_ended ON outbox (ended_at) WHERE state <> 'queued';

CREATE FUNCTION outbox_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NOTIFY outbox;
	RETURN NULL;
END $$;
CREATE TRIGGER outbox_wake AFTER INSERT ON outbox
	FOR EACH STATEMENT EXECUTE FUNCTION outbox_wake();

-- Queues one mail to an account (its address when it is sent) or, with a NULL
-- account, to an address.  The outer query must read what it returns.
CREATE FUNCTION mail_queue(p_kind text, p_account uuid, p_address text,
	p_params jsonb DEFAULT '{}') RETURNS uuid
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	INSERT INTO outbox (kind, account_id, address, params)
	VALUES (p_kind, p_account,
	    CASE WHEN p_account IS NULL THEN p_address END,
	    jsonb_strip_nulls(p_params))
	RETURNING id;
$$;
REVOKE ALL ON FUNCTION mail_queue FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mail_queue TO latchkey_app, latchkey_courier;
GRANT SELECT, UPDATE, DELETE ON outbox TO latchkey_courier;
-- Staff see what could not be sent; params and address stay the courier's.
GRANT SELECT (id, kind, account_id, state, created_at, next_at, tries,
	ended_at, last_error) ON outbox TO latchkey_app;

COMMIT;
