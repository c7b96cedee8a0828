/*
 * Tenants in the database.  A tenant's key is the live subscription among the
 * products with one key per tenant, found by the very index that allows one
 * only.
 */
#include "tenants/tenant.h"

/* Columns of struct tenant, in its order, for a tenant `t`; `k` is its key. */
#define TENANT_COLUMNS							\
	"t.id, t.code, t.name, t.slug, "				\
	"(SELECT coalesce(string_agg(d.domain, ', ' ORDER BY d.domain), '') " \
	"  FROM tenant_domain d WHERE d.tenant_id = t.id), "		\
	"(extract(epoch FROM t.created_at) * 1000000)::bigint, "	\
	"(SELECT count(*) FROM membership m WHERE m.tenant_id = t.id), "	\
	"k.state, k.name "
#define TENANT_KEY							\
	"LEFT JOIN LATERAL (SELECT s.state, s.name FROM subscription s "	\
	"  WHERE s.tenant_id = t.id AND s.environment = 'live' "	\
	"  AND s.one_key AND s.state IN ('active', 'suspended')) k ON true "

static struct tenant	tenant_read(const struct db_rows *, int row);

struct tenant *
tenant_db_find(struct db *db, const char *code)
{
	const struct db_rows	*rows;
	struct tenant		*t;

	DB_QUERY(tenant_find,
	    "SELECT " TENANT_COLUMNS "FROM tenant t " TENANT_KEY
	    "WHERE t.code = $1");

	rows = db_read(db, &tenant_find, DB_ARGS(code));
	if (rows->n == 0)
		return (NULL);
	t = arena_alloc(db_arena(db), sizeof(*t));
	*t = tenant_read(rows, 0);
	return (t);
}

struct tenant_list
tenant_db_list(struct db *db, const char *after)
{
	struct tenant_list	 list = { .next_after = "" };
	const struct db_rows	*rows;
	int			 i;

	/* One row more than a page tells whether there is a next one. */
	DB_QUERY(tenant_page,
	    "SELECT " TENANT_COLUMNS
	    ", (SELECT count(*) FROM tenant) FROM tenant t " TENANT_KEY
	    "WHERE t.code > $1 ORDER BY t.code LIMIT 51");
	_Static_assert(TENANT_PAGE_ROWS == 50, "the limit above is one more");

	rows = db_read(db, &tenant_page, DB_ARGS(after));
	list.n = rows->n > TENANT_PAGE_ROWS ? TENANT_PAGE_ROWS : rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)list.n,
	    sizeof(*list.list));
	for (i = 0; i < list.n; i++)
		list.list[i] = tenant_read(rows, i);
	if (rows->n > 0)
		list.total = db_number(rows, 0, 9);
	if (rows->n > list.n)
		list.next_after = list.list[list.n - 1].code;
	return (list);
}

struct tenant_detail *
tenant_db_detail(struct db *db, const char *code)
{
	const struct db_rows	*rows;
	struct tenant_detail	*d;
	struct tenant		*t = tenant_db_find(db, code);
	int			 i;

	DB_QUERY(tenant_contacts,
	    "SELECT p.name, p.email, m.role, "
	    "(extract(epoch FROM m.created_at) * 1000000)::bigint "
	    "FROM membership m JOIN person p ON p.account_id = m.account_id "
	    "WHERE m.tenant_id = $1 "
	    "ORDER BY array_position("
	    "  ARRAY['owner', 'manager', 'member'], m.role), m.created_at "
	    "LIMIT 200");
	DB_QUERY(tenant_subscriptions,
	    "SELECT s.id, s.name, pr.name, s.state, "
	    "(extract(epoch FROM s.created_at) * 1000000)::bigint, "
	    "coalesce(p.name, ''), "
	    "(SELECT coalesce(string_agg(k.last4, ' and ' ORDER BY k.slot), '')"
	    "  FROM subscription_key k WHERE k.subscription_id = s.id "
	    "  AND k.state = 'current') "
	    "FROM subscription s JOIN product pr ON pr.id = s.product_id "
	    "LEFT JOIN person p ON p.account_id = s.approved_by "
	    "WHERE s.tenant_id = $1 ORDER BY s.id DESC LIMIT 50");

	if (t == NULL)
		return (NULL);
	d = arena_alloc(db_arena(db), sizeof(*d));
	d->tenant = *t;
	rows = db_read(db, &tenant_contacts, DB_ARGS(t->id));
	d->contacts_n = rows->n;
	d->contacts = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*d->contacts));
	for (i = 0; i < rows->n; i++)
		d->contacts[i] = (struct tenant_contact){
			.person = db_text(rows, i, 0),
			.email = db_text(rows, i, 1),
			.role = db_text(rows, i, 2),
			.joined_at = db_number(rows, i, 3),
		};
	rows = db_read(db, &tenant_subscriptions, DB_ARGS(t->id));
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
	return (d);
}

static struct tenant
tenant_read(const struct db_rows *rows, int i)
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
	});
}
