-- Keys that sign access tokens, each a JWK sealed under a data key.  Its public
-- half is made of the private one when it is read, so whoever writes into this
-- table alone can't put one of his own here.
--
-- One has no end: the last.  It signs from signs_at on; the one before goes on
-- until then, and is good for what it has signed until ends_at.
BEGIN;

CREATE TABLE signing_key (
	id		uuid PRIMARY KEY,
	kid		text NOT NULL UNIQUE CHECK
			    (kid ~ '^[A-Za-z0-9_-]{43}$'),
	alg		text NOT NULL CHECK (alg IN ('ES256', 'RS256')),
	sealed		bytea NOT NULL,
	data_version	integer GENERATED ALWAYS AS
			    (sealed_version(sealed)) STORED,
	created_at	timestamptz NOT NULL DEFAULT now(),
	signs_at	timestamptz NOT NULL,
	ends_at		timestamptz,
	CONSTRAINT signing_key_data FOREIGN KEY (data_version)
	    REFERENCES sealed_key (data_version)
);
CREATE UNIQUE INDEX signing_key_last ON signing_key ((true))
	WHERE ends_at IS NULL;

CREATE TRIGGER gateway_signing AFTER INSERT OR DELETE OR UPDATE OF signs_at, ends_at
	ON signing_key FOR EACH STATEMENT EXECUTE FUNCTION gateway_tell_all();

GRANT SELECT, INSERT, DELETE ON signing_key TO latchkey_app;
GRANT UPDATE (sealed, signs_at, ends_at) ON signing_key TO latchkey_app;

COMMIT;
