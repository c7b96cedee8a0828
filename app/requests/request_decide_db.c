/*
 * Decisions in the database, each one statement.
 *
 * `rq` locks the request's row, so that of several decisions at the same
 * moment the second waits, sees that the state has changed, and does nothing.
 * Requests of one tenant that are approved at the same moment meet at the
 * unique index subscription_one_live, which fails all but the first, whole.
 */
#include "requests/request.h"

#include <assert.h>

#include "keys/key.h"
#include "people/people.h"
#include "tenants/tenant.h"

/*
 * $1 request, $2 staff, $3 code of a tenant that exists, $4 reason.  Nobody
 * decides on a request of his own; staff have none, and it is asked still.  The
 * account is locked before the request: who is let in brings further requests
 * along (membership_requests()), so two decisions on one contact would wait
 * for each other.  The product is held as well: whoever closes it waits for
 * this decision, or this one sees that it is closed.  What is hidden or will
 * close still has keys, so who asked before may get one.  Where the product's
 * profile is not a pair, the subscription is all that is made: keys come later.
 */
#define DECIDE_REQUEST							\
    "who AS MATERIALIZED ("						\
    "  SELECT a.id FROM account a WHERE a.id = (SELECT account_id"	\
    "    FROM request WHERE id = $1::uuid) AND a.kind = 'contact'"	\
    "  AND a.state = 'active' FOR NO KEY UPDATE"			\
    "), rq AS ("							\
    "  SELECT r.id, r.account_id, r.product_id, r.environment, r.name,"	\
    "  pr.name AS product, pr.one_key_per_tenant, f.is_pair,"		\
    "  array_to_string(f.menu, ' → ') AS menu, p.name AS person,"	\
    "  p.email, p.email_domain, m.tenant_id AS own_tenant"		\
    "  FROM who JOIN request r ON r.account_id = who.id"		\
    "  JOIN person p ON p.account_id = who.id"				\
    "  JOIN product pr ON pr.id = r.product_id"				\
    "  JOIN key_profile f ON f.name = pr.profile"			\
    "  LEFT JOIN membership m ON m.account_id = r.account_id"		\
    "  WHERE r.id = $1::uuid AND r.state = 'submitted'"			\
    "  AND r.account_id <> $2::uuid"					\
    "  AND EXISTS (SELECT FROM account s WHERE s.id = $2::uuid"		\
    "    AND s.kind = 'staff' AND s.state = 'active')"			\
    "  AND pr.state <> 'closed' FOR UPDATE OF r FOR SHARE OF pr)"
/*
 * The rule of letting in: a member already, or the verified mail domain on the
 * tenant's list, or the consent of an owner, or a reason.  A contact of one tenant is never moved to
 * another.
 */
#define DECIDE_CHOSEN							\
    "chosen AS ("							\
    "  SELECT t.id, t.code, t.name,"					\
    "  CASE WHEN d.listed THEN 'domain' WHEN d.agreed THEN 'owner'"	\
    "  ELSE 'reason' END AS rule"					\
    "  FROM rq JOIN tenant t ON t.id = tenant_by_code($3::text)"		\
    "  AND t.state = 'active'"						\
    "  CROSS JOIN LATERAL (SELECT "					\
    PEOPLE_LISTED("t.id", "rq.email_domain") " AS listed,"		\
    "    EXISTS (SELECT FROM request_consent c JOIN membership m"	\
    "    ON m.account_id = c.answered_by AND m.tenant_id = t.id"	\
    "    AND m.role = 'owner' JOIN account o ON o.id = m.account_id"	\
    "    AND o.state = 'active' WHERE c.request_id = rq.id"		\
    "    AND c.tenant_id = t.id AND c.answer = 'yes') AS agreed) d"	\
    "  WHERE (rq.own_tenant IS NULL OR rq.own_tenant = t.id)"		\
    "  AND (rq.own_tenant = t.id OR d.listed OR d.agreed"		\
    "  OR $4::text <> ''))"
/* The first who is let in owns the tenant, of several at once as well. */
#define DECIDE_SEAT							\
    "seat AS ("								\
    "  INSERT INTO membership (account_id, tenant_id, role, let_in_by)"	\
    "  SELECT rq.account_id, target.id, membership_role(target.id),"	\
    "  target.rule"							\
    "  FROM rq, target WHERE rq.own_tenant IS NULL"			\
    "  RETURNING account_id, role, let_in_by)"
