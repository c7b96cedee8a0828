-- A contact without a client asks to join one, by a name that was typed: a note
-- for staff.  Whether there is such a client is never told.
BEGIN;

CREATE TABLE join_ask (
	id		uuid PRIMARY KEY,
	account_id	uuid NOT NULL REFERENCES account,
	client		text NOT NULL CHECK (client <> ''),
	client_folded	text NOT NULL,	-- tenant_fold() of it
	asked_at	timestamptz NOT NULL DEFAULT now(),
	ended_at	timestamptz,
	ended_by	uuid REFERENCES account,
	CONSTRAINT join_ask_ended CHECK
	    ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX join_ask_open ON join_ask (account_id)
	WHERE ended_at IS NULL;
CREATE INDEX join_ask_queue ON join_ask (asked_at, id) WHERE ended_at IS NULL;
CREATE INDEX join_ask_age ON join_ask (asked_at);

GRANT SELECT, INSERT, UPDATE ON join_ask TO latchkey_app;
GRANT SELECT, DELETE ON join_ask TO latchkey_courier;

COMMIT;
