-- The desk: who a request waits on and since when, what was said about it,
-- consent of owners, reasons that are often given, approval by checks.
BEGIN;

ALTER TABLE request
	-- 'contact': staff asked back, and the clock stands still.
	ADD COLUMN waiting_on text NOT NULL DEFAULT 'staff' CHECK
	    (waiting_on IN ('staff', 'contact')),
	ADD COLUMN waits_since timestamptz,
	-- All time that waited on the contact; due_at has moved by as much, so
	-- due_at - waited never changes.
	ADD COLUMN waited interval NOT NULL DEFAULT '0' CHECK (waited >= '0'),
	ADD COLUMN assigned_to uuid REFERENCES account,
	-- When the system approves it, if all checks are good then and nobody
	-- stopped it; who stopped it, NULL for the checks themselves.
	ADD COLUMN auto_at timestamptz,
	ADD COLUMN auto_stopped_at timestamptz,
	ADD COLUMN auto_stopped_by uuid REFERENCES account,
	ADD CONSTRAINT request_waits CHECK
	    ((waiting_on = 'contact') = (waits_since IS NOT NULL)),
	ADD CONSTRAINT request_waits_open CHECK
	    (state = 'submitted' OR waiting_on = 'staff');
CREATE INDEX request_auto ON request (auto_at)
	WHERE state = 'submitted' AND auto_stopped_at IS NULL;
-- How long decisions took, by month.
CREATE INDEX request_decided ON request (decided_at)
	INCLUDE (submitted_at, waited)
	WHERE state IN ('approved', 'shared', 'rejected');

-- The clock, for whoever changes whom it waits on, and for all that end it.
-- The interval is made of seconds alone: days are not 24 hours everywhere.
CREATE FUNCTION request_clock() RETURNS trigger LANGUAGE plpgsql
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
CREATE TRIGGER request_clock BEFORE UPDATE OF state, waiting_on ON request
	FOR EACH ROW EXECUTE FUNCTION request_clock();

-- The thread of a request, which both sides read.  Rows are added only.
CREATE TABLE request_note (
	id		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	request_id	uuid NOT NULL REFERENCES request,
	kind		text NOT NULL CHECK (kind IN
			    ('question', 'answer', 'comment', 'decision')),
	side		text NOT NULL CHECK (side IN
			    ('staff', 'contact', 'system')),
	author_id	uuid REFERENCES account,	-- NULL: the system
	at		timestamptz NOT NULL DEFAULT now(),
	text		text NOT NULL DEFAULT '' CHECK
			    (char_length(text) <= 2000),
	outcome		text CHECK (outcome IN
			    ('approved', 'shared', 'rejected', 'withdrawn')),
	CONSTRAINT request_note_decision CHECK
	    ((kind = 'decision') = (outcome IS NOT NULL)),
	CONSTRAINT request_note_said CHECK (kind = 'decision' OR
	    (text <> '' AND author_id IS NOT NULL AND side <> 'system'))
);
CREATE INDEX request_note_thread ON request_note (request_id, id);

-- Whoever ends a request, in whatever way, the thread says so.
CREATE FUNCTION request_note_end() RETURNS trigger LANGUAGE plpgsql
	SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	INSERT INTO request_note (request_id, kind, side, author_id, text,
	    outcome)
	VALUES (NEW.id, 'decision', CASE
	    WHEN NEW.decided_by IS NULL THEN 'system'
	    WHEN EXISTS (SELECT FROM account WHERE id = NEW.decided_by
	    AND kind = 'staff') THEN 'staff' ELSE 'contact' END,
	    NEW.decided_by, left(NEW.reason, 2000), NEW.state);
	RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION request_note_end FROM PUBLIC;
CREATE TRIGGER request_note_end AFTER UPDATE OF state ON request
	FOR EACH ROW WHEN (OLD.state = 'submitted' AND NEW.state <> 'submitted')
	EXECUTE FUNCTION request_note_end();

-- Staff ask the owners of a client whether this contact may join it; the first
-- of them who answers has answered.
CREATE TABLE request_consent (
	id		uuid PRIMARY KEY,
	request_id	uuid NOT NULL REFERENCES request,
	tenant_id	uuid NOT NULL REFERENCES tenant,
	asked_by	uuid NOT NULL REFERENCES account,
	asked_at	timestamptz NOT NULL DEFAULT now(),
	answer		text CHECK (answer IN ('yes', 'no')),
	answered_by	uuid REFERENCES account,
	answered_at	timestamptz,
	CONSTRAINT request_consent_once UNIQUE (request_id, tenant_id),
	CONSTRAINT request_consent_answered CHECK
	    ((answer IS NULL) = (answered_at IS NULL)
	    AND (answer IS NULL) = (answered_by IS NULL))
);
CREATE INDEX request_consent_open ON request_consent (tenant_id)
	WHERE answer IS NULL;
CREATE FUNCTION request_consent_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF OLD.answer IS NOT NULL AND (NEW.answer, NEW.answered_by)
	    IS DISTINCT FROM (OLD.answer, OLD.answered_by) THEN
		RAISE EXCEPTION 'request_consent_answered'
		    USING ERRCODE = 'LK024';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER request_consent_guard BEFORE UPDATE ON request_consent
	FOR EACH ROW EXECUTE FUNCTION request_consent_guard();

-- Reasons that are often given.  What is chosen is copied to the request, so
-- these may change and go.
CREATE TABLE canned_reason (
	id		uuid PRIMARY KEY,
	title		text NOT NULL CHECK (title <> ''
			    AND char_length(title) <= 80),
	text		text NOT NULL CHECK (text <> ''
			    AND char_length(text) <= 1000),
	changed_at	timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX canned_reason_title ON canned_reason (lower(title));
INSERT INTO canned_reason (id, title, text) VALUES
	(gen_random_uuid(), 'Not your client''s mail address',
	 'We could not tell from your mail address that you work for this '
	 'client. Sign up with an address of the client''s own domain and '
	 'ask again.'),
	(gen_random_uuid(), 'Ask a colleague',
	 'Your client has a key already. An owner of it can invite you on the '
	 'page People, and you see the key then.'),
	(gen_random_uuid(), 'Name of another client',
	 'The name in this request belongs to another client. Ask again with '
	 'the name of your own.');

GRANT SELECT, INSERT ON request_note, request_consent TO latchkey_app;
GRANT UPDATE (answer, answered_by, answered_at) ON request_consent
	TO latchkey_app;
GRANT SELECT, INSERT, DELETE ON canned_reason TO latchkey_app;
GRANT UPDATE (title, text, changed_at) ON canned_reason
	TO latchkey_app;
GRANT UPDATE (auto_stopped_at) ON request TO latchkey_courier;
GRANT SELECT ON tenant_domain, public_mail_domain, request_consent
	TO latchkey_courier;

COMMIT;