#define DECIDE_PARAMS							\
    "params AS (SELECT jsonb_build_object('request_id', rq.id,"		\
    "    'request_name', rq.name, 'product', rq.product,"		\
    "    'person', rq.person, 'email', rq.email, 'client', target.name," \
    "    'tenant_code', target.code,"					\
    "    'rule', (SELECT let_in_by FROM seat)) AS list"			\
    "  FROM rq, target)"
/* All owners are told at once whom somebody let in. */
#define DECIDE_TOLD							\
    "told AS ("								\
    "  SELECT mail_queue('owner_contact_joined', m.account_id, NULL,"	\
    "    params.list) AS mail"						\
    "  FROM seat, params, target"					\
    "  JOIN membership m ON m.tenant_id = target.id"			\
    "  AND m.role = 'owner'"						\
    "  JOIN account oa ON oa.id = m.account_id AND oa.state = 'active'"	\
    "  WHERE m.account_id <> seat.account_id)"
#define DECIDE_SEAT_AUDIT						\
    "CASE WHEN seat.account_id IS NOT NULL THEN"			\
    "  audit_write(target.id, 'account', $2::uuid, 'membership.created'," \
    "  'account', seat.account_id, jsonb_build_object("			\
    "  'role', seat.role, 'rule', seat.let_in_by, 'request', rq.id)) END"

WAITS static enum request_decide_result approve(struct db *,
		    const struct keyring *, const struct request_decision *,
		    const struct request_tenant *, const char **ret_constraint);
static enum request_decide_result refused(struct db *,
	    const struct db_rows *);
WAITS static enum request_decide_result outcome(struct db *,
		    const struct db_rows *, const char *request_id);

enum request_decide_result
request_db_approve(struct db *db, const struct keyring *ring,
    const struct request_decision *decision,
    const struct request_tenant *tenant)
{
	enum request_decide_result	 result = REQUEST_DECIDE_NOT;
	const char			*constraint;
	int				 turn;

	/* Two namesakes at the same moment may choose the same free slug: the
	 * loser changed nothing and chooses anew. */
	for (turn = 0; turn < 3; turn++) {
		constraint = "";
		result = approve(db, ring, decision, tenant, &constraint);
		if (!str_eq(constraint, "tenant_slug"))
			break;
	}
	return (result);
}

enum request_decide_result
request_db_share(struct db *db, const struct request_decision *decision,
    const char *tenant_code)
{
	const struct db_rows	*rows;

	DB_QUERY(request_share,
	    "WITH " DECIDE_REQUEST ", " DECIDE_CHOSEN ", target AS ("
	    "  SELECT chosen.*, k.id AS subscription_id, k.name AS key_name"
	    "  FROM rq, chosen CROSS JOIN LATERAL ("
	    "    SELECT s.id, s.name FROM subscription s"
	    "    WHERE s.tenant_id = chosen.id"
	    "    AND s.environment = rq.environment"
	    "    AND s.state IN ('active', 'suspended')"
	    "    AND (s.product_id = rq.product_id"
	    "    OR (s.one_key AND rq.one_key_per_tenant)) LIMIT 1) k"
	    "), " DECIDE_SEAT ", " DECIDE_PARAMS ", " DECIDE_TOLD
	    ", done AS ("
	    "  UPDATE request r SET state = 'shared', decided_at = now(),"
	    "    decided_by = $2::uuid, reason = $4::text,"
	    "    tenant_id = target.id,"
	    "    subscription_id = target.subscription_id"
	    "  FROM rq, target WHERE r.id = rq.id RETURNING r.id"
	    ") SELECT audit_write(target.id, 'account', $2::uuid,"
	    "  'request.shared', 'request', rq.id, jsonb_build_object("
	    "  'subscription', target.subscription_id,"
	    "  'rule', seat.let_in_by)),"
	    " mail_queue('request_shared', rq.account_id, NULL,"
	    "  params.list || jsonb_build_object("
	    "  'key_name', target.key_name)),"
	    " (SELECT count(told.mail) FROM told), "
	    DECIDE_SEAT_AUDIT
	    " FROM rq CROSS JOIN target CROSS JOIN params CROSS JOIN done"
	    " LEFT JOIN seat ON true");

	rows = db_write(db, &request_share, DB_ARGS(decision->request_id,
	    decision->staff_id, tenant_code, decision->reason));
	if (rows->outcome != DB_OK)
		return (refused(db, rows));
	return (outcome(db, rows, decision->request_id));
}

