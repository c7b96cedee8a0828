-- Versions of keys that change while programs run.
--
-- Who runs says in key_holder which versions it has, every two seconds and for
-- a while ahead: so a version comes into use when everybody has it, and one
-- whose machine died is waited for no longer than it promised.
BEGIN;

ALTER TABLE sealed_key
	-- NULL: made, and nobody seals under it before everybody can open.
	ADD COLUMN active_at timestamptz DEFAULT now(),
	ADD COLUMN data_version integer GENERATED ALWAYS AS
	    (CASE kind WHEN 'data' THEN version END) STORED,
	ADD CONSTRAINT sealed_key_data UNIQUE (data_version),
	ADD CONSTRAINT sealed_key_active CHECK
	    (kind = 'data' OR active_at IS NOT NULL);

-- The data key that a sealed value stands on: bytes 1 to 4, big endian.
CREATE FUNCTION sealed_version(p_sealed bytea) RETURNS integer
	LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN octet_length(p_sealed) >= 5 THEN
	    get_byte(p_sealed, 1) << 24 | get_byte(p_sealed, 2) << 16 |
	    get_byte(p_sealed, 3) << 8 | get_byte(p_sealed, 4) END;

-- No data key goes while a row stands on it, and no row comes under one that
-- has gone.
ALTER TABLE subscription_key
	ADD COLUMN data_version integer GENERATED ALWAYS AS
	    (sealed_version(sealed)) STORED,
	ADD CONSTRAINT subscription_key_data FOREIGN KEY (data_version)
	    REFERENCES sealed_key (data_version);
ALTER TABLE totp
	ADD COLUMN data_version integer GENERATED ALWAYS AS
	    (sealed_version(sealed)) STORED,
	ADD CONSTRAINT totp_data FOREIGN KEY (data_version)
	    REFERENCES sealed_key (data_version);

CREATE TABLE key_holder (
	id		uuid PRIMARY KEY,	-- of a process, from its start
	program		text NOT NULL CHECK (program IN ('portal', 'courier')),
	host		text NOT NULL,
	pid		integer NOT NULL,
	master_version	integer NOT NULL,	-- the newest in its file
	data_version	integer NOT NULL,	-- the newest that it opens
	seals_under	integer NOT NULL,	-- a data key
	alive_until	timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON key_holder
	TO latchkey_app, latchkey_courier;

-- Takes a data key away for good.  Not while anybody seals under it, and not
-- within an hour of the one that follows: forms that are open in browsers hold
-- values that are sealed, for half an hour at most.  Where rows stand on it,
-- the foreign keys refuse.
CREATE FUNCTION data_key_retire(p_version integer) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	DELETE FROM sealed_key WHERE data_version = p_version
	    AND EXISTS (SELECT FROM sealed_key AS next
	    WHERE next.data_version > p_version
	    AND next.active_at < now() - interval '1 hour')
	    AND NOT EXISTS (SELECT FROM key_holder
	    WHERE alive_until > now() AND seals_under <= p_version);
	RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION data_key_retire FROM PUBLIC;
GRANT EXECUTE ON FUNCTION data_key_retire TO latchkey_app;

COMMIT;
