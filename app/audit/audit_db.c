/*
 * What people look for in the audit.  Each filter has an index in the order of
 * (at, id), and each statement below goes down one of them: the client's before
 * the person's before the action's; the other filters are looked at on the way,
 * which is short, since a client or a person has done only so much.
 */
#include "audit/audit.h"

#include "base/clock.h"
#include "base/str.h"

/*
 * $1 and $2 the place, $3 the time from which on.  What is looked for stands
 * in the comparison of rows and in the order, and not as an equation: with one
 * the planner might as well go down the index of all rows, and read a million
 * to find 51.
 */
#define ALONG(column, value)						\
	"(" column ", a.at, a.id) < (" value ", $1::timestamptz, "	\
	"$2::bigint) AND (" column ", a.at) >= (" value			\
	", $3::timestamptz) "
#define NEWEST(column, rows)						\
	"ORDER BY " column " DESC, a.at DESC, a.id DESC LIMIT " rows " "
/* Of a client alone, for which the planner must not guess how few there are. */
#define NARROWED							\
	"AND ($6::text IS NULL OR a.action = $6::text) "		\
	"AND ($7::text IS NULL OR a.actor_kind = $7::text) "		\
	"AND ($8::uuid IS NULL OR a.actor_id = $8::uuid) "		\
	"AND ($9::text IS NULL OR a.actor_id = (SELECT p.account_id "	\
	"FROM person p WHERE p.email_folded = $9::text)) "

/* The rows "x" of a client and of those that were merged into it. */
#define OF_CLIENT(rows, filters)					\
	"WITH RECURSIVE whose AS ("					\
	"SELECT coalesce($4::uuid, tenant_by_code($5::text)) AS id "	\
	"UNION SELECT t.id FROM tenant t "				\
	"JOIN whose ON t.merged_into = whose.id), "			\
	"x AS (SELECT a.* FROM whose CROSS JOIN LATERAL ("		\
	"SELECT a.* FROM audit a WHERE a.tenant_id IS NOT NULL AND "	\
	ALONG("a.tenant_id", "whose.id") filters			\
	NEWEST("a.tenant_id", rows) ") AS a "				\
	"ORDER BY a.at DESC, a.id DESC LIMIT " rows ") "
#define OF_ACTOR(rows)							\
	"WITH who AS MATERIALIZED (SELECT coalesce($4::uuid, "		\
	"(SELECT p.account_id FROM person p "				\
	"WHERE p.email_folded = $6::text)) AS id), "			\
	"x AS (SELECT a.* FROM audit a WHERE a.actor_id IS NOT NULL AND " \
	ALONG("a.actor_id", "(SELECT id FROM who)")			\
	"AND ($5::text IS NULL OR a.action = $5::text) "		\
	NEWEST("a.actor_id", rows) ") "
#define OF_KIND(rows)							\
	"WITH x AS (SELECT a.* FROM audit a WHERE a.actor_id IS NULL "	\
	"AND " ALONG("a.actor_kind", "$4::text")			\
	NEWEST("a.actor_kind", rows) ") "
/* An action is nearly always of one kind. */
#define OF_ACTION(rows)							\
	"WITH x AS (SELECT a.* FROM audit a WHERE "			\
	ALONG("a.action", "$4::text")					\
	"AND ($5::text IS NULL OR a.actor_kind = $5::text) "		\
	NEWEST("a.action", rows) ") "
#define OF_ALL(rows)							\
	"WITH x AS (SELECT a.* FROM audit a WHERE "			\
	"(a.at, a.id) < ($1::timestamptz, $2::bigint) "			\
	"AND a.at >= $3::timestamptz "					\
	"ORDER BY a.at DESC, a.id DESC LIMIT " rows ") "

#define COLUMNS								\
	"SELECT a.id, (extract(epoch FROM a.at) * 1000000)::bigint, "	\
	"coalesce(t.code, ''), coalesce(t.name, ''), a.actor_kind, "	\
	"coalesce(a.actor_id::text, ''), coalesce(p.name, ''), "	\
	"coalesce(c.kind = 'staff', false), a.action, "			\
	"a.subject_kind, a.subject_id, a.detail, "
#define FROM								\
	" FROM x AS a LEFT JOIN tenant t ON t.id = a.tenant_id "	\
	"LEFT JOIN person p ON p.account_id = a.actor_id "		\
	"LEFT JOIN account c ON c.id = a.actor_id "
#define IN_ORDER	"ORDER BY a.at DESC, a.id DESC"
/* A page names what was done to; an export has its id. */
#define PAGE								\
	COLUMNS "coalesce(sp.name, ss.name, sr.name, st.name, '')" FROM	\
	"LEFT JOIN person sp ON a.subject_kind = 'account' "		\
	"AND sp.account_id = a.subject_id "				\
	"LEFT JOIN subscription ss ON a.subject_kind = 'subscription' "	\
	"AND ss.id = a.subject_id "					\
	"LEFT JOIN request sr ON a.subject_kind = 'request' "		\
	"AND sr.id = a.subject_id "					\
	"LEFT JOIN tenant st ON a.subject_kind = 'tenant' "		\
	"AND st.id = a.subject_id " IN_ORDER
