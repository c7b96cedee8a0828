/*
 * Requests in the database: the contact's side, and what staff read.
 *
 * A request is read with all facts for its checks in one statement, for one
 * request as for a whole page of the queue: one row for each tenant that it
 * may be of (or one without tenant), which are gathered here.
 */
#include "requests/request.h"

#include <assert.h>

#include "base/spoof.h"
#include "crypto/token.h"
#include "products/product.h"
#include "tenants/tenant.h"

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

/* What the owners of the tenant said of the request: a yes holds as long as who
 * said it is one of them. */
#define REQUEST_CONSENT							\
    "(SELECT CASE WHEN cs.answer IS NULL THEN 'asked'"			\
    "    WHEN cs.answer = 'no' OR EXISTS (SELECT FROM membership cm"	\
    "      JOIN account ca ON ca.id = cm.account_id"			\
    "      AND ca.state = 'active' WHERE cm.account_id = cs.answered_by" \
    "      AND cm.tenant_id = cs.tenant_id AND cm.role = 'owner')"	\
    "    THEN cs.answer ELSE 'no' END FROM request_consent cs"		\
    "    WHERE cs.request_id = r.id AND cs.tenant_id = t.id)"

/*
 * Columns 0 to 30 are the request's, 31 to 44 a candidate's.  A contact who is
 * a member has one candidate only: nobody is moved to another tenant.
 */
#define REQUEST_READ(from)						\
    "SELECT r.id, r.name, pr.name, pr.slug, r.client_folded, "		\
    "r.account_id, coalesce(p.name, ''), coalesce(p.email, ''), "	\
    "coalesce(p.email_domain, ''), coalesce(p.client, ''), r.state, "	\
    MICROS("r.submitted_at") ", " MICROS("r.due_at") ", "		\
    MICROS("a.verified_at") ", coalesce(" MICROS("r.decided_at") ", 0), " \
    "coalesce(dp.name, ''), r.reason, pr.one_key_per_tenant, "		\
    "EXISTS (SELECT FROM public_mail_domain d"				\
    "  WHERE d.domain = p.email_domain), "				\
    "(SELECT count(*) FROM request o WHERE o.state = 'submitted'"	\
    "  AND o.id <> r.id AND ((o.client_folded = r.client_folded"	\
    "  AND r.client_folded <> '') OR o.tenant_id = r.tenant_id)), "	\
    "r.environment, r.waiting_on = 'contact', "				\
    "coalesce(" MICROS("r.waits_since") ", 0), coalesce(ap.name, ''), "	\
    "coalesce(" MICROS("r.auto_at") ", 0), "				\
    "coalesce(" MICROS("r.auto_stopped_at") ", 0), "			\
    "coalesce(sp.name, ''), " MICROS("now()") ", "			\
    "coalesce(nt.code, ''), coalesce(nt.name, ''), CASE WHEN nt.id IS NULL" \
    "  THEN 0 ELSE r.near END, "					\
    "c.id, c.code, c.name, c.is_own, c.by_code, c.by_name, "		\
    "c.has_domain, c.domains, c.key_name, c.key_since, c.owners, "	\
    "c.consent, c.designated, c.is_designated "				\
    "FROM " from " r "							\
    "JOIN account a ON a.id = r.account_id "				\
    "JOIN product pr ON pr.id = r.product_id "				\
    "LEFT JOIN person p ON p.account_id = r.account_id "		\
    "LEFT JOIN person dp ON dp.account_id = r.decided_by "		\
    "LEFT JOIN person ap ON ap.account_id = r.assigned_to "		\
    "LEFT JOIN person sp ON sp.account_id = r.auto_stopped_by "		\
    "LEFT JOIN tenant nt ON nt.id = r.near_id AND nt.state = 'active' "	\
    "LEFT JOIN membership own ON own.account_id = r.account_id "	\
    "LEFT JOIN LATERAL (SELECT t.id, t.code, t.name,"			\
    "  coalesce(t.id = own.tenant_id, false) AS is_own,"		\
    "  lower(replace(t.code, '-', '')) = r.client_folded AS by_code,"	\
    "  t.name_folded = r.client_folded AS by_name,"			\
    "  EXISTS (SELECT FROM tenant_domain d WHERE d.tenant_id = t.id"	\
    "    AND d.domain = p.email_domain) AS has_domain,"			\
    "  (SELECT count(*) FROM tenant_domain d"				\
    "    WHERE d.tenant_id = t.id) AS domains,"				\
    "  (SELECT count(*) FROM tenant_designated d"			\
    "    WHERE d.tenant_id = t.id) AS designated,"			\
    "  EXISTS (SELECT FROM tenant_designated d WHERE d.tenant_id = t.id" \
    "    AND d.email_folded = p.email_folded) AS is_designated,"	\
    "  k.name AS key_name, " MICROS("k.created_at") " AS key_since,"	\
    "  (SELECT coalesce(string_agg(op.name, ', ' ORDER BY op.name), '')" \
    "    FROM membership om JOIN person op"				\
    "    ON op.account_id = om.account_id"				\
    "    WHERE om.tenant_id = t.id AND om.role = 'owner') AS owners,"	\
    "  coalesce(" REQUEST_CONSENT ", '') AS consent,"			\
    "  row_number() OVER (ORDER BY (t.id = own.tenant_id) DESC NULLS LAST," \
    "    (" REQUEST_CONSENT " = 'yes') DESC NULLS LAST,"		\
    "    (t.name_folded = r.client_folded OR"				\
    "    lower(replace(t.code, '-', '')) = r.client_folded) DESC,"	\
    "    t.code) AS place"						\
    "  FROM (SELECT own.tenant_id AS id WHERE own.tenant_id IS NOT NULL" \
    "    UNION SELECT coalesce(n.merged_into, n.id) FROM tenant n"	\
    "    WHERE n.name_folded = r.client_folded"				\
    "    AND r.client_folded <> '' AND own.tenant_id IS NULL"		\
    "    UNION SELECT coalesce(n.merged_into, n.id) FROM tenant n"	\
    "    WHERE lower(replace(n.code, '-', '')) = r.client_folded"	\
    "    AND own.tenant_id IS NULL"					\
    "    UNION SELECT cs.tenant_id FROM request_consent cs"		\
    "    WHERE cs.request_id = r.id AND own.tenant_id IS NULL"		\
    "    UNION SELECT d.tenant_id FROM tenant_domain d"			\
    "    WHERE d.domain = p.email_domain AND own.tenant_id IS NULL) i"	\
    "  JOIN tenant t ON t.id = i.id AND t.state = 'active'"		\
    "  LEFT JOIN LATERAL (SELECT s.name, s.created_at"			\
    "    FROM subscription s WHERE s.tenant_id = t.id"			\
    "    AND s.environment = r.environment"				\
    "    AND s.state IN ('active', 'suspended')"			\
    "    AND (s.product_id = r.product_id"				\
    "    OR (s.one_key AND pr.one_key_per_tenant)) LIMIT 1) k ON true"	\
    "  ORDER BY place LIMIT 5) c ON true "				\
    "ORDER BY r.submitted_at, r.id, c.place"