enum request_decide_result
request_db_reject(struct db *db, const struct request_decision *decision)
{
	const struct db_rows	*rows;

	DB_QUERY(request_reject,
	    "WITH done AS ("
	    "  UPDATE request r SET state = 'rejected', decided_at = now(),"
	    "    decided_by = $2::uuid, reason = $3::text"
	    "  WHERE r.id = $1::uuid AND r.state = 'submitted'"
	    "  AND r.account_id <> $2::uuid AND $3::text <> ''"
	    "  AND EXISTS (SELECT FROM account s WHERE s.id = $2::uuid"
	    "    AND s.kind = 'staff' AND s.state = 'active')"
	    "  RETURNING r.id, r.account_id, r.tenant_id, r.product_id, r.name"
	    ") SELECT audit_write(done.tenant_id, 'account', $2::uuid,"
	    "  'request.rejected', 'request', done.id),"
	    " mail_queue('request_rejected', done.account_id, NULL,"
	    "  jsonb_build_object('request_id', done.id,"
	    "  'request_name', done.name, 'product', pr.name,"
	    "  'product_slug', pr.slug, 'person', coalesce(p.name, ''),"
	    "  'client', coalesce(p.client, ''), 'reason', $3::text))"
	    " FROM done JOIN product pr ON pr.id = done.product_id"
	    " LEFT JOIN person p ON p.account_id = done.account_id");

	assert(*decision->reason != '\0');
	rows = db_write(db, &request_reject, DB_ARGS(decision->request_id,
	    decision->staff_id, decision->reason));
	db_must(db, rows);
	return (rows->n == 1 ? REQUEST_DECIDE_DONE : REQUEST_DECIDE_NOT);
}

static enum request_decide_result
approve(struct db *db, const struct keyring *ring,
    const struct request_decision *decision,
    const struct request_tenant *tenant, const char **ret_constraint)
{
	const struct db_rows	*rows;
	struct arena		*a = db_arena(db);
	struct key_made		 one, two;
	char			 subscription[UUID_TEXT], id[UUID_TEXT];
	bool			 is_new = tenant->code == NULL, made;

	/* A namesake gets -2, -3 ..., and after 99 of them the last digits of
	 * its own id. */
	DB_QUERY(request_approve,
	    "WITH " DECIDE_REQUEST ", " DECIDE_CHOSEN ", fresh AS ("
	    "  INSERT INTO tenant (id, code, name, name_folded, slug)"
	    "  SELECT $5::uuid, $6::text, $7::text, $8::text, coalesce(("
	    "    SELECT s.slug FROM (SELECT n, CASE WHEN n = 1"
	    "      THEN $9::text ELSE $9::text || '-' || n END AS slug"
	    "      FROM generate_series(1, 99) n) s"
	    "    WHERE NOT EXISTS (SELECT FROM tenant x"
	    "      WHERE x.slug = s.slug) ORDER BY s.n LIMIT 1),"
	    "    $9::text || '-' || right($5::uuid::text, 5))"
	    "  FROM rq WHERE $3::text IS NULL AND rq.own_tenant IS NULL"
	    "  RETURNING id, code, name"
	    "), target AS ("
	    "  SELECT id, code, name, rule, false AS is_new FROM chosen"
	    "  UNION ALL SELECT id, code, name, 'first', true FROM fresh"
	    "), domain AS ("
	    "  INSERT INTO tenant_domain (tenant_id, domain)"
	    "  SELECT fresh.id, rq.email_domain FROM fresh, rq"
	    "  WHERE $22::boolean AND NOT EXISTS (SELECT FROM"
	    "    public_mail_domain pm WHERE pm.domain = rq.email_domain)"
	    "  RETURNING tenant_id"
	    "), " DECIDE_SEAT ", " DECIDE_PARAMS ", " DECIDE_TOLD ", sub AS ("
	    "  INSERT INTO subscription (id, tenant_id, product_id,"
	    "    environment, one_key, name, approved_by)"
	    "  SELECT $10::uuid, target.id, rq.product_id, rq.environment,"
	    "  rq.one_key_per_tenant, rq.name, $2::uuid FROM rq, target"
	    "  RETURNING id"
	    "), pair AS ("
	    "  INSERT INTO subscription_key (id, subscription_id, slot, sealed,"
	    "    mac, prefix_mac, mac_version, last4, created_by)"
	    "  SELECT k.id, sub.id, k.slot, k.sealed, k.mac, k.prefix_mac,"
	    "  $11::int, k.last4, $2::uuid FROM sub, rq, (VALUES"
	    "    ($12::uuid, 'primary', $13::bytea, $14::bytea, $15::bytea,"
	    "    $16::text),"
	    "    ($17::uuid, 'secondary', $18::bytea, $19::bytea, $20::bytea,"
	    "    $21::text)) k (id, slot, sealed, mac, prefix_mac, last4)"
	    "  WHERE rq.is_pair"
	    "  RETURNING id"
	    "), done AS ("
	    "  UPDATE request r SET state = 'approved', decided_at = now(),"
	    "    decided_by = $2::uuid, reason = $4::text,"
	    "    tenant_id = target.id, subscription_id = sub.id"
	    "  FROM rq, target, sub WHERE r.id = rq.id RETURNING r.id"
	    ") SELECT audit_write(target.id, 'account', $2::uuid,"
	    "  'request.approved', 'request', rq.id, jsonb_build_object("
	    "  'subscription', sub.id, 'rule', seat.let_in_by)),"
	    " audit_write(target.id, 'account', $2::uuid,"
	    "  'subscription.created', 'subscription', sub.id,"
	    "  jsonb_build_object('request', rq.id)),"
	    " CASE WHEN target.is_new THEN audit_write(target.id, 'account',"
	    "  $2::uuid, 'tenant.created', 'tenant', target.id,"
	    "  jsonb_build_object('code', target.code)) END,"
	    " mail_queue('request_approved', rq.account_id, NULL,"
	    "  params.list || jsonb_build_object('menu', CASE WHEN rq.is_pair"
	    "  THEN NULL ELSE rq.menu END)),"
	    " (SELECT count(told.mail) FROM told),"
	    " (SELECT count(pair.id) FROM pair),"
	    " (SELECT audit_write(tenant_id, 'account', $2::uuid,"
	    "  'tenant.domain_listed', 'tenant', tenant_id) FROM domain), "
	    DECIDE_SEAT_AUDIT
	    " FROM rq CROSS JOIN target CROSS JOIN params CROSS JOIN sub"
	    " CROSS JOIN done LEFT JOIN seat ON true");

	assert(!is_new || tenant_code_valid(tenant->new_code));
	uuid_make(subscription);
	uuid_make(id);
	made = key_make(ring, "primary", &one) &&
	    key_make(ring, "secondary", &two);
	assert(made);		/* vault_load() saw that all kinds are there */
	rows = db_write(db, &request_approve, DB_ARGS(
	    decision->request_id, decision->staff_id, tenant->code,
	    decision->reason, id,
	    is_new ? tenant->new_code : "",
	    is_new ? tenant->new_name : "",
	    is_new ? tenant_fold(a, tenant->new_name) : "",
	    is_new ? tenant_slug(a, tenant->new_name, tenant->new_code) : "",
	    subscription, db_int(db, one.mac_version),
	    one.id, db_bytes(db, one.sealed, sizeof(one.sealed)),
	    db_bytes(db, one.mac, sizeof(one.mac)),
	    db_bytes(db, one.prefix_mac, sizeof(one.prefix_mac)), one.last4,
	    two.id, db_bytes(db, two.sealed, sizeof(two.sealed)),
	    db_bytes(db, two.mac, sizeof(two.mac)),
	    db_bytes(db, two.prefix_mac, sizeof(two.prefix_mac)), two.last4,
	    db_bool(is_new && tenant->list_domain)));
	if (rows->outcome != DB_OK) {
		*ret_constraint = rows->constraint;
		return (refused(db, rows));
	}
	return (outcome(db, rows, decision->request_id));
}

