/*
 * The profile in one statement: each part starts from an index of the
 * contact's account or tenant.  A worker keeps what it read: so whatever is
 * read here needs a trigger that stamps sessions (migrations/stamps).
 */
#include "profile/profile.h"

#include "base/clock.h"
#include "base/str.h"

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

#define REQUEST_COLUMNS							\
	"'r', r.id, r.name, r.product_id, r.state, r.decided_by, "	\
	"r.submitted_at, r.due_at, r.decided_at, r.reason, "		\
	"r.account_id = $1, r.waiting_on = 'contact', r.environment "

#define PROFILE_KEY(alias, slot)					\
	"LEFT JOIN LATERAL (SELECT last4, created_at "			\
	"FROM subscription_key WHERE subscription_id = x.id "		\
	"AND slot = '" slot "' AND state = 'current' LIMIT 1) "		\
	alias " ON true "

static void	end_by_clock(struct profile_row *);

struct profile
profile_db_read(struct db *db, const struct session *s)
{
	struct profile		 list;
	const struct db_rows	*rows;
	int			 i;

	/* LATERAL with LIMIT is looked up by index for each row, whatever the
	 * planner believes of tables that it has no statistics of yet. */
	DB_QUERY(profile_read,
	    "SELECT x.kind, x.id, x.name, p.name, p.slug, x.state, d.name, "
	    MICROS("x.at") ", coalesce(t.calls_a_minute, p.calls_a_minute), "
	    "coalesce(t.calls_a_day, p.calls_a_day), "
	    "k1.last4, k2.last4, " MICROS("k1.created_at") ", "
	    MICROS("k2.created_at") ", coalesce(" MICROS("x.due_at") ", 0), "
	    MICROS("x.decided_at") ", x.reason, x.is_own, x.waits, "
	    "coalesce(" MICROS("c.at") ", 0), coalesce(c.reason, ''), "
	    "coalesce(t.user_calls_a_minute, p.user_calls_a_minute, 0), "
	    "x.environment, f.is_pair, array_to_string(f.menu, ' → ') FROM ("
	    "(SELECT 's' AS kind, s.id, s.name, s.product_id, s.state, "
	    "s.approved_by AS by, s.created_at AS at, "
	    "s.expires_at AS due_at, s.ended_at AS decided_at, "
	    "''::text AS reason, true AS is_own, false AS waits, "
	    "s.environment "
	    "FROM subscription s WHERE s.tenant_id = $2 "
	    "ORDER BY s.id DESC LIMIT 20) "
	    "UNION ALL "
	    "(SELECT " REQUEST_COLUMNS "FROM request r "
	    "WHERE r.tenant_id = $2 AND r.state = 'submitted' "
	    "AND r.account_id <> $1) "
	    "UNION ALL "
	    "(SELECT " REQUEST_COLUMNS "FROM request r "
	    "WHERE r.account_id = $1 AND (r.decided_at IS NULL "
	    "OR r.decided_at > now() - interval '30 days') "
	    "ORDER BY r.id DESC LIMIT 10)) x "
	    "CROSS JOIN LATERAL (SELECT name, slug, calls_a_minute, "
	    "calls_a_day, user_calls_a_minute, profile "
	    "FROM product WHERE id = x.product_id LIMIT 1) p "
	    "JOIN key_profile f ON f.name = p.profile "
	    "LEFT JOIN LATERAL (SELECT calls_a_minute, calls_a_day, "
	    "user_calls_a_minute FROM tenant WHERE id = $2 LIMIT 1) t ON true "
	    "LEFT JOIN LATERAL (SELECT name FROM person "
	    "WHERE account_id = x.by LIMIT 1) d ON true "
	    PROFILE_KEY("k1", "primary") PROFILE_KEY("k2", "secondary")
	    "LEFT JOIN LATERAL (SELECT c.at, c.reason "
	    "FROM subscription_change c WHERE c.subscription_id = x.id "
	    "AND x.kind = 's' AND c.what = x.state "
	    "ORDER BY c.id DESC LIMIT 1) c ON true "
	    "ORDER BY x.kind DESC, x.is_own, x.id DESC");
	_Static_assert(PROFILE_REQUESTS_MAX == 10 &&
	    PROFILE_SUBSCRIPTIONS_MAX == 20 && PROFILE_DECIDED_DAYS == 30,
	    "the limits above");

	rows = session_kept(s);
	if (rows == NULL) {
		rows = db_read(db, &profile_read,
		    DB_ARGS(s->account_id, s->tenant_id));
		session_keep(s, rows);
	}
	list.n = rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*list.list));
	for (i = 0; i < rows->n; i++)
		list.list[i] = (struct profile_row){
			.expires_at = db_number(rows, i, 14),
			.ended_at = db_is_null(rows, i, 15) ? 0 :
			    db_number(rows, i, 15),
			.why_at = db_number(rows, i, 19),
			.why = db_text(rows, i, 20),
			.environment = db_text(rows, i, 22),
			.is_pair = db_truth(rows, i, 23),
			.menu = db_text(rows, i, 24),
			.kind = str_eq(db_text(rows, i, 0), "s") ?
			    PROFILE_SUBSCRIPTION : PROFILE_REQUEST,
			.id = db_text(rows, i, 1),
			.name = db_text(rows, i, 2),
			.product = db_text(rows, i, 3),
			.product_slug = db_text(rows, i, 4),
			.state = db_text(rows, i, 5),
			.by = db_is_null(rows, i, 6) ? "" :
			    db_text(rows, i, 6),
			.at = db_number(rows, i, 7),
			.calls_a_minute = db_number(rows, i, 8),
			.calls_a_day = db_is_null(rows, i, 9) ? 0 :
			    db_number(rows, i, 9),
			.user_calls_a_minute = db_number(rows, i, 21),
			.primary_last4 = db_text(rows, i, 10),
			.secondary_last4 = db_text(rows, i, 11),
			.primary_at = db_is_null(rows, i, 12) ? 0 :
			    db_number(rows, i, 12),
			.secondary_at = db_is_null(rows, i, 13) ? 0 :
			    db_number(rows, i, 13),
			.due_at = db_number(rows, i, 14),
			.decided_at = db_is_null(rows, i, 15) ? 0 :
			    db_number(rows, i, 15),
			.reason = db_text(rows, i, 16),
			.is_own = db_truth(rows, i, 17),
			.waits_on_contact = db_truth(rows, i, 18),
		};
	for (i = 0; i < list.n; i++)
		end_by_clock(&list.list[i]);
	return (list);
}

/* What has come to its end has ended, before the courier has written it down,
 * and whenever these rows were read. */
static void
end_by_clock(struct profile_row *row)
{
	if (row->kind == PROFILE_SUBSCRIPTION && row->expires_at != 0 &&
	    row->expires_at <= clock_now() && (str_eq(row->state, "active") ||
	    str_eq(row->state, "suspended")))
		row->state = "expired";
}