#define BATCH	COLUMNS "''" FROM IN_ORDER

struct queries {
	const struct db_query	*client, *narrow, *actor, *kind, *action, *all;
};

WAITS static const struct db_rows *look(struct db *, const struct queries *,
		    const struct audit_filter *, const struct audit_place *);
static struct audit_entries	entries(struct db *, const struct db_rows *,
		    int max);

WAITS struct audit_entries
audit_db_page(struct db *db, const struct audit_filter *filter,
    const struct audit_place *behind)
{
	DB_QUERY(audit_page_client, OF_CLIENT("51", "") PAGE);
	DB_QUERY(audit_page_narrow, OF_CLIENT("51", NARROWED) PAGE);
	DB_QUERY(audit_page_actor, OF_ACTOR("51") PAGE);
	DB_QUERY(audit_page_kind, OF_KIND("51") PAGE);
	DB_QUERY(audit_page_action, OF_ACTION("51") PAGE);
	DB_QUERY(audit_page_all, OF_ALL("51") PAGE);
	static const struct queries	 queries = { &audit_page_client,
		&audit_page_narrow, &audit_page_actor, &audit_page_kind,
		&audit_page_action, &audit_page_all };
	_Static_assert(AUDIT_PAGE_ROWS == 50, "the limits are one more");

	return (entries(db, look(db, &queries, filter, behind),
	    AUDIT_PAGE_ROWS));
}

WAITS struct audit_entries
audit_db_batch(struct db *db, const struct audit_filter *filter,
    const struct audit_place *behind)
{
	DB_QUERY(audit_batch_client, OF_CLIENT("501", "") BATCH);
	DB_QUERY(audit_batch_narrow, OF_CLIENT("501", NARROWED) BATCH);
	DB_QUERY(audit_batch_actor, OF_ACTOR("501") BATCH);
	DB_QUERY(audit_batch_kind, OF_KIND("501") BATCH);
	DB_QUERY(audit_batch_action, OF_ACTION("501") BATCH);
	DB_QUERY(audit_batch_all, OF_ALL("501") BATCH);
	static const struct queries	 queries = { &audit_batch_client,
		&audit_batch_narrow, &audit_batch_actor, &audit_batch_kind,
		&audit_batch_action, &audit_batch_all };
	_Static_assert(AUDIT_EXPORT_ROWS == 500, "the limits are one more");

	return (entries(db, look(db, &queries, filter, behind),
	    AUDIT_EXPORT_ROWS));
}

WAITS static const struct db_rows *
look(struct db *db, const struct queries *q, const struct audit_filter *f,
    const struct audit_place *behind)
{
	const char	*at, *id, *from;
	bool		 narrow;

	at = behind->id != NULL ? db_time(db, behind->at) : "infinity";
	id = behind->id != NULL ? behind->id : "0";
	if (f->until != 0 && (behind->id == NULL || behind->at > f->until)) {
		at = db_time(db, f->until);
		id = "0";
	}
	from = f->from != 0 ? db_time(db, f->from) : "-infinity";
	narrow = f->action != NULL || f->actor_kind != NULL ||
	    f->actor_id != NULL || f->actor_email != NULL;
	if ((f->tenant_id != NULL || f->tenant_code != NULL) && narrow)
		return (db_read(db, q->narrow, DB_ARGS(at, id, from,
		    f->tenant_id, f->tenant_code, f->action, f->actor_kind,
		    f->actor_id, f->actor_email)));
	if (f->tenant_id != NULL || f->tenant_code != NULL)
		return (db_read(db, q->client, DB_ARGS(at, id, from,
		    f->tenant_id, f->tenant_code)));
	if (f->actor_id != NULL || f->actor_email != NULL)
		return (db_read(db, q->actor, DB_ARGS(at, id, from,
		    f->actor_id, f->action, f->actor_email)));
	if (f->action != NULL)
		return (db_read(db, q->action, DB_ARGS(at, id, from,
		    f->action, f->actor_kind)));
	if (f->actor_kind != NULL)
		return (db_read(db, q->kind, DB_ARGS(at, id, from,
		    f->actor_kind)));
	return (db_read(db, q->all, DB_ARGS(at, id, from)));
}

static struct audit_entries
entries(struct db *db, const struct db_rows *rows, int max)
{
	struct audit_entries	 e;
	int			 i;

	e.more = rows->n > max;
	e.n = e.more ? max : rows->n;
	e.list = arena_calloc(db_arena(db), (size_t)e.n, sizeof(*e.list));
	for (i = 0; i < e.n; i++)
		e.list[i] = (struct audit_entry){
			.id = db_text(rows, i, 0),
			.at = db_number(rows, i, 1),
			.tenant_code = db_text(rows, i, 2),
			.tenant = db_text(rows, i, 3),
			.actor_kind = db_text(rows, i, 4),
			.actor_id = db_text(rows, i, 5),
			.actor = db_text(rows, i, 6),
			.by_staff = db_truth(rows, i, 7),
			.action = db_text(rows, i, 8),
			.subject_kind = db_text(rows, i, 9),
			.subject_id = db_text(rows, i, 10),
			.detail = db_text(rows, i, 11),
			.subject = db_text(rows, i, 12),
		};
	return (e);
}
