-- Notices: what mails tell stands in the portal as well, for 90 days.  Which
-- kinds of mail those are, and which of them a person may do without, stands
-- in mail_kind; a kind that is not there is mail only, and always sent: links,
-- and whatever nobody has thought of yet.
--
-- mail_queue() decides: the same statement that queued a mail before now makes
-- the notice, and the mail where the person wants one at once.
BEGIN;

CREATE TABLE mail_kind (
	kind		text PRIMARY KEY,
	words		text NOT NULL,		-- of the notice
	optional	boolean NOT NULL,	-- mail may be turned off
	reader		text NOT NULL CHECK (reader IN
			    ('contact', 'staff', 'all')),
	path		text NOT NULL,		-- where it leads; with "/" at
						-- its end the id behind it
	path_id		text NOT NULL DEFAULT ''	-- that parameter
);
INSERT INTO mail_kind (kind, words, optional, reader, path, path_id) VALUES
('request_submitted', 'Your request has come in', true, 'contact', '/profile', ''),
('request_approved', 'Your request is approved', true, 'contact', '/profile', ''),
('request_shared', 'The key is shared with you', true, 'contact', '/profile', ''),
('request_rejected', 'Your request is rejected', true, 'contact', '/profile', ''),
('request_withdrawn', 'Your request was withdrawn', true, 'contact', '/profile', ''),
('request_question', 'Staff ask you about your request', true, 'contact', '/requests/', 'request_id'),
('consent_ask', 'Your consent is asked for', true, 'contact', '/consents/', 'consent_id'),
('owner_person_joined', 'Somebody has joined your company here', false, 'contact', '/people', ''),
('owner_contact_joined', 'Somebody was let in to your company’s key', false, 'contact', '/people', ''),
('owner_person_gone', 'Somebody is no longer at your company here', true, 'contact', '/people', ''),
('people_out', 'You are no longer at a company here', false, 'contact', '/profile', ''),
('people_role', 'A role at your company has changed', true, 'contact', '/people', ''),
('seat_planned', 'Staff plan to seat an owner', false, 'all', '/people', ''),
('seat_done', 'Staff have seated an owner', false, 'all', '/people', ''),
('seat_cancelled', 'The seating of an owner is cancelled', false, 'all', '/people', ''),
('tenant_closed', 'Your company is closed here', false, 'contact', '/profile', ''),
('tenant_reopened', 'Your company is open here again', false, 'contact', '/profile', ''),
('tenant_merged', 'Your company was merged with another entry', false, 'contact', '/people', ''),
('subscription_expired', 'A subscription has ended at its time', false, 'contact', '/profile', ''),
('subscription_expiring', 'A subscription ends soon', true, 'contact', '/profile', ''),
('subscription_suspended', 'A subscription is suspended', true, 'contact', '/profile', ''),
('subscription_reactivated', 'A subscription is active again', true, 'contact', '/profile', ''),
('subscription_cancelled', 'A subscription is cancelled', true, 'contact', '/profile', ''),
('subscription_expiry', 'When a subscription ends has changed', true, 'contact', '/profile', ''),
('product_closing', 'A product will close, and its keys with it', true, 'contact', '/profile', ''),
('product_closing_soon', 'A product closes soon, and its keys with it', true, 'contact', '/profile', ''),
('product_kept', 'A product does not close after all', true, 'contact', '/profile', ''),
('product_closed', 'A product is closed, and its keys with it', false, 'contact', '/profile', ''),
('api_user_made', 'An API user was made', false, 'contact', '/api-users', ''),
('api_user_widened', 'An API user may do more', false, 'contact', '/api-users', ''),
('api_role_widened', 'A role of API users may do more', false, 'contact', '/api-roles', ''),
('api_user_state', 'An API user was shut off or opened', false, 'contact', '/api-users', ''),
('api_hand_over_made', 'A password is handed over by link', false, 'contact', '/api-users', ''),
('api_hand_over_used', 'A link with a password was used', false, 'contact', '/api-users', ''),
('request_submitted_staff', 'A request has come in', true, 'staff', '/staff/requests/', 'request_id'),
('request_answer', 'A contact has answered', true, 'staff', '/staff/requests/', 'request_id'),
('consent_answer', 'An owner has answered for consent', true, 'staff', '/staff/requests/', 'request_id'),
('join_ask_staff', 'Somebody asks to join a client', true, 'staff', '/staff/asks', ''),
('request_reminder', 'A request waits, half of its time is over', true, 'staff', '/staff/requests/', 'request_id'),
('request_overdue', 'A request is overdue', true, 'staff', '/staff/requests/', 'request_id'),
('subscription_given_up', 'An owner has cancelled a subscription', true, 'staff', '/staff/subscriptions/', 'subscription_id'),
('staff_role', 'A role among the staff has changed', false, 'staff', '/staff/people', ''),
('staff_gone', 'Somebody is no longer of the staff', false, 'staff', '/staff/people', ''),
('mail_failed', 'A mail could not be sent', true, 'staff', '/staff/people', ''),
('account_enabled', 'Your account is open again', false, 'all', '/account', ''),
('new_device', 'A sign-in from a new device', false, 'all', '/account/sessions', ''),
('password_changed', 'Your password was changed', false, 'all', '/account', ''),
('password_reset', 'Your password was set anew by mail', false, 'all', '/account', ''),
('email_undone', 'The change of your address was taken back', false, 'all', '/account', ''),
('factor_added', 'A second factor was added', false, 'all', '/account/two-factor', ''),
('factor_removed', 'A second factor was removed', false, 'all', '/account/two-factor', ''),
('factor_reset', 'Your second factor was taken off', false, 'all', '/account/two-factor', ''),
('passkey_added', 'A passkey was added', false, 'all', '/account/passkeys', ''),
('passkey_removed', 'A passkey was removed', false, 'all', '/account/passkeys', ''),
('recovery_renewed', 'New recovery codes were made', false, 'all', '/account/two-factor', ''),
('recovery_used', 'A recovery code was used', false, 'all', '/account/two-factor', '');