#define CANDIDATE_COLUMN	31

static struct request	request_read(const struct db_rows *, int row);
WAITS static void	near_read(struct db *, struct request *);
static void		candidate_read(const struct db_rows *, int row,
			    struct request *);

enum request_submit_result
request_db_submit(struct db *db, const char *account_id,
    const char *product_id, const char *name, const char *client,
    int64_t sla_hours, int64_t terms_version, const char *environment)
{
	const struct db_rows	*rows;
	const char		*folded = tenant_fold(db_arena(db), client);
	char			 id[UUID_TEXT];

	/*
	 * A tenant's contact with a live key asks in vain; who has no tenant
	 * yet may ask, and staff see the rest.  One open request a tenant and
	 * one an account and product: those are unique indexes.  What was
	 * accepted must be the terms as they stand.
	 */
	DB_QUERY(request_submit,
	    "WITH who AS ("
	    "  SELECT a.id AS account_id, m.tenant_id, pr.id AS product_id,"
	    "  pr.name AS product, p.name AS person"
	    "  FROM account a JOIN person p ON p.account_id = a.id"
	    "  JOIN product pr ON pr.id = $3 AND pr.state = 'published'"
	    "    AND coalesce(pr.terms_version, 0) = $8::int"
	    "  LEFT JOIN membership m ON m.account_id = a.id"
	    "  LEFT JOIN tenant t ON t.id = m.tenant_id"
	    "  WHERE a.id = $2 AND a.kind = 'contact' AND a.state = 'active'"
	    "  AND (t.id IS NULL OR t.state = 'active')"
	    "  AND NOT EXISTS (SELECT FROM subscription s"
	    "    WHERE s.tenant_id = m.tenant_id AND s.environment = $10"
	    "    AND s.state IN ('active', 'suspended')"
	    "    AND (s.product_id = pr.id"
	    "    OR (s.one_key AND pr.one_key_per_tenant)))"
	    "), near AS (SELECT x.id, least(100, greatest(1, round(100 *"
	    "    greatest(similarity(x.name_folded, $5::text),"
	    "    similarity(x.name_folded, $9::text)))))::smallint AS near"
	    "  FROM tenant x WHERE (x.name_folded % $5::text"
	    "  OR x.name_folded % $9::text) AND x.state = 'active'"
	    "  AND EXISTS (SELECT FROM who WHERE tenant_id IS NULL)"
	    "  ORDER BY 2 DESC, x.code LIMIT 1"
	    "), made AS ("
	    "  INSERT INTO request (id, account_id, product_id, tenant_id,"
	    "    environment, name, client_folded, due_at, near_id, near)"
	    "  SELECT $1::uuid, account_id, product_id, tenant_id, $10::text,"
	    "  $4::text,"
	    "  $5::text, now() + make_interval(hours => $6::int),"
	    "  near.id, near.near FROM who LEFT JOIN near ON true"
	    "  RETURNING id, account_id, tenant_id, due_at"
	    "), accepted AS ("
	    "  INSERT INTO terms_acceptance (request_id, account_id,"
	    "    product_id, version)"
	    "  SELECT made.id, who.account_id, who.product_id, $8::int"
	    "  FROM made, who WHERE $8::int > 0"
	    "), params AS ("
	    "  SELECT jsonb_build_object('request_id', made.id,"
	    "    'request_name', $4::text, 'product', who.product,"
	    "    'person', who.person, 'client', $7::text,"
	    "    'due_at', made.due_at) AS list FROM made, who"
	    "), told AS ("
	    "  SELECT mail_queue('request_submitted_staff', s.id, NULL,"
	    "    params.list) AS mail"
	    "  FROM params, account s"
	    "  WHERE s.kind = 'staff' AND s.state = 'active'"
	    ") SELECT audit_write(made.tenant_id, 'account', made.account_id,"
	    "  'request.submitted', 'request', made.id,"
	    "  jsonb_build_object('terms', nullif($8::int, 0))),"
	    " mail_queue('request_submitted', made.account_id, NULL,"
	    "  params.list),"
	    " (SELECT count(told.mail) FROM told)"
	    " FROM made, params");
	DB_QUERY(request_client_closed,
	    "SELECT EXISTS (SELECT FROM membership m JOIN tenant t"
	    "  ON t.id = m.tenant_id AND t.state <> 'active'"
	    "  WHERE m.account_id = $1)");

	uuid_make(id);
	rows = db_write(db, &request_submit, DB_ARGS(id, account_id,
	    product_id, name, folded, db_int(db, sla_hours), client,
	    db_int(db, terms_version), tenant_fold(db_arena(db),
	    spoof_skeleton(db_arena(db), folded)), environment));
	if (rows->outcome == DB_CONFLICT)
		return (REQUEST_SUBMIT_OPEN);
	db_must(db, rows);
	if (rows->n == 1)
		return (REQUEST_SUBMIT_DONE);
	rows = db_read(db, &request_client_closed, DB_ARGS(account_id));
	return (db_truth(rows, 0, 0) ? REQUEST_SUBMIT_CLIENT :
	    REQUEST_SUBMIT_CLOSED);
}

