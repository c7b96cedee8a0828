/*
 * Subscriptions as staff see them: the list, and one with its keys and what
 * was done to it.
 */
#include "subscriptions/change.h"

#include <assert.h>

#include "base/str.h"
#include "crypto/token.h"

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"
#define COLUMNS								\
    "SELECT s.id, s.name, pr.name, s.environment, t.id, t.code, t.name,"	\
    " CASE WHEN s.state IN ('active', 'suspended')"			\
    "  AND s.expires_at <= now() THEN 'expired' ELSE s.state END,"	\
    " coalesce(p.name, ''), (SELECT coalesce(string_agg(k.last4, ' and '" \
    "  ORDER BY k.slot), '') FROM subscription_key k"			\
    "  WHERE k.subscription_id = s.id AND k.slot IS NOT NULL"		\
    "  AND k.state = 'current'), "					\
    MICROS("s.created_at") ", coalesce(" MICROS("s.expires_at") ", 0),"	\
    " coalesce(" MICROS("CASE WHEN s.state IN ('active', 'suspended')"	\
    "  AND s.expires_at <= now() THEN s.expires_at ELSE s.ended_at END") \
    ", 0), s.product_id, pr.profile, f.is_pair "
#define JOINS								\
    "JOIN tenant t ON t.id = s.tenant_id "				\
    "JOIN product pr ON pr.id = s.product_id "				\
    "JOIN key_profile f ON f.name = pr.profile "			\
    "LEFT JOIN person p ON p.account_id = s.approved_by "
/* Beyond every id that is there. */
#define FIRST	"coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')"

static struct subscription_list	page_read(struct db *,
				    const struct db_rows *);
static struct subscription	subscription_read(const struct db_rows *, int);
WAITS static const struct db_rows *list_ending(struct db *, const char *after);

struct subscription *
subscription_db_find(struct db *db, const char *id)
{
	DB_QUERY(subscription_find,
	    COLUMNS "FROM subscription s " JOINS "WHERE s.id = $1::uuid");
	const struct db_rows	*rows;
	struct subscription	*s;

	rows = db_read(db, &subscription_find, DB_ARGS(id));
	if (rows->n == 0)
		return (NULL);
	s = arena_alloc(db_arena(db), sizeof(*s));
	*s = subscription_read(rows, 0);
	return (s);
}

struct subscription_values
subscription_db_values(struct db *db, const char *id)
{
	/* At most two slots of a current and an old value each. */
	DB_QUERY(subscription_values,
	    "SELECT k.id, k.slot, k.last4, k.state = 'old', "
	    MICROS("k.created_at") ", coalesce(" MICROS("k.ends_at") ", 0),"
	    " coalesce(p.name, ''), coalesce(" MICROS("k.last_used_at")
	    ", 0), coalesce(host(k.last_used_address), '')"
	    " FROM subscription_key k"
	    " LEFT JOIN person p ON p.account_id = k.created_by"
	    " WHERE k.subscription_id = $1::uuid AND k.slot IS NOT NULL"
	    " AND (k.state = 'current'"
	    "  OR (k.state = 'old' AND k.ends_at > now()))"
	    " ORDER BY k.slot, k.state LIMIT 4");
	struct subscription_values	 values;
	const struct db_rows		*rows;
	int				 i;

	rows = db_read(db, &subscription_values, DB_ARGS(id));
	values.n = rows->n;
	values.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*values.list));
	for (i = 0; i < rows->n; i++)
		values.list[i] = (struct subscription_value){
			.id = db_text(rows, i, 0),
			.slot = db_text(rows, i, 1),
			.last4 = db_text(rows, i, 2),
			.is_old = db_truth(rows, i, 3),
			.made_at = db_number(rows, i, 4),
			.ends_at = db_number(rows, i, 5),
			.made_by = db_text(rows, i, 6),
			.used_at = db_number(rows, i, 7),
			.used_address = db_text(rows, i, 8),
		};
	return (values);
}

struct subscription_changes
subscription_db_changes(struct db *db, const char *id)
{
	DB_QUERY(subscription_changes,
	    "SELECT c.what, coalesce(p.name, ''), coalesce(c.slot, ''),"
	    " c.reason, " MICROS("c.at") ", coalesce(" MICROS("c.expires_at")
	    ", 0) FROM subscription_change c"
	    " LEFT JOIN person p ON p.account_id = c.account_id"
	    " WHERE c.subscription_id = $1::uuid ORDER BY c.id DESC LIMIT 100");
	_Static_assert(SUBSCRIPTION_CHANGES_MAX == 100, "the limit above");
	struct subscription_changes	 changes;
	const struct db_rows		*rows;
	int				 i;

	rows = db_read(db, &subscription_changes, DB_ARGS(id));
	changes.n = rows->n;
	changes.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*changes.list));
	for (i = 0; i < rows->n; i++)
		changes.list[i] = (struct subscription_change){
			.what = db_text(rows, i, 0),
			.by = db_text(rows, i, 1),
			.slot = db_text(rows, i, 2),
			.reason = db_text(rows, i, 3),
			.at = db_number(rows, i, 4),
			.expires_at = db_number(rows, i, 5),
		};
	return (changes);
}

