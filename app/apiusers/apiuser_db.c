/*
 * API users in the database: reading.
 */
#include "apiusers/apiuser.h"

#include "base/str.h"

#define US(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"
#define US0(x)	"coalesce(" US(x) ", 0)"

/* Columns of struct api_user for a user `u`. */
#define USER_COLUMNS							\
	"u.id, u.username, u.vendor, u.integration, u.contact_name, "	\
	"u.contact_email, u.note, u.state, u.disabled_reason, "		\
	"coalesce(m.name, ''), coalesce(host(u.last_used_address), ''), " \
	"coalesce((SELECT string_agg(r.name, ', ' ORDER BY r.name) "	\
	"  FROM api_user_role ur JOIN api_role r ON r.id = ur.role_id "	\
	"  WHERE ur.api_user_id = u.id), ''), t.id, t.code, t.name, "	\
	"u.disabled_by_staff, " US("u.created_at") ", " US("u.state_at") ", u.version, " US0("u.expires_at") ", " US0( \
	    "u.last_used_at") ", " US0("p.created_at") ", " US0("o.ends_at") ", " US0("h.expires_at") ", " \
	"(SELECT coalesce(sum(d.calls), 0)::bigint FROM usage_day d "	\
	"  WHERE d.api_user_id = u.id AND d.day > "			\
	"  (now() AT TIME ZONE 'UTC')::date - 30)"
#define USER_FROM							\
	" FROM api_user u JOIN tenant t ON t.id = u.tenant_id "		\
	"LEFT JOIN person m ON m.account_id = u.created_by "		\
	"LEFT JOIN api_user_password p ON p.api_user_id = u.id "	\
	"  AND p.state = 'current' "					\
	"LEFT JOIN api_user_password o ON o.api_user_id = u.id "	\
	"  AND o.state = 'old' AND o.ends_at > now() "			\
	"LEFT JOIN api_hand_over h ON h.api_user_id = u.id "		\
	"  AND h.ended_at IS NULL AND h.expires_at > now() "

/* Does it hold what is looked for? */
#define FOUND(u, search)						\
	"(" search "::text = '' OR strpos(lower(concat_ws(' ', " u	\
	".username, " u ".vendor, " u ".integration, " u		\
	".contact_name, " u ".contact_email)), lower(" search "::text)) > 0)"

static struct api_user user_read(const struct db_rows *, int row);
static struct api_users users_read(struct db *, const struct db_rows *,
    int max);

WAITS struct api_users
api_user_db_list(struct db *db, const char *tenant_id, const char *search,
    const char *after)
{
	/* One row more than a page tells whether there is a next one.  A client
	 * has API_USERS_MAX at most, so they are looked through one by one. */
	DB_QUERY(api_user_list,
	    "SELECT " USER_COLUMNS ", (SELECT count(*) FROM api_user c"
	    "   WHERE c.tenant_id = $1::uuid AND c.state <> 'deleted'"
	    "   AND " FOUND("c", "$3") ")"
	    USER_FROM "WHERE u.tenant_id = $1::uuid AND u.name_held "
	    "AND u.state <> 'deleted' AND u.username > $2 "
	    "AND " FOUND("u", "$3") " "
	    "ORDER BY u.username LIMIT 51");
	_Static_assert(API_USER_PAGE_ROWS == 50, "the limit above is one more");
	const struct db_rows *rows;
	struct api_users users;

	rows = db_read(db, &api_user_list, DB_ARGS(tenant_id, after, search));
	users = users_read(db, rows, API_USER_PAGE_ROWS);
	users.total = rows->n > 0 ? db_number(rows, 0, 25) : 0;
	if (rows->n > users.n)
		users.next_after = users.list[users.n - 1].username;
	return (users);
}

WAITS struct api_users
api_user_db_unused(struct db *db, const char *tenant_id)
{
	DB_QUERY(api_user_unused,
	    "SELECT " USER_COLUMNS USER_FROM
	    "WHERE u.tenant_id = $1::uuid AND u.state = 'enabled' "
	    "AND coalesce(u.last_used_at, u.created_at) < "
	    "now() - interval '60 days' "
	    "ORDER BY coalesce(u.last_used_at, u.created_at), u.id LIMIT 3");
	_Static_assert(API_USER_UNUSED_DAYS == 60, "the time above");

	return (users_read(db,
	    db_read(db, &api_user_unused, DB_ARGS(tenant_id)), 3));
}

WAITS struct api_user *
api_user_db_find(struct db *db, const char *id, const char *tenant_id)
{
	DB_QUERY(api_user_find,
	    "SELECT " USER_COLUMNS USER_FROM
	    "WHERE u.id = $1::uuid AND u.state <> 'deleted' "
	    "AND ($2::uuid IS NULL OR u.tenant_id = $2::uuid)");
	const struct db_rows *rows;
	struct api_user *user;

	rows = db_read(db, &api_user_find, DB_ARGS(id, tenant_id));
	if (rows->n == 0)
		return (NULL);
	user = arena_alloc(db_arena(db), sizeof(*user));
	*user = user_read(rows, 0);
	return (user);
}

static struct api_users
users_read(struct db *db, const struct db_rows *rows, int max)
{
	struct api_users users = { .next_after = "" };
	int i;

	users.n = rows->n > max ? max : rows->n;
	users.list =
	    arena_calloc(db_arena(db), (size_t)users.n, sizeof(*users.list));
	for (i = 0; i < users.n; i++)
		users.list[i] = user_read(rows, i);
	return (users);
}

static struct api_user
user_read(const struct db_rows *rows, int i)
{
	return ((struct api_user){
	    .id = db_text(rows, i, 0),
	    .username = db_text(rows, i, 1),
	    .vendor = db_text(rows, i, 2),
	    .integration = db_text(rows, i, 3),
	    .contact_name = db_text(rows, i, 4),
	    .contact_email = db_text(rows, i, 5),
	    .note = db_text(rows, i, 6),
	    .state = db_text(rows, i, 7),
	    .disabled_reason = db_text(rows, i, 8),
	    .made_by = db_text(rows, i, 9),
	    .last_address = db_text(rows, i, 10),
	    .roles = db_text(rows, i, 11),
	    .tenant_id = db_text(rows, i, 12),
	    .code = db_text(rows, i, 13),
	    .client = db_text(rows, i, 14),
	    .disabled_by_staff = db_truth(rows, i, 15),
	    .created_at = db_number(rows, i, 16),
	    .state_at = db_number(rows, i, 17),
	    .version = db_number(rows, i, 18),
	    .expires_at = db_number(rows, i, 19),
	    .last_used_at = db_number(rows, i, 20),
	    .password_at = db_number(rows, i, 21),
	    .old_until = db_number(rows, i, 22),
	    .hand_over_until = db_number(rows, i, 23),
	    .calls = db_number(rows, i, 24),
	});
}