enum request_withdraw_result
request_db_withdraw(struct db *db, const char *account_id,
    const char *request_id)
{
	const struct db_rows	*rows;

	DB_QUERY(request_withdraw,
	    "WITH mine AS ("
	    "  SELECT r.id FROM request r"
	    "  LEFT JOIN membership m ON m.account_id = $1"
	    "  AND m.role = 'owner' AND m.tenant_id = r.tenant_id"
	    "  WHERE r.id = $2"
	    "  AND (r.account_id = $1 OR m.tenant_id IS NOT NULL)"
	    "), done AS ("
	    "  UPDATE request r SET state = 'withdrawn', decided_at = now(),"
	    "    decided_by = $1 FROM mine"
	    "  WHERE r.id = mine.id AND r.state = 'submitted'"
	    "  RETURNING r.id, r.tenant_id, r.account_id, r.name,"
	    "    r.product_id"
	    ") SELECT done.id IS NOT NULL,"
	    " CASE WHEN done.id IS NOT NULL THEN"
	    "  audit_write(done.tenant_id, 'account', $1,"
	    "  'request.withdrawn', 'request', done.id) END,"
	    " CASE WHEN done.account_id <> $1 THEN"
	    "  mail_queue('request_withdrawn', done.account_id, NULL,"
	    "  jsonb_build_object('request_id', done.id,"
	    "  'request_name', done.name, 'product', (SELECT pr.name"
	    "    FROM product pr WHERE pr.id = done.product_id),"
	    "  'by', (SELECT p.name FROM person p WHERE p.account_id = $1)))"
	    " END FROM mine LEFT JOIN done ON true");

	rows = db_write(db, &request_withdraw,
	    DB_ARGS(account_id, request_id));
	db_must(db, rows);
	if (rows->n == 0)
		return (REQUEST_WITHDRAW_NONE);
	return (db_truth(rows, 0, 0) ? REQUEST_WITHDRAW_DONE :
	    REQUEST_WITHDRAW_LATE);
}

