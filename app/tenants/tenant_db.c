/*
 * A client in the database, with all that its page shows.
 */
#include "tenants/tenant.h"

#include "tenants/tenant_row.h"

#define LINES(column, table)						\
	"(SELECT coalesce(string_agg(x." column ", E'\\n' ORDER BY x." column \
	"), '') FROM " table " x WHERE x.tenant_id = t.id)"

WAITS static void	read_contacts(struct db *, struct tenant_detail *);
WAITS static void	read_subscriptions(struct db *, struct tenant_detail *);
WAITS static void	read_requests(struct db *, struct tenant_detail *);
WAITS static void	read_users(struct db *, struct tenant_detail *);
WAITS static void	read_events(struct db *, struct tenant_detail *);

struct tenant *
tenant_db_find(struct db *db, const char *code)
{
	const struct db_rows	*rows;
	struct tenant		*t;

	DB_QUERY(tenant_find,
	    "SELECT " TENANT_COLUMNS "FROM tenant t " TENANT_KEY
	    "WHERE t.id = tenant_by_code($1)");

	rows = db_read(db, &tenant_find, DB_ARGS(code));
	if (rows->n == 0)
		return (NULL);
	t = arena_alloc(db_arena(db), sizeof(*t));
	*t = tenant_row_read(rows, 0);
	return (t);
}

struct tenant_facts *
tenant_db_facts(struct db *db, const char *id)
{
	const struct db_rows	*rows;
	struct tenant_facts	*facts;

	DB_QUERY(tenant_facts,
	    "SELECT " LINES("host", "tenant_host") ", "
	    LINES("domain", "tenant_domain") ", "
	    LINES("email", "tenant_designated") ", t.notices_to, t.notes, "
	    "t.version, coalesce(p.name, ''), t.ended_why, "
	    "coalesce(" TENANT_MICROS("t.ended_at") ", 0) "
	    "FROM tenant t LEFT JOIN person p ON p.account_id = t.ended_by "
	    "WHERE t.id = $1::uuid");

	rows = db_read(db, &tenant_facts, DB_ARGS(id));
	if (rows->n == 0)
		return (NULL);
	facts = arena_alloc(db_arena(db), sizeof(*facts));
	*facts = (struct tenant_facts){
		.hosts = db_text(rows, 0, 0),
		.domains = db_text(rows, 0, 1),
		.designated = db_text(rows, 0, 2),
		.notices_to = db_text(rows, 0, 3),
		.notes = db_text(rows, 0, 4),
		.version = db_number(rows, 0, 5),
		.ended_by = db_text(rows, 0, 6),
		.ended_why = db_text(rows, 0, 7),
		.ended_at = db_number(rows, 0, 8),
	};
	return (facts);
}

struct tenant_detail *
tenant_db_detail(struct db *db, const char *code)
{
	struct tenant_detail	*d;
	struct tenant		*t = tenant_db_find(db, code);
	struct tenant_facts	*facts;

	if (t == NULL)
		return (NULL);
	facts = tenant_db_facts(db, t->id);
	if (facts == NULL)
		return (NULL);
	d = arena_calloc(db_arena(db), 1, sizeof(*d));
	d->tenant = *t;
	d->facts = *facts;
	read_contacts(db, d);
	read_subscriptions(db, d);
	read_requests(db, d);
	read_users(db, d);
	read_events(db, d);
	return (d);
}

struct tenant
tenant_row_read(const struct db_rows *rows, int i)
{
	return ((struct tenant){
	    .id = db_text(rows, i, 0),
	    .code = db_text(rows, i, 1),
	    .name = db_text(rows, i, 2),
	    .slug = db_text(rows, i, 3),
	    .domains = db_text(rows, i, 4),
	    .created_at = db_number(rows, i, 5),
	    .contacts = db_number(rows, i, 6),
	    .key_state = db_text(rows, i, 7),
	    .key_name = db_text(rows, i, 8),
	    .is_active = db_truth(rows, i, 9),
	    .aliases = db_text(rows, i, 10),
	});
}

WAITS static void
read_contacts(struct db *db, struct tenant_detail *d)
{
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(tenant_contacts,
	    "SELECT p.account_id, p.name, p.email, m.role, "
	    TENANT_MICROS("m.created_at") " "
	    "FROM membership m JOIN person p ON p.account_id = m.account_id "
	    "WHERE m.tenant_id = $1 "
	    "ORDER BY array_position("
	    "  ARRAY['owner', 'manager', 'member'], m.role), m.created_at "
	    "LIMIT 200");

	rows = db_read(db, &tenant_contacts, DB_ARGS(d->tenant.id));
	d->contacts_n = rows->n;
	d->contacts =
	    arena_calloc(db_arena(db), (size_t)rows->n, sizeof(*d->contacts));
	for (i = 0; i < rows->n; i++)
		d->contacts[i] = (struct tenant_contact){
			.account_id = db_text(rows, i, 0),
			.person = db_text(rows, i, 1),
			.email = db_text(rows, i, 2),
			.role = db_text(rows, i, 3),
			.joined_at = db_number(rows, i, 4),
		};
}

