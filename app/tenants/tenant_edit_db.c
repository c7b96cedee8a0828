/*
 * Clients are made, edited, closed and reopened: one statement each.
 *
 * The version in the WHERE lets only one of several edits at the same moment
 * through.  Of lists what went and what came is written, so that a domain keeps
 * its row.
 */
#include "tenants/tenant_edit.h"

#include "crypto/token.h"

#define ADMIN								\
    "me AS (SELECT id FROM account WHERE id = $1::uuid"		\
    "  AND kind = 'staff' AND staff_role = 'admin' AND state = 'active')"
/* $n a text[]; of a client `t`. */
#define LIST_OUT(table, column, n)					\
    "(DELETE FROM " table " x USING t WHERE x.tenant_id = t.id"		\
    "  AND NOT x." column " = ANY (" n "::text[]) RETURNING 1)"
#define LIST_IN(table, column, n)					\
    "(INSERT INTO " table " (tenant_id, " column ")"			\
    "  SELECT t.id, v FROM t, unnest(" n "::text[]) v WHERE NOT EXISTS" \
    "  (SELECT FROM " table " x WHERE x.tenant_id = t.id"		\
    "  AND x." column " = v) RETURNING 1)"
/* $9 addresses, $10 the same for comparing. */
#define DESIGNATED_IN							\
    "(INSERT INTO tenant_designated (tenant_id, email, email_folded)"	\
    "  SELECT t.id, v.email, v.folded FROM t, unnest($9::text[],"	\
    "  $10::text[]) v (email, folded) WHERE NOT EXISTS (SELECT FROM"	\
    "  tenant_designated x WHERE x.tenant_id = t.id"			\
    "  AND x.email_folded = v.folded) RETURNING 1)"
#define LISTS								\
    "hosts_in AS " LIST_IN("tenant_host", "host", "$7")			\
    ", domains_in AS " LIST_IN("tenant_domain", "domain", "$8")		\
    ", designated_in AS " DESIGNATED_IN
#define COUNT_OF(cte)	"(SELECT count(*) FROM " cte ")"
/* Owners of `done` are told, in one mail each. */
#define TELL_OWNERS(kind)						\
    "told AS (SELECT mail_queue(" kind ", m.account_id, NULL,"		\
    "    jsonb_build_object('client', done.name, 'by', b.name,"		\
    "    'reason', $3::text)) AS mail FROM done"				\
    "  JOIN membership m ON m.tenant_id = done.id AND m.role = 'owner'"	\
    "  JOIN account a ON a.id = m.account_id AND a.state = 'active'"	\
    "  JOIN person b ON b.account_id = $1::uuid)"

static enum tenant_result refused(struct db *, const struct db_rows *);

WAITS struct tenant_takens
tenant_db_taken(struct db *db, const char *id,
    const struct tenant_change *change)
{
	/* A code stands in the table of clients for good, also a former one. */
	DB_QUERY(tenant_taken,
	    "SELECT 'code', x.code, t.code, t.name, x.id <> t.id"
	    "  FROM tenant x JOIN tenant t"
	    "  ON t.id = coalesce(x.merged_into, x.id)"
	    "  WHERE x.code = $2::text AND $1::uuid IS NULL"
	    " UNION ALL SELECT 'slug', t.slug, t.code, t.name, false"
	    "  FROM tenant t WHERE t.slug = $3::text"
	    "  AND t.id IS DISTINCT FROM $1::uuid"
	    " UNION ALL SELECT 'host', h.host, t.code, t.name, false"
	    "  FROM tenant_host h JOIN tenant t ON t.id = h.tenant_id"
	    "  WHERE h.host = ANY ($4::text[])"
	    "  AND t.id IS DISTINCT FROM $1::uuid"
	    " UNION ALL SELECT 'public', p.domain, '', '', false"
	    "  FROM public_mail_domain p WHERE p.domain = ANY ($5::text[])"
	    " ORDER BY 1, 2");
	const struct db_rows	*rows;
	struct tenant_takens	 takens;
	int			 i;

	rows = db_read(db, &tenant_taken, DB_ARGS(id, change->code,
	    change->slug,
	    db_text_array(db, change->hosts.list, change->hosts.n),
	    db_text_array(db, change->domains.list, change->domains.n)));
	takens.n = rows->n;
	takens.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*takens.list));
	for (i = 0; i < rows->n; i++)
		takens.list[i] = (struct tenant_taken){
			.what = db_text(rows, i, 0),
			.value = db_text(rows, i, 1),
			.code = db_text(rows, i, 2),
			.name = db_text(rows, i, 3),
			.is_former = db_truth(rows, i, 4),
		};
	return (takens);
}