struct request_list
request_db_list(struct db *db, const char *const *ids, int n)
{
	struct request_list	 list = { .n = 0 };
	const struct db_rows	*rows;
	struct request		*rq = NULL;
	int			 i;

	DB_QUERY(request_list,
	    REQUEST_READ("(SELECT * FROM request WHERE id = ANY($1::uuid[]))"));

	list.list = arena_calloc(db_arena(db), (size_t)n + 1,
	    sizeof(*list.list));
	if (n == 0)
		return (list);
	rows = db_read(db, &request_list, DB_ARGS(db_text_array(db, ids,
	    (size_t)n)));
	for (i = 0; i < rows->n; i++) {
		if (rq == NULL || !str_eq(rq->id, db_text(rows, i, 0))) {
			assert(list.n < n);
			rq = &list.list[list.n++];
			*rq = request_read(rows, i);
		}
		candidate_read(rows, i, rq);
	}
	return (list);
}

struct request *
request_db_find(struct db *db, const char *request_id)
{
	const struct db_rows	*rows;
	struct request		*rq;
	int			 i;

	DB_QUERY(request_find,
	    REQUEST_READ("(SELECT * FROM request WHERE id = $1)"));

	rows = db_read(db, &request_find, DB_ARGS(request_id));
	if (rows->n == 0)
		return (NULL);
	rq = arena_alloc(db_arena(db), sizeof(*rq));
	*rq = request_read(rows, 0);
	for (i = 0; i < rows->n; i++)
		candidate_read(rows, i, rq);
	if (rq->state == REQUEST_SUBMITTED)
		near_read(db, rq);
	return (rq);
}

static struct request
request_read(const struct db_rows *rows, int i)
{
	return ((struct request){
		.id = db_text(rows, i, 0),
		.name = db_text(rows, i, 1),
		.product = db_text(rows, i, 2),
		.product_slug = db_text(rows, i, 3),
		.client_folded = db_text(rows, i, 4),
		.account_id = db_text(rows, i, 5),
		.person = db_text(rows, i, 6),
		.email = db_text(rows, i, 7),
		.email_domain = db_text(rows, i, 8),
		.client = db_text(rows, i, 9),
		.state = request_state_parse(db_text(rows, i, 10)),
		.submitted_at = db_number(rows, i, 11),
		.due_at = db_number(rows, i, 12),
		.verified_at = db_number(rows, i, 13),
		.decided_at = db_number(rows, i, 14),
		.decided_by = db_text(rows, i, 15),
		.reason = db_text(rows, i, 16),
		.one_key = db_truth(rows, i, 17),
		.is_public_mail = db_truth(rows, i, 18),
		.others_open = db_number(rows, i, 19),
		.environment = db_text(rows, i, 20),
		.waits_on_contact = db_truth(rows, i, 21),
		.waits_since = db_number(rows, i, 22),
		.assigned_to = db_text(rows, i, 23),
		.auto_at = db_number(rows, i, 24),
		.auto_stopped_at = db_number(rows, i, 25),
		.auto_stopped_by = db_text(rows, i, 26),
		.read_at = db_number(rows, i, 27),
		.near_code = db_text(rows, i, 28),
		.near_name = db_text(rows, i, 29),
		.near = db_number(rows, i, 30),
	});
}

