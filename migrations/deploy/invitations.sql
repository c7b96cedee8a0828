-- Invitations to a client by its own people.  One is open for an address and a
-- client: a newer one ends it.  The address goes 30 days after its end.
BEGIN;

CREATE TABLE invitation (
	id		uuid PRIMARY KEY,
	tenant_id	uuid NOT NULL REFERENCES tenant,
	role		text NOT NULL CHECK (role IN
			    ('owner', 'manager', 'member')),
	email		text NOT NULL CHECK (octet_length(email) <= 254),
	email_folded	text NOT NULL,
	email_domain	text NOT NULL,
	invited_by	uuid NOT NULL REFERENCES account,
	token_hash	bytea NOT NULL,
	created_at	timestamptz NOT NULL DEFAULT now(),
	expires_at	timestamptz NOT NULL DEFAULT now() + interval '7 days',
	ended_at	timestamptz,
	ending		text CHECK (ending IN
			    ('accepted', 'withdrawn', 'replaced')),
	CONSTRAINT invitation_token UNIQUE (token_hash),
	CONSTRAINT invitation_ended CHECK
	    ((ended_at IS NULL) = (ending IS NULL))
);
CREATE UNIQUE INDEX invitation_open ON invitation (tenant_id, email_folded)
	WHERE ended_at IS NULL;
CREATE INDEX invitation_tenant ON invitation (tenant_id, id DESC);
CREATE INDEX invitation_age ON invitation (expires_at);

ALTER TABLE membership DROP CONSTRAINT membership_let_in_by_check;
ALTER TABLE membership ADD CONSTRAINT membership_let_in_by_check
	CHECK (let_in_by IN ('first', 'domain', 'owner', 'reason',
	    'invitation'));

-- What one person did: which keys were looked at.
CREATE INDEX audit_actor ON audit (actor_id, id DESC)
	WHERE actor_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON invitation TO latchkey_app;
GRANT SELECT, DELETE ON invitation TO latchkey_courier;

COMMIT;