WAITS enum tenant_result
tenant_db_make(struct db *db, const char *who,
    const struct tenant_change *change)
{
	/* Without a slug: that of the name, or with -2, -3 ..., and after 99
	 * namesakes with the last digits of its own id. */
	DB_QUERY(tenant_make,
	    "WITH " ADMIN ", t AS (INSERT INTO tenant (id, code, name,"
	    "    name_folded, slug, notices_to, notes)"
	    "  SELECT $2::uuid, $3::text, $4::text, $5::text,"
	    "  CASE WHEN $6::text <> '' THEN $6::text ELSE coalesce(("
	    "    SELECT s.slug FROM (SELECT n, CASE WHEN n = 1"
	    "      THEN $11::text ELSE $11::text || '-' || n END AS slug"
	    "      FROM generate_series(1, 99) n) s"
	    "    WHERE NOT EXISTS (SELECT FROM tenant x"
	    "      WHERE x.slug = s.slug) ORDER BY s.n LIMIT 1),"
	    "    $11::text || '-' || right($2::uuid::text, 5)) END,"
	    "  $12::text, $13::text FROM me RETURNING id, code"
	    "), " LISTS " SELECT audit_write(t.id, 'account', $1::uuid,"
	    "  'tenant.created', 'tenant', t.id, jsonb_build_object("
	    "  'code', t.code, 'domains', " COUNT_OF("domains_in") ")), "
	    COUNT_OF("hosts_in") ", " COUNT_OF("designated_in") " FROM t");
	struct arena		*a = db_arena(db);
	const struct db_rows	*rows;
	char			 id[UUID_TEXT];

	uuid_make(id);
	rows = db_write(db, &tenant_make, DB_ARGS(who, id, change->code,
	    change->name, tenant_fold(a, change->name), change->slug,
	    db_text_array(db, change->hosts.list, change->hosts.n),
	    db_text_array(db, change->domains.list, change->domains.n),
	    db_text_array(db, change->designated.list, change->designated.n),
	    db_text_array(db, change->designated_folded.list,
	    change->designated_folded.n),
	    tenant_slug(a, change->name, change->code),
	    change->notices_to, change->notes));
	if (rows->outcome != DB_OK)
		return (refused(db, rows));
	return (rows->n == 1 ? TENANT_DONE : TENANT_NONE);
}

WAITS enum tenant_result
tenant_db_edit(struct db *db, const char *who, const char *id,
    const struct tenant_change *change)
{
	DB_QUERY(tenant_edit,
	    "WITH " ADMIN ", old AS (SELECT * FROM tenant"
	    "  WHERE id = $2::uuid AND state <> 'merged'"
	    "), t AS (UPDATE tenant n SET name = $4::text,"
	    "    name_folded = $5::text, slug = $6::text,"
	    "    notices_to = $11::text, notes = $12::text,"
	    "    version = n.version + 1"
	    "  FROM me, old WHERE n.id = old.id AND n.version = $3::int"
	    "  AND n.state <> 'merged' RETURNING n.id, n.name, n.slug,"
	    "    n.notices_to, n.notes"
	    "), hosts_out AS " LIST_OUT("tenant_host", "host", "$7")
	    ", domains_out AS " LIST_OUT("tenant_domain", "domain", "$8")
	    ", designated_out AS "
	    LIST_OUT("tenant_designated", "email_folded", "$10")
	    ", " LISTS " SELECT t.id IS NOT NULL, CASE WHEN t.id IS NOT NULL"
	    " THEN audit_write(t.id, 'account', $1::uuid, 'tenant.changed',"
	    "  'tenant', t.id, (SELECT coalesce(jsonb_object_agg(c.what,"
	    "  c.n), '{}') FROM (VALUES ('name', (t.name <> old.name)::int),"
	    "    ('slug', (t.slug <> old.slug)::int),"
	    "    ('notices_to', (t.notices_to <> old.notices_to)::int),"
	    "    ('notes', (t.notes <> old.notes)::int),"
	    "    ('hosts_added', " COUNT_OF("hosts_in") "),"
	    "    ('hosts_removed', " COUNT_OF("hosts_out") "),"
	    "    ('domains_added', " COUNT_OF("domains_in") "),"
	    "    ('domains_removed', " COUNT_OF("domains_out") "),"
	    "    ('designated_added', " COUNT_OF("designated_in") "),"
	    "    ('designated_removed', " COUNT_OF("designated_out") ")"
	    "    ) c (what, n) WHERE c.n > 0)) END"
	    " FROM me CROSS JOIN old LEFT JOIN t ON true");
	const struct db_rows	*rows;

	rows = db_write(db, &tenant_edit, DB_ARGS(who, id,
	    db_int(db, change->version), change->name,
	    tenant_fold(db_arena(db), change->name), change->slug,
	    db_text_array(db, change->hosts.list, change->hosts.n),
	    db_text_array(db, change->domains.list, change->domains.n),
	    db_text_array(db, change->designated.list, change->designated.n),
	    db_text_array(db, change->designated_folded.list,
	    change->designated_folded.n),
	    change->notices_to, change->notes));
	if (rows->outcome != DB_OK)
		return (refused(db, rows));
	if (rows->n == 0)
		return (TENANT_NONE);
	return (db_truth(rows, 0, 0) ? TENANT_DONE : TENANT_STALE);
}