/* Tenants whose name is like the client's, by trigrams: what was typed, and
 * what the eye reads of it. */
static void
near_read(struct db *db, struct request *rq)
{
	const struct db_rows		*rows;
	struct request_candidate	*to;
	const char			*known[REQUEST_FITTING_MAX], *seen;
	int				 i;

	DB_QUERY(request_near,
	    "SELECT t.id, t.code, t.name, (SELECT count(*) FROM"
	    "  tenant_domain d WHERE d.tenant_id = t.id), k.name,"
	    " coalesce(" MICROS("k.created_at") ", 0),"
	    " (SELECT coalesce(string_agg(p.name, ', ' ORDER BY p.name), '')"
	    "  FROM membership m JOIN person p USING (account_id)"
	    "  WHERE m.tenant_id = t.id AND m.role = 'owner'),"
	    " greatest(round(t.near * 100), 1)::bigint"
	    " FROM (SELECT x.id, x.code, x.name, greatest("
	    "    similarity(x.name_folded, $2),"
	    "    similarity(x.name_folded, $3)) AS near FROM tenant x"
	    "  WHERE (x.name_folded % $2 OR x.name_folded % $3)"
	    "  AND x.state = 'active' AND x.id <> ALL ($4::uuid[])"
	    "  ORDER BY near DESC, x.code LIMIT 5) t"
	    " JOIN request r ON r.id = $1"
	    " JOIN product pr ON pr.id = r.product_id"
	    " LEFT JOIN LATERAL (SELECT s.name, s.created_at"
	    "  FROM subscription s WHERE s.tenant_id = t.id"
	    "  AND s.environment = r.environment"
	    "  AND s.state IN ('active', 'suspended')"
	    "  AND (s.product_id = r.product_id"
	    "  OR (s.one_key AND pr.one_key_per_tenant)) LIMIT 1) k ON true"
	    " WHERE NOT EXISTS (SELECT FROM membership m"
	    "  WHERE m.account_id = r.account_id)"
	    " ORDER BY t.near DESC, t.code");
	_Static_assert(REQUEST_NEAR_MAX == 5, "the limit above");

	if (*rq->client_folded == '\0' || (rq->candidates_n > 0 &&
	    rq->candidates[0].is_own))
		return;
	for (i = 0; i < rq->candidates_n; i++)
		known[i] = rq->candidates[i].tenant_id;
	seen = tenant_fold(db_arena(db), spoof_skeleton(db_arena(db),
	    rq->client_folded));
	rows = db_read(db, &request_near, DB_ARGS(rq->id, rq->client_folded,
	    seen, db_text_array(db, known, (size_t)rq->candidates_n)));
	for (i = 0; i < rows->n; i++) {
		to = &rq->candidates[rq->candidates_n++];
		*to = (struct request_candidate){
			.tenant_id = db_text(rows, i, 0),
			.code = db_text(rows, i, 1),
			.name = db_text(rows, i, 2),
			.domains = db_number(rows, i, 3),
			.key_name = db_text(rows, i, 4),
			.key_since = db_number(rows, i, 5),
			.owners = db_text(rows, i, 6),
			.consent = "",
			.similar = db_number(rows, i, 7),
		};
	}
}

static void
candidate_read(const struct db_rows *rows, int i, struct request *rq)
{
	const int			 c = CANDIDATE_COLUMN;
	struct request_candidate	*to;

	if (db_is_null(rows, i, c))
		return;
	assert(rq->candidates_n < REQUEST_FITTING_MAX);
	to = &rq->candidates[rq->candidates_n++];
	*to = (struct request_candidate){
		.tenant_id = db_text(rows, i, c),
		.code = db_text(rows, i, c + 1),
		.name = db_text(rows, i, c + 2),
		.is_own = db_truth(rows, i, c + 3),
		.by_code = db_truth(rows, i, c + 4),
		.by_name = db_truth(rows, i, c + 5),
		.has_domain = db_truth(rows, i, c + 6),
		.domains = db_number(rows, i, c + 7),
		.key_name = db_text(rows, i, c + 8),
		.key_since = db_is_null(rows, i, c + 9) ? 0 :
		    db_number(rows, i, c + 9),
		.owners = db_text(rows, i, c + 10),
		.consent = db_text(rows, i, c + 11),
		.designated = db_number(rows, i, c + 12),
		.is_designated = db_truth(rows, i, c + 13),
	};
}