WAITS static void
read_subscriptions(struct db *db, struct tenant_detail *d)
{
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(tenant_subscriptions,
	    "SELECT s.id, s.name, pr.name, s.state, "
	    TENANT_MICROS("s.created_at") ", coalesce(p.name, ''), "
	    "(SELECT coalesce(string_agg(k.last4, ' and ' ORDER BY k.slot), '')"
	    "  FROM subscription_key k WHERE k.subscription_id = s.id "
	    "  AND k.slot IS NOT NULL AND k.state = 'current') "
	    "FROM subscription s JOIN product pr ON pr.id = s.product_id "
	    "LEFT JOIN person p ON p.account_id = s.approved_by "
	    "WHERE s.tenant_id = $1 ORDER BY s.id DESC LIMIT 50");

	rows = db_read(db, &tenant_subscriptions, DB_ARGS(d->tenant.id));
	d->subscriptions_n = rows->n;
	d->subscriptions = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*d->subscriptions));
	for (i = 0; i < rows->n; i++)
		d->subscriptions[i] = (struct tenant_subscription){
			.id = db_text(rows, i, 0),
			.name = db_text(rows, i, 1),
			.product = db_text(rows, i, 2),
			.state = db_text(rows, i, 3),
			.created_at = db_number(rows, i, 4),
			.approved_by = db_text(rows, i, 5),
			.last4s = db_text(rows, i, 6),
		};
}

WAITS static void
read_requests(struct db *db, struct tenant_detail *d)
{
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(tenant_requests,
	    "SELECT r.id, r.name, pr.name, coalesce(p.name, ''), r.state, "
	    TENANT_MICROS("r.submitted_at") " "
	    "FROM request r JOIN product pr ON pr.id = r.product_id "
	    "LEFT JOIN person p ON p.account_id = r.account_id "
	    "WHERE r.tenant_id = $1 ORDER BY r.id DESC LIMIT 20");
	_Static_assert(TENANT_REQUESTS_MAX == 20, "the limit above");

	rows = db_read(db, &tenant_requests, DB_ARGS(d->tenant.id));
	d->requests_n = rows->n;
	d->requests =
	    arena_calloc(db_arena(db), (size_t)rows->n, sizeof(*d->requests));
	for (i = 0; i < rows->n; i++)
		d->requests[i] = (struct tenant_request){
			.id = db_text(rows, i, 0),
			.name = db_text(rows, i, 1),
			.product = db_text(rows, i, 2),
			.person = db_text(rows, i, 3),
			.state = db_text(rows, i, 4),
			.submitted_at = db_number(rows, i, 5),
		};
}

WAITS static void
read_users(struct db *db, struct tenant_detail *d)
{
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(tenant_users,
	    "SELECT u.username, u.integration, u.state, "
	    "coalesce(" TENANT_MICROS("u.last_used_at") ", 0) "
	    "FROM api_user u WHERE u.tenant_id = $1 AND u.state <> 'deleted' "
	    "ORDER BY u.id LIMIT 20");
	_Static_assert(TENANT_USERS_MAX == 20, "the limit above");

	rows = db_read(db, &tenant_users, DB_ARGS(d->tenant.id));
	d->users_n = rows->n;
	d->users = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*d->users));
	for (i = 0; i < rows->n; i++)
		d->users[i] = (struct tenant_user){
			.username = db_text(rows, i, 0),
			.integration = db_text(rows, i, 1),
			.state = db_text(rows, i, 2),
			.used_at = db_number(rows, i, 3),
		};
}

/* With those of the clients that were merged into it: their rows keep their
 * tenant, as no row of the audit is ever changed. */
WAITS static void
read_events(struct db *db, struct tenant_detail *d)
{
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(tenant_events,
	    "SELECT e.action, e.actor_kind, coalesce(p.name, ''), "
	    "coalesce(s.name, ''), " TENANT_MICROS("e.at") " "
	    "FROM (SELECT $1::uuid AS id UNION ALL "
	    "  SELECT id FROM tenant WHERE merged_into = $1::uuid) t "
	    "CROSS JOIN LATERAL (SELECT * FROM audit a "
	    "  WHERE a.tenant_id = t.id ORDER BY a.id DESC LIMIT 20) e "
	    "LEFT JOIN person p ON p.account_id = e.actor_id "
	    "LEFT JOIN person s ON e.subject_kind = 'account' "
	    "  AND s.account_id = e.subject_id "
	    "ORDER BY e.id DESC LIMIT 20");
	_Static_assert(TENANT_EVENTS_MAX == 20, "the limits above");

	rows = db_read(db, &tenant_events, DB_ARGS(d->tenant.id));
	d->events_n = rows->n;
	d->events =
	    arena_calloc(db_arena(db), (size_t)rows->n, sizeof(*d->events));
	for (i = 0; i < rows->n; i++)
		d->events[i] = (struct tenant_event){
			.action = db_text(rows, i, 0),
			.actor_kind = db_text(rows, i, 1),
			.person = db_text(rows, i, 2),
			.subject = db_text(rows, i, 3),
			.at = db_number(rows, i, 4),
		};
}