WAITS enum tenant_result
tenant_db_close(struct db *db, const char *who, const char *id,
    const char *reason)
{
	DB_QUERY(tenant_close,
	    "WITH " ADMIN ", done AS (UPDATE tenant t SET state = 'closed',"
	    "    ended_at = now(), ended_by = me.id, ended_why = $3::text,"
	    "    version = t.version + 1"
	    "  FROM me WHERE t.id = $2::uuid AND t.state = 'active'"
	    "  RETURNING t.id, t.code, t.name"
	    "), invited AS (UPDATE invitation i SET ended_at = now(),"
	    "    ending = 'withdrawn' FROM done WHERE i.tenant_id = done.id"
	    "  AND i.ended_at IS NULL RETURNING 1"
	    "), seats AS (UPDATE seating s SET ended_at = now(),"
	    "    ending = 'void' FROM done WHERE s.tenant_id = done.id"
	    "  AND s.ended_at IS NULL RETURNING 1"
	    "), " TELL_OWNERS("'tenant_closed'")
	    " SELECT audit_write(done.id, 'account', $1::uuid,"
	    "  'tenant.closed', 'tenant', done.id, jsonb_build_object("
	    "  'invitations', " COUNT_OF("invited") ", 'seats', "
	    COUNT_OF("seats") ")), (SELECT count(told.mail) FROM told)"
	    " FROM done");
	const struct db_rows	*rows;

	rows = db_write(db, &tenant_close, DB_ARGS(who, id, reason));
	if (rows->outcome != DB_OK)
		return (refused(db, rows));
	return (rows->n == 1 ? TENANT_DONE : TENANT_NONE);
}

WAITS bool
tenant_db_reopen(struct db *db, const char *who, const char *id)
{
	DB_QUERY(tenant_reopen,
	    "WITH " ADMIN ", done AS (UPDATE tenant t SET state = 'active',"
	    "    ended_at = NULL, ended_by = NULL, ended_why = '',"
	    "    version = t.version + 1"
	    "  FROM me WHERE t.id = $2::uuid AND t.state = 'closed'"
	    "  RETURNING t.id, t.code, t.name"
	    "), " TELL_OWNERS("'tenant_reopened'")
	    " SELECT audit_write(done.id, 'account', $1::uuid,"
	    "  'tenant.reopened', 'tenant', done.id),"
	    "  (SELECT count(told.mail) FROM told) FROM done");
	const struct db_rows	*rows;

	rows = db_write(db, &tenant_reopen, DB_ARGS(who, id, ""));
	db_must(db, rows);
	return (rows->n == 1);
}

/* By constraints, and by what tenant_state_guard() raises. */
static enum tenant_result
refused(struct db *db, const struct db_rows *rows)
{
	if (str_eq(rows->constraint, "tenant_has_key"))
		return (TENANT_HAS_KEY);
	if (str_eq(rows->constraint, "tenant_has_request"))
		return (TENANT_HAS_REQUEST);
	if (rows->outcome != DB_CONFLICT &&
	    !str_eq(rows->constraint, "public_mail_domain"))
		db_refused(db, rows);
	return (TENANT_TAKEN);
}