/* One row: done.  Otherwise something of the WHERE did not hold; a closed
 * product is told apart, since nothing on the request's page shows it. */
static enum request_decide_result
outcome(struct db *db, const struct db_rows *rows, const char *request_id)
{
	DB_QUERY(request_product_closed,
	    "SELECT EXISTS (SELECT FROM request r JOIN product pr"
	    "  ON pr.id = r.product_id AND pr.state = 'closed'"
	    "  WHERE r.id = $1)");

	if (rows->n == 1)
		return (REQUEST_DECIDE_DONE);
	rows = db_read(db, &request_product_closed, DB_ARGS(request_id));
	return (db_truth(rows, 0, 0) ? REQUEST_DECIDE_CLOSED :
	    REQUEST_DECIDE_NOT);
}

static enum request_decide_result
refused(struct db *db, const struct db_rows *rows)
{
	const char	*constraint = rows->constraint;

	if (str_eq(constraint, "subscription_one_live") ||
	    str_eq(constraint, "subscription_one_live_product"))
		return (REQUEST_DECIDE_HAS_KEY);
	if (str_eq(constraint, "tenant_code"))
		return (REQUEST_DECIDE_CODE);
	if (str_eq(constraint, "membership_pkey"))
		return (REQUEST_DECIDE_SEATED);
	/* Three times, by request_db_approve(). */
	if (str_eq(constraint, "tenant_slug"))
		return (REQUEST_DECIDE_NOT);
	db_refused(db, rows);	/* a rule that nobody told us of */
}