-- No references to account: it would lock rows that others write.
CREATE TABLE notice (
	id		uuid PRIMARY KEY,	-- its mail's, if there is one
	account_id	uuid NOT NULL,
	kind		text NOT NULL REFERENCES mail_kind,
	params		jsonb NOT NULL,		-- ids, and names of things
	at		timestamptz NOT NULL DEFAULT now(),
	read_at		timestamptz,
	digest		text NOT NULL DEFAULT '' CHECK (digest IN
			    ('', 'due', 'sent'))
);
CREATE INDEX notice_account ON notice (account_id, at, id);
CREATE INDEX notice_unread ON notice (account_id) WHERE read_at IS NULL;
CREATE INDEX notice_digest ON notice (at) WHERE digest = 'due';
CREATE INDEX notice_at ON notice (at);

-- No row: mail at once.
CREATE TABLE mail_choice (
	account_id	uuid NOT NULL,
	kind		text NOT NULL REFERENCES mail_kind,
	choice		text NOT NULL CHECK (choice IN ('daily', 'off')),
	PRIMARY KEY (account_id, kind)
);

-- Names of people, their addresses and what they wrote stay out of notices:
-- those live longer than mails in the outbox, and are not erased by person.
CREATE OR REPLACE FUNCTION mail_queue(p_kind text, p_account uuid,
	p_address text, p_params jsonb DEFAULT '{}') RETURNS uuid
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	v_id		uuid := gen_random_uuid();
	v_optional	boolean;
	v_choice	text;
BEGIN
	IF p_account IS NOT NULL THEN
		SELECT k.optional, c.choice INTO v_optional, v_choice
		    FROM mail_kind k LEFT JOIN mail_choice c ON k.optional
		    AND c.kind = k.kind AND c.account_id = p_account
		    WHERE k.kind = p_kind;
		IF FOUND THEN
			INSERT INTO notice (id, account_id, kind, params, digest)
			SELECT v_id, p_account, p_kind,
			    coalesce(jsonb_object_agg(e.key, e.value), '{}'),
			    CASE WHEN v_choice = 'daily' THEN 'due' ELSE '' END
			FROM jsonb_each_text(jsonb_strip_nulls(p_params)) AS e
			WHERE e.key IN ('request_id', 'request_name', 'product',
			    'subscription_id', 'subscription_name', 'consent_id',
			    'api_user', 'api_role');
		END IF;
	END IF;
	IF v_choice IS NULL THEN
		INSERT INTO outbox (id, kind, account_id, address, params)
		VALUES (v_id, p_kind, p_account,
		    CASE WHEN p_account IS NULL THEN p_address END,
		    jsonb_strip_nulls(p_params));
	END IF;
	RETURN v_id;
