/*
 * Reads of what was called.  A day's rows hold its hours, so that a year is as
 * few rows as a day; all go by the index of a subscription or of a time.
 */
#include "usage/usage.h"

#include "base/str.h"

#define US(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"
#define MINE	"WITH mine AS (SELECT id FROM subscription "		\
		"WHERE tenant_id = $1::uuid) "
#define ALLOWED	"coalesce(sum(u.calls) FILTER (WHERE u.outcome = 'allowed'), 0)::bigint"
#define REFUSED	"coalesce(sum(u.calls) FILTER (WHERE u.outcome <> 'allowed'), 0)::bigint"
/* Rows of a client since the span's beginning, of either table. */
#define HOURS	"mine JOIN usage_hour u ON u.subscription_id = mine.id "	\
		"AND u.hour >= date_trunc('hour', now()) "		\
		"- interval '23 hours' "
#define BEGIN	"(date_trunc($2, now() AT TIME ZONE 'UTC') "		\
		"- ($3::int - 1) * ('1 ' || $2)::interval)"
#define DAYS	"mine JOIN usage_day u ON u.subscription_id = mine.id "	\
		"AND u.day >= " BEGIN "::date "
/* Of one API user, or of all of them and of none. */
#define OF_USER(p) "AND (" p "::uuid IS NULL OR u.api_user_id = " p "::uuid) "
#define BY_USER	"LEFT JOIN api_user a ON a.id = u.api_user_id "
#define MONTH	"u.day >= (now() AT TIME ZONE 'UTC')::date - 29 "
#define THIS_MONTH "date_trunc('month', now() AT TIME ZONE 'UTC')::date"
#define CSV(x)	"'\"' || replace(regexp_replace(" x ", '^([-=+@])', "	\
		"'''\\1'), '\"', '\"\"') || '\"'"

static bool	 is_hours(const struct usage_span *);
static struct usage_parts parts_read(struct db *, const struct db_rows *);
static struct usage_clients clients_read(struct db *, const struct db_rows *);

struct usage_bars
usage_db_bars(struct db *db, const char *tenant_id, const char *user_id,
    const struct usage_span *span)
{
	DB_QUERY(usage_bars_hours, MINE ", sums AS (SELECT u.hour, "
	    ALLOWED " AS allowed, " REFUSED " AS refused FROM " HOURS
	    OF_USER("$2") "GROUP BY u.hour) SELECT " US("b") ", coalesce(allowed, 0), "
	    "coalesce(refused, 0) FROM generate_series("
	    "date_trunc('hour', now()) - interval '23 hours', "
	    "date_trunc('hour', now()), interval '1 hour') AS b "
	    "LEFT JOIN sums ON sums.hour = b ORDER BY b LIMIT 31");
	DB_QUERY(usage_bars_days, MINE ", sums AS (SELECT "
	    "date_trunc($2, u.day::timestamp) AS at, "
	    ALLOWED " AS allowed, " REFUSED " AS refused FROM " DAYS
	    OF_USER("$4") "GROUP BY 1) SELECT " US("b") ", coalesce(allowed, 0), "
	    "coalesce(refused, 0) FROM generate_series(" BEGIN ", "
	    "date_trunc($2, now() AT TIME ZONE 'UTC'), "
	    "('1 ' || $2)::interval) AS b "
	    "LEFT JOIN sums ON sums.at = b ORDER BY b LIMIT 31");
	const struct db_rows	*rows;
	struct usage_bars	 bars;
	int			 i;

	rows = is_hours(span) ? db_read(db, &usage_bars_hours,
	    DB_ARGS(tenant_id, user_id)) : db_read(db, &usage_bars_days,
	    DB_ARGS(tenant_id, span->step, db_int(db, span->bars), user_id));
	bars.n = rows->n;
	bars.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*bars.list));
	for (i = 0; i < rows->n; i++)
		bars.list[i] = (struct usage_bar){
			.at = db_number(rows, i, 0),
			.allowed = db_number(rows, i, 1),
			.refused = db_number(rows, i, 2) };
	return (bars);
}

struct usage_parts
usage_db_users(struct db *db, const char *tenant_id,
    const struct usage_span *span)
{
	DB_QUERY(usage_users_hours, MINE "SELECT coalesce(a.username, ''), "
	    ALLOWED ", " REFUSED " FROM " HOURS BY_USER
	    "GROUP BY 1 ORDER BY sum(u.calls) DESC, 1 LIMIT 50");
	DB_QUERY(usage_users_days, MINE "SELECT coalesce(a.username, ''), "
	    ALLOWED ", " REFUSED " FROM " DAYS BY_USER
	    "GROUP BY 1 ORDER BY sum(u.calls) DESC, 1 LIMIT 50");
	_Static_assert(USAGE_ROWS == 50, "the limits above");

	return (parts_read(db, is_hours(span) ?
	    db_read(db, &usage_users_hours, DB_ARGS(tenant_id)) :
	    db_read(db, &usage_users_days, DB_ARGS(tenant_id, span->step,
	    db_int(db, span->bars)))));
}

