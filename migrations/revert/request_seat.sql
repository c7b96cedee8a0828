BEGIN;
CREATE OR REPLACE FUNCTION request_approve_by_checks(p_request uuid, p_subscription uuid,
	p_mac_version integer,
	p_id1 uuid, p_sealed1 bytea, p_mac1 bytea, p_prefix1 bytea,
	p_last1 text,
	p_id2 uuid, p_sealed2 bytea, p_mac2 bytea, p_prefix2 bytea,
	p_last2 text) RETURNS boolean
	LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH who AS MATERIALIZED (
		SELECT a.id FROM account a WHERE a.id = (SELECT account_id
		    FROM request WHERE id = p_request)
		AND a.kind = 'contact' AND a.state = 'active'
		AND a.verified_at IS NOT NULL FOR NO KEY UPDATE
	), rq AS (
		SELECT r.id, r.account_id, r.product_id, r.environment, r.name,
		    r.client_folded, pr.name AS product, pr.one_key_per_tenant,
		    k.is_pair, array_to_string(k.menu, ' → ') AS menu, p.name AS person, p.email, p.email_domain, p.email_folded,
		    m.tenant_id AS own_tenant
		FROM who JOIN request r ON r.account_id = who.id
		JOIN person p ON p.account_id = who.id
		JOIN product pr ON pr.id = r.product_id
		    AND pr.state = 'published' AND pr.approval = 'checks'
		JOIN key_profile k ON k.name = pr.profile
		LEFT JOIN membership m ON m.account_id = who.id
		WHERE r.id = p_request AND r.state = 'submitted'
		AND r.waiting_on = 'staff' AND r.auto_at <= now()
		AND r.auto_stopped_at IS NULL AND r.due_at > now()
		FOR UPDATE OF r FOR SHARE OF pr
	), known AS (
		SELECT t.id, t.code, t.name FROM rq JOIN tenant t
		ON t.state = 'active' AND CASE WHEN rq.own_tenant IS NOT NULL
		    THEN t.id = rq.own_tenant
		    ELSE rq.client_folded <> ''
		    AND (t.name_folded = rq.client_folded
		    OR lower(replace(t.code, '-', '')) = rq.client_folded) END
	), target AS (
		SELECT known.* FROM rq, known
		WHERE (SELECT count(*) FROM known) = 1
		AND EXISTS (SELECT FROM tenant_domain d
		    WHERE d.tenant_id = known.id AND d.domain = rq.email_domain
		    AND NOT EXISTS (SELECT FROM public_mail_domain pm
		    WHERE pm.domain = d.domain))
		AND NOT EXISTS (SELECT FROM subscription s
		    WHERE s.tenant_id = known.id
		    AND s.environment = rq.environment
		    AND s.state IN ('active', 'suspended')
		    AND (s.product_id = rq.product_id
		    OR (s.one_key AND rq.one_key_per_tenant)))
		AND NOT EXISTS (SELECT FROM request o
		    WHERE o.state = 'submitted' AND o.id <> rq.id
		    AND (o.tenant_id = known.id
		    OR (o.client_folded = rq.client_folded
		    AND o.client_folded <> '')))
		AND (NOT EXISTS (SELECT FROM tenant_designated g
		    WHERE g.tenant_id = known.id)
		    OR EXISTS (SELECT FROM tenant_designated g
		    WHERE g.tenant_id = known.id
		    AND g.email_folded = rq.email_folded))
	), seat AS (
		INSERT INTO membership (account_id, tenant_id, role, let_in_by)
		SELECT rq.account_id, target.id, CASE WHEN EXISTS
		    (SELECT FROM membership m WHERE m.tenant_id = target.id)
		    THEN 'member' ELSE 'owner' END, 'domain'
		FROM rq, target WHERE rq.own_tenant IS NULL
		RETURNING account_id, role
	), params AS (
		SELECT jsonb_build_object('request_id', rq.id,
		    'request_name', rq.name, 'product', rq.product,
		    'person', rq.person, 'email', rq.email,
		    'client', target.name, 'rule', 'domain') AS list
		FROM rq, target
	), told AS (
		SELECT mail_queue('owner_contact_joined', m.account_id, NULL,
		    params.list) AS mail
		FROM seat, params, target
		JOIN membership m ON m.tenant_id = target.id
		    AND m.role = 'owner'
		JOIN account oa ON oa.id = m.account_id AND oa.state = 'active'
		WHERE m.account_id <> seat.account_id
	), sub AS (
		INSERT INTO subscription (id, tenant_id, product_id,
		    environment, one_key, name)
		SELECT p_subscription, target.id, rq.product_id,
		    rq.environment, rq.one_key_per_tenant, rq.name
		FROM rq, target RETURNING id
	), pair AS (
		INSERT INTO subscription_key (id, subscription_id, slot, sealed,
		    mac, prefix_mac, mac_version, last4)
		SELECT k.id, sub.id, k.slot, k.sealed, k.mac, k.prefix,
		    p_mac_version, k.last4 FROM sub, rq, (VALUES
		    (p_id1, 'primary', p_sealed1, p_mac1, p_prefix1, p_last1),
		    (p_id2, 'secondary', p_sealed2, p_mac2, p_prefix2,
		    p_last2)) k (id, slot, sealed, mac, prefix, last4)
		WHERE rq.is_pair
		RETURNING id
	), done AS (
		UPDATE request r SET state = 'approved', decided_at = now(),
		    tenant_id = target.id, subscription_id = sub.id
		FROM rq, target, sub WHERE r.id = rq.id RETURNING r.id
	), marks AS (
		SELECT audit_write(target.id, 'system', NULL,
		    'request.approved', 'request', done.id,
		    jsonb_build_object('subscription', sub.id,
		    'rule', 'checks')) AS a,
		audit_write(target.id, 'system', NULL, 'subscription.created',
		    'subscription', sub.id,
		    jsonb_build_object('request', done.id)) AS b,
		CASE WHEN seat.account_id IS NOT NULL THEN
		    audit_write(target.id, 'system', NULL,
		    'membership.created', 'account', seat.account_id,
		    jsonb_build_object('role', seat.role, 'rule', 'domain',
		    'request', done.id)) END AS c,
		mail_queue('request_approved', rq.account_id, NULL,
		    params.list || jsonb_build_object('menu', CASE
		    WHEN rq.is_pair THEN NULL ELSE rq.menu END)) AS d
		FROM done CROSS JOIN rq CROSS JOIN target CROSS JOIN params
		CROSS JOIN sub LEFT JOIN seat ON true
	)
	SELECT (SELECT count(a) + count(b) + count(c) + count(d) FROM marks)
	    + (SELECT count(mail) FROM told)
	    + (SELECT count(*) FROM pair) > 0
$$;

COMMIT;
