-- Clients.  The tenant owns its key; people come and go as members.
BEGIN;

CREATE TABLE tenant (
	id		uuid PRIMARY KEY,
	code		text NOT NULL CHECK (code ~ '^[A-Z0-9-]{2,32}$'),
	name		text NOT NULL CHECK (name <> ''),
	name_folded	text NOT NULL,	-- tenant_fold() in app/tenants
	slug		text NOT NULL CHECK
			    (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
	notes		text NOT NULL DEFAULT '',
	state		text NOT NULL DEFAULT 'active' CHECK (state IN
			    ('active', 'closed')),
	created_at	timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT tenant_code UNIQUE (code),
	CONSTRAINT tenant_slug UNIQUE (slug)
);
CREATE INDEX tenant_name ON tenant (name_folded);
-- A contact may have written the code in place of the name.
CREATE INDEX tenant_code_folded ON tenant (lower(replace(code, '-', '')));
CREATE FUNCTION tenant_keep_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.code <> OLD.code OR NEW.id <> OLD.id THEN
		RAISE EXCEPTION 'a tenant''s code never changes'
		    USING ERRCODE = 'LK010';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER tenant_keep_code BEFORE UPDATE ON tenant
	FOR EACH ROW EXECUTE FUNCTION tenant_keep_code();

-- Addresses under these belong to anybody, so they prove no employer.
CREATE TABLE public_mail_domain (
	domain		text PRIMARY KEY CHECK (domain = lower(domain))
);
INSERT INTO public_mail_domain (domain) VALUES
	('126.com'), ('139.com'), ('163.com'), ('aim.com'), ('aol.com'),
	('att.net'), ('bellsouth.net'), ('bigpond.com'), ('bluewin.ch'),
	('btinternet.com'), ('charter.net'), ('comcast.net'), ('cox.net'),
	('disroot.org'), ('duck.com'), ('earthlink.net'), ('email.com'),
	('fastmail.com'), ('fastmail.fm'), ('free.fr'), ('freenet.de'),
	('frontier.com'), ('gmail.com'), ('gmx.at'), ('gmx.ch'), ('gmx.com'),
	('gmx.de'), ('gmx.net'), ('googlemail.com'), ('hey.com'),
	('hotmail.co.uk'), ('hotmail.com'), ('hotmail.de'), ('hotmail.fr'),
	('hushmail.com'), ('icloud.com'), ('inbox.com'), ('juno.com'),
	('laposte.net'), ('libero.it'), ('live.co.uk'), ('live.com'),
	('mac.com'), ('mail.com'), ('mail.ru'), ('mailbox.org'), ('me.com'),
	('msn.com'), ('naver.com'), ('netzero.net'), ('o2.pl'),
	('optonline.net'), ('orange.fr'), ('outlook.com'), ('outlook.de'),
	('pm.me'), ('posteo.de'), ('proton.me'), ('protonmail.com'), ('qq.com'),
	('rediffmail.com'), ('rocketmail.com'), ('sbcglobal.net'), ('seznam.cz'),
	('sfr.fr'), ('shaw.ca'), ('sky.com'), ('t-online.de'), ('tuta.com'),
	('tutanota.com'), ('verizon.net'), ('virgilio.it'), ('wanadoo.fr'),
	('web.de'), ('windstream.net'), ('wp.pl'), ('yahoo.ca'),
	('yahoo.co.in'), ('yahoo.co.jp'), ('yahoo.co.uk'), ('yahoo.com'),
	('yahoo.com.br'), ('yahoo.de'), ('yahoo.fr'), ('yandex.com'),
	('yandex.ru'), ('ymail.com'), ('zoho.com');

CREATE TABLE tenant_domain (
	tenant_id	uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
	-- Labels parted by single dots, as addresses have them.
	domain		text NOT NULL CHECK (length(domain) <= 253 AND domain ~
	    '^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$'),
	PRIMARY KEY (tenant_id, domain)
);
CREATE INDEX tenant_domain_domain ON tenant_domain (domain);
-- The path is set: a temporary table of the same name must not stand in for
-- the list.
CREATE FUNCTION tenant_domain_private() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM public_mail_domain WHERE domain = NEW.domain) THEN
		RAISE EXCEPTION 'public_mail_domain' USING ERRCODE = 'LK011';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER tenant_domain_private BEFORE INSERT OR UPDATE ON tenant_domain
	FOR EACH ROW EXECUTE FUNCTION tenant_domain_private();

-- A contact belongs to one tenant.
CREATE TABLE membership (
	account_id	uuid PRIMARY KEY REFERENCES account,
	tenant_id	uuid NOT NULL REFERENCES tenant,
	role		text NOT NULL CHECK (role IN
			    ('owner', 'manager', 'member')),
	let_in_by	text NOT NULL CHECK (let_in_by IN
			    ('first', 'domain', 'owner', 'reason')),
	created_at	timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX membership_tenant ON membership (tenant_id, role);

GRANT SELECT, INSERT, UPDATE ON tenant, membership TO latchkey_app;
GRANT DELETE ON membership TO latchkey_app;
GRANT SELECT, INSERT, DELETE ON tenant_domain TO latchkey_app;
GRANT SELECT ON public_mail_domain TO latchkey_app;
GRANT SELECT ON tenant, membership TO latchkey_courier;

COMMIT;