struct usage_parts
usage_db_outcomes(struct db *db, const char *tenant_id, const char *user_id,
    const struct usage_span *span)
{
	DB_QUERY(usage_outcomes_hours, MINE "SELECT u.outcome, "
	    ALLOWED ", " REFUSED " FROM " HOURS
	    OF_USER("$2") "WHERE u.outcome <> 'allowed' "
	    "GROUP BY 1 ORDER BY sum(u.calls) DESC, 1 LIMIT 50");
	DB_QUERY(usage_outcomes_days, MINE "SELECT u.outcome, "
	    ALLOWED ", " REFUSED " FROM " DAYS
	    OF_USER("$4") "WHERE u.outcome <> 'allowed' "
	    "GROUP BY 1 ORDER BY sum(u.calls) DESC, 1 LIMIT 50");

	return (parts_read(db, is_hours(span) ?
	    db_read(db, &usage_outcomes_hours, DB_ARGS(tenant_id, user_id)) :
	    db_read(db, &usage_outcomes_days, DB_ARGS(tenant_id, span->step,
	    db_int(db, span->bars), user_id))));
}

struct usage_quotas
usage_db_quotas(struct db *db, const char *tenant_id)
{
	DB_QUERY(usage_quotas, "SELECT s.name, p.name, "
	    "coalesce(t.calls_a_day, p.calls_a_day, 0)::bigint, "
	    "coalesce(t.calls_a_month, p.calls_a_month, 0)::bigint, "
	    "CASE WHEN c.day = (now() AT TIME ZONE 'UTC')::date "
	    "THEN c.day_calls ELSE 0 END, "
	    "CASE WHEN c.month = date_trunc('month', "
	    "now() AT TIME ZONE 'UTC')::date THEN c.month_calls ELSE 0 END "
	    "FROM subscription s JOIN product p ON p.id = s.product_id "
	    "JOIN tenant t ON t.id = s.tenant_id "
	    "LEFT JOIN usage_count c ON c.subscription_id = s.id "
	    "WHERE s.tenant_id = $1::uuid "
	    "AND s.state IN ('active', 'suspended') ORDER BY s.id LIMIT 50");
	const struct db_rows	*rows;
	struct usage_quotas	 quotas;
	int			 i;

	rows = db_read(db, &usage_quotas, DB_ARGS(tenant_id));
	quotas.n = rows->n;
	quotas.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*quotas.list));
	for (i = 0; i < rows->n; i++)
		quotas.list[i] = (struct usage_quota){
			.name = db_text(rows, i, 0),
			.product = db_text(rows, i, 1),
			.day = db_number(rows, i, 2),
			.month = db_number(rows, i, 3),
			.day_calls = db_number(rows, i, 4),
			.month_calls = db_number(rows, i, 5) };
	return (quotas);
}

struct buf *
usage_db_export(struct db *db, const char *tenant_id,
    const struct usage_span *span)
{
	/* What a spreadsheet would take for a formula is marked as text. */
	DB_QUERY(usage_export_hours, MINE "SELECT to_char(u.hour "
	    "AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI\"Z\"') || ',' || "
	    CSV("s.name") " || ',' || coalesce(a.username, '') || ',' || "
	    "u.outcome || ',' || u.calls FROM " HOURS
	    "JOIN subscription s ON s.id = mine.id " BY_USER
	    "ORDER BY u.hour, s.id, u.api_user_id, u.outcome LIMIT 10000");
	DB_QUERY(usage_export_days, MINE "SELECT u.day || ',' || "
	    CSV("s.name") " || ',' || coalesce(a.username, '') || ',' || "
	    "u.outcome || ',' || u.calls FROM " DAYS
	    "JOIN subscription s ON s.id = mine.id " BY_USER
	    "ORDER BY u.day, s.id, u.api_user_id, u.outcome LIMIT 10000");
	_Static_assert(USAGE_EXPORT == 10000, "the limits above");
	const struct db_rows	*rows;
	struct buf		*out;
	int			 i;

	rows = is_hours(span) ? db_read(db, &usage_export_hours,
	    DB_ARGS(tenant_id)) : db_read(db, &usage_export_days,
	    DB_ARGS(tenant_id, span->step, db_int(db, span->bars)));
	out = arena_alloc(db_arena(db), sizeof(*out));
	/* A name of 68 characters of four bytes, doubled, and the rest. */
	buf_init(out, db_arena(db), ((size_t)rows->n + 1) * 700);
	buf_str(out, "time,subscription,api_user,outcome,calls\r\n");
	for (i = 0; i < rows->n; i++) {
		buf_str(out, db_text(rows, i, 0));
		buf_str(out, "\r\n");
	}
	return (out);
}