END $$;

-- What a notice says, and where it leads.
CREATE FUNCTION notice_words(k mail_kind, p_params jsonb) RETURNS text
	LANGUAGE sql STABLE AS $$
	SELECT k.words || coalesce(': ' || coalesce(p_params->>'request_name',
	    p_params->>'subscription_name', p_params->>'api_user',
	    p_params->>'api_role', p_params->>'product'), '')
$$;
CREATE FUNCTION notice_path(k mail_kind, p_params jsonb) RETURNS text
	LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN k.path_id = '' THEN k.path
	    ELSE k.path || coalesce(p_params->>k.path_id, '') END
$$;

-- The daily mail: to everybody who has notices that wait for it, from before
-- the last 7 o'clock (UTC).  At most 20 lines; the rest is counted.
CREATE FUNCTION notice_digests() RETURNS bigint
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH due AS (
		SELECT id FROM notice WHERE digest = 'due'
		AND at < date_trunc('day', now() AT TIME ZONE 'UTC'
		    - interval '7 hours') AT TIME ZONE 'UTC' + interval '7 hours'
		FOR UPDATE SKIP LOCKED),
	told AS (
		UPDATE notice AS n SET digest = 'sent' FROM due
		WHERE n.id = due.id
		RETURNING n.account_id, n.kind, n.params, n.at, n.id),
	line AS (
		SELECT t.account_id, notice_words(k, t.params) AS words,
		    row_number() OVER (PARTITION BY t.account_id
		    ORDER BY t.at, t.id) AS place,
		    count(*) OVER (PARTITION BY t.account_id) AS n
		FROM told AS t JOIN mail_kind AS k ON k.kind = t.kind),
	mail AS (
		SELECT mail_queue('digest', account_id, NULL,
		    jsonb_build_object('count', max(n)::text, 'lines',
		    string_agg(words, E'\n' ORDER BY place)
		    FILTER (WHERE place <= 20), 'more',
		    CASE WHEN max(n) > 20 THEN (max(n) - 20)::text END)) AS id
		FROM line GROUP BY account_id)
	SELECT count(id) FROM mail
$$;

-- By a link in a mail: one kind, or with 'digest' all that come daily.
CREATE FUNCTION mail_unsubscribe(p_account uuid, p_kind text) RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	UPDATE mail_choice SET choice = 'off'
	    WHERE account_id = p_account AND p_kind = 'digest';
	INSERT INTO mail_choice AS c (account_id, kind, choice)
	    SELECT p_account, k.kind, 'off' FROM mail_kind k
	    JOIN person p ON p.account_id = p_account
	    WHERE k.kind = p_kind AND k.optional
	    ON CONFLICT (account_id, kind) DO UPDATE SET choice = 'off'
$$;

-- With the person's name and address its notices go.
CREATE FUNCTION notice_forget() RETURNS trigger LANGUAGE plpgsql
	SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	DELETE FROM notice WHERE account_id = OLD.account_id;
	DELETE FROM mail_choice WHERE account_id = OLD.account_id;
	RETURN NULL;
END $$;
CREATE TRIGGER notice_forget AFTER DELETE ON person
	FOR EACH ROW EXECUTE FUNCTION notice_forget();

REVOKE ALL ON FUNCTION notice_words, notice_path, notice_digests,
	mail_unsubscribe, notice_forget FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice_words, notice_path TO latchkey_app;
GRANT EXECUTE ON FUNCTION mail_unsubscribe TO latchkey_app;
GRANT EXECUTE ON FUNCTION notice_digests TO latchkey_courier;
GRANT SELECT ON mail_kind TO latchkey_app, latchkey_courier;
GRANT SELECT ON notice TO latchkey_app;
GRANT UPDATE (read_at) ON notice TO latchkey_app;
GRANT SELECT (id, at), DELETE ON notice TO latchkey_courier;
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_choice TO latchkey_app;

COMMIT;