struct subscription_list
subscription_db_list(struct db *db, enum subscription_filter filter,
    const char *after)
{
	/* One row more than a page tells whether there is a next one. */
	DB_QUERY(subscription_page,
	    COLUMNS "FROM subscription s " JOINS "WHERE s.id < " FIRST
	    " ORDER BY s.id DESC LIMIT 51");
	DB_QUERY(subscription_page_state,
	    COLUMNS "FROM subscription s " JOINS
	    "WHERE s.state = $2::text AND s.id < " FIRST
	    " ORDER BY s.id DESC LIMIT 51");
	_Static_assert(SUBSCRIPTION_PAGE_ROWS == 50,
	    "the limits are one more");
	static const char *const	 states[] = {
		[SUBSCRIPTION_ACTIVE] = "active",
		[SUBSCRIPTION_SUSPENDED] = "suspended",
		[SUBSCRIPTION_EXPIRED] = "expired",
		[SUBSCRIPTION_CANCELLED] = "cancelled",
	};
	struct subscription_list	 list;
	const struct db_rows		*rows;
	const struct subscription	*last;
	const char			*from;

	from = uuid_shaped(after) ? after : NULL;
	if (filter == SUBSCRIPTION_ENDING)
		rows = list_ending(db, after);
	else if (filter == SUBSCRIPTION_ALL)
		rows = db_read(db, &subscription_page, DB_ARGS(from));
	else
		rows = db_read(db, &subscription_page_state, DB_ARGS(from,
		    states[filter]));
	list = page_read(db, rows);
	if (filter == SUBSCRIPTION_ENDING && *list.next_after != '\0') {
		last = &list.list[list.n - 1];
		list.next_after = arena_fmt(db_arena(db), "%lld.%s",
		    (long long)last->expires_at, last->id);
	}
	return (list);
}

struct subscription_list
subscription_db_of_tenant(struct db *db, const char *tenant_id,
    const char *after)
{
	DB_QUERY(subscription_page_tenant,
	    COLUMNS "FROM subscription s " JOINS
	    "WHERE s.tenant_id = $2::uuid AND s.id < " FIRST
	    " ORDER BY s.id DESC LIMIT 51");
	_Static_assert(SUBSCRIPTION_PAGE_ROWS == 50, "the limit is one more");

	return (page_read(db, db_read(db, &subscription_page_tenant, DB_ARGS(
	    uuid_shaped(after) ? after : NULL, tenant_id))));
}

static struct subscription_list
page_read(struct db *db, const struct db_rows *rows)
{
	struct subscription_list	 list = { .next_after = "" };
	int				 i;

	list.n = rows->n > SUBSCRIPTION_PAGE_ROWS ? SUBSCRIPTION_PAGE_ROWS :
	    rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)list.n,
	    sizeof(*list.list));
	for (i = 0; i < list.n; i++)
		list.list[i] = subscription_read(rows, i);
	if (rows->n > list.n)
		list.next_after = list.list[list.n - 1].id;
	return (list);
}

/* By the end; after is "<microseconds>.<id>". */
WAITS static const struct db_rows *
list_ending(struct db *db, const char *after)
{
	DB_QUERY(subscription_page_ending,
	    COLUMNS "FROM subscription s " JOINS
	    "WHERE s.state IN ('active', 'suspended')"
	    " AND (s.expires_at, s.id) > ($1::timestamptz, $2::uuid)"
	    " ORDER BY s.expires_at, s.id LIMIT 51");
	const char	*dot = strchr(after, '.');
	int64_t		 at = 0;

	if (dot == NULL || !uuid_shaped(dot + 1) ||
	    !str_to_int(arena_strndup(db_arena(db), after,
	    (size_t)(dot - after)), 0, INT64_C(1) << 52, &at))
		dot = NULL;
	return (db_read(db, &subscription_page_ending, DB_ARGS(
	    db_time(db, dot == NULL ? 0 : at), dot == NULL ?
	    "00000000-0000-0000-0000-000000000000" : dot + 1)));
}

static struct subscription
subscription_read(const struct db_rows *rows, int i)
{
	const char	*state = db_text(rows, i, 7);

	return ((struct subscription){
		.id = db_text(rows, i, 0),
		.name = db_text(rows, i, 1),
		.product = db_text(rows, i, 2),
		.environment = db_text(rows, i, 3),
		.tenant_id = db_text(rows, i, 4),
		.tenant_code = db_text(rows, i, 5),
		.tenant_name = db_text(rows, i, 6),
		.state = state,
		.approved_by = db_text(rows, i, 8),
		.last4s = db_text(rows, i, 9),
		.created_at = db_number(rows, i, 10),
		.expires_at = db_number(rows, i, 11),
		.ended_at = db_number(rows, i, 12),
		.product_id = db_text(rows, i, 13),
		.profile = db_text(rows, i, 14),
		.is_pair = db_truth(rows, i, 15),
		.is_live = str_eq(state, "active") ||
		    str_eq(state, "suspended"),
	});
}
