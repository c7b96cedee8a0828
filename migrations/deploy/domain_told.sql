-- Whoever has an address of a mail domain on a client's list may be let in
-- without asking anybody: so its owners are told of each that is added, in
-- whatever way.  Who became owner by the same statement is told by that.
BEGIN;

INSERT INTO mail_kind (kind, words, optional, reader, path, path_id) VALUES
('domain_listed', 'A mail domain was listed for your company', false,
    'contact', '/people', '');

CREATE FUNCTION tenant_domain_told() RETURNS trigger LANGUAGE plpgsql
	SET search_path = public, pg_temp AS $$
BEGIN
	PERFORM mail_queue('domain_listed', m.account_id, NULL,
	    jsonb_build_object('client', t.name, 'domains', d.list))
	    FROM (SELECT tenant_id, string_agg(domain, ', ' ORDER BY domain)
		AS list FROM added GROUP BY tenant_id) d
	    JOIN tenant t ON t.id = d.tenant_id AND t.state = 'active'
	    JOIN membership m ON m.tenant_id = t.id AND m.role = 'owner'
		AND m.created_at < now()
	    JOIN account a ON a.id = m.account_id AND a.state = 'active';
	RETURN NULL;
END $$;
CREATE TRIGGER tenant_domain_told AFTER INSERT ON tenant_domain
	REFERENCING NEW TABLE AS added FOR EACH STATEMENT
	EXECUTE FUNCTION tenant_domain_told();

COMMIT;