struct usage_clients
usage_db_top(struct db *db, const char *calls, const char *after)
{
	/* What was refused is summed for those of the page alone. */
	DB_QUERY(usage_top, "WITH top AS MATERIALIZED (SELECT "
	    "c.subscription_id, c.month_calls FROM usage_count c "
	    "WHERE c.month = " THIS_MONTH " AND c.month_calls > 0 "
	    "AND (c.month_calls, c.subscription_id) < "
	    "(coalesce($1::bigint, 9223372036854775807), coalesce($2::uuid, "
	    "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) "
	    "ORDER BY c.month_calls DESC, c.subscription_id DESC LIMIT 51) "
	    "SELECT t.code, t.name, s.id, top.month_calls, r.refused, "
	    "0::bigint, false "
	    "FROM top CROSS JOIN LATERAL (SELECT id, tenant_id "
	    "FROM subscription WHERE id = top.subscription_id LIMIT 1) AS s "
	    "CROSS JOIN LATERAL (SELECT code, name FROM tenant "
	    "WHERE id = s.tenant_id LIMIT 1) AS t CROSS JOIN LATERAL "
	    "(SELECT coalesce(sum(u.calls), 0)::bigint AS refused "
	    "FROM usage_day u WHERE u.subscription_id = top.subscription_id "
	    "AND u.day >= " THIS_MONTH " AND u.outcome <> 'allowed') AS r "
	    "ORDER BY top.month_calls DESC, s.id DESC LIMIT 51");
	_Static_assert(USAGE_ROWS == 50, "the limits above, and one");

	return (clients_read(db, db_read(db, &usage_top,
	    DB_ARGS(calls, after))));
}

struct usage_parts
usage_db_refusals(struct db *db)
{
	DB_QUERY(usage_refusals, "SELECT u.outcome, " ALLOWED ", " REFUSED
	    " FROM usage_day u WHERE " MONTH "AND u.outcome <> 'allowed' "
	    "GROUP BY 1 ORDER BY sum(u.calls) DESC, 1 LIMIT 50");

	return (parts_read(db, db_read(db, &usage_refusals, DB_NONE)));
}

struct usage_clients
usage_db_unused(struct db *db, const char *after)
{
	/* Goes on behind the last one that was looked at, even where the page
	 * is not full. */
	DB_QUERY(usage_unused, "WITH old AS MATERIALIZED (SELECT id, "
	    "tenant_id, created_at FROM subscription WHERE state = 'active' "
	    "AND id > coalesce($1::uuid, "
	    "'00000000-0000-0000-0000-000000000000'::uuid) "
	    "ORDER BY id LIMIT 2000), found AS (SELECT t.code, t.name, old.id, "
	    "coalesce(" US("k.used_at") ", 0) AS used_at FROM old "
	    "CROSS JOIN LATERAL (SELECT max(last_used_at) AS used_at "
	    "FROM subscription_key WHERE subscription_id = old.id "
	    "AND state = 'current') AS k "
	    "JOIN tenant t ON t.id = old.tenant_id "
	    "WHERE coalesce(k.used_at, old.created_at) < "
	    "now() - interval '60 days' ORDER BY old.id LIMIT 51) "
	    "SELECT x.code, x.name, x.id, 0::bigint, 0::bigint, x.used_at, "
	    "x.is_end FROM (SELECT code, name, id, used_at, false AS is_end "
	    "FROM found UNION ALL (SELECT '', '', id, 0::bigint, true FROM old "
	    "ORDER BY id OFFSET 1999 LIMIT 1)) AS x "
	    "ORDER BY x.is_end, x.id LIMIT 52");
	_Static_assert(USAGE_UNUSED_DAYS == 60 && USAGE_ROWS == 50,
	    "the time and the limits above");

	return (clients_read(db, db_read(db, &usage_unused, DB_ARGS(after))));
}

static bool
is_hours(const struct usage_span *span)
{
	return (str_eq(span->step, "hour"));
}

static struct usage_parts
parts_read(struct db *db, const struct db_rows *rows)
{
	struct usage_parts	 parts = { .n = rows->n };
	int			 i;

	parts.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*parts.list));
	for (i = 0; i < rows->n; i++)
		parts.list[i] = (struct usage_part){
			.name = db_text(rows, i, 0),
			.allowed = db_number(rows, i, 1),
			.refused = db_number(rows, i, 2) };
	return (parts);
}

/* A page, one more where there is another, and where to go on from. */
static struct usage_clients
clients_read(struct db *db, const struct db_rows *rows)
{
	struct usage_clients	 clients = { .next_after = "" };
	struct usage_client	*c;
	int			 i;

	clients.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*clients.list));
	for (i = 0; i < rows->n && clients.n < USAGE_ROWS; i++) {
		if (db_truth(rows, i, 6))
			break;
		clients.list[clients.n++] = (struct usage_client){
			.code = db_text(rows, i, 0),
			.name = db_text(rows, i, 1),
			.subscription = db_text(rows, i, 2),
			.allowed = db_number(rows, i, 3),
			.refused = db_number(rows, i, 4),
			.used_at = db_number(rows, i, 5) };
	}
	if (i < rows->n && db_truth(rows, i, 6)) {
		clients.next_after = db_text(rows, i, 2);
	} else if (i < rows->n) {
		c = &clients.list[clients.n - 1];
		clients.next_after = c->subscription;
		clients.next_calls = c->allowed;
	}
	return (clients);
}
