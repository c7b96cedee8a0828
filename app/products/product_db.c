/*
 * The catalogue in the database.
 */
#include "products/catalogue.h"

#include <assert.h>

#include "base/setting.h"

static enum product_state state_parse(const char *);

struct product_list
product_db_list(struct db *db)
{
	struct product_list	 list;
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(product_list,
	    "SELECT " PRODUCT_COLUMNS "FROM product p "
	    "WHERE p.state IN ('published', 'closing') AND NOT p.was_hidden "
	    "ORDER BY p.place, p.name LIMIT 200");
	_Static_assert(PRODUCTS_MAX == 200, "the limit above");

	rows = db_read(db, &product_list, DB_NONE);
	list.n = rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*list.list));
	for (i = 0; i < rows->n; i++)
		list.list[i] = product_read(rows, i);
	return (list);
}

struct product *
product_db_find(struct db *db, const char *slug, const char *account_id)
{
	const struct db_rows	*rows;
	struct product		*p;

	DB_QUERY(product_find,
	    "SELECT " PRODUCT_COLUMNS "FROM product p "
	    "WHERE p.slug = $1 AND ((p.state NOT IN ('draft', 'hidden') "
	    "AND NOT p.was_hidden) OR EXISTS (SELECT FROM account a "
	    "WHERE a.id = $2::uuid AND a.kind = 'staff') "
	    "OR (p.state <> 'draft' AND (EXISTS (SELECT FROM membership m "
	    "JOIN subscription s ON s.tenant_id = m.tenant_id "
	    "WHERE m.account_id = $2::uuid AND s.product_id = p.id) "
	    "OR EXISTS (SELECT FROM request r WHERE r.account_id = $2::uuid "
	    "AND r.product_id = p.id AND r.state = 'submitted'))))");

	rows = db_read(db, &product_find, DB_ARGS(slug, account_id));
	if (rows->n == 0)
		return (NULL);
	p = arena_alloc(db_arena(db), sizeof(*p));
	*p = product_read(rows, 0);
	return (p);
}

const char *
product_db_terms(struct db *db, const char *product_id, int64_t version)
{
	const struct db_rows	*rows;

	DB_QUERY(product_terms,
	    "SELECT text FROM product_terms "
	    "WHERE product_id = $1::uuid AND version = $2::int");

	rows = db_read(db, &product_terms, DB_ARGS(product_id,
	    db_int(db, version)));
	return (rows->n == 0 ? NULL : db_text(rows, 0, 0));
}

struct product_accepted
product_db_accepted(struct db *db, const char *request_id)
{
	const struct db_rows	*rows;

	DB_QUERY(product_accepted,
	    "SELECT product_id, version, "
	    "(extract(epoch FROM at) * 1000000)::bigint "
	    "FROM terms_acceptance WHERE request_id = $1::uuid");

	rows = db_read(db, &product_accepted, DB_ARGS(request_id));
	if (rows->n == 0)
		return ((struct product_accepted){ NULL, 0, 0 });
	return ((struct product_accepted){
		.product_id = db_text(rows, 0, 0),
		.version = db_number(rows, 0, 1),
		.at = db_number(rows, 0, 2),
	});
}

struct product_resources
product_db_resources(struct db *db, const char *product_id)
{
	struct product_resources list;
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(product_resources,
	    "SELECT id, name, note, path, array_to_string(operations, ', ') "
	    "FROM product_resource WHERE product_id = $1 "
	    "ORDER BY place LIMIT 100");
	_Static_assert(PRODUCT_RESOURCES_MAX == 100, "the limit above");

	rows = db_read(db, &product_resources, DB_ARGS(product_id));
	list.n = rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*list.list));
	for (i = 0; i < rows->n; i++)
		list.list[i] = (struct product_resource){
			.id = db_text(rows, i, 0),
			.name = db_text(rows, i, 1),
			.note = db_text(rows, i, 2),
			.path = db_text(rows, i, 3),
			.operations = db_text(rows, i, 4),
		};
	return (list);
}

struct product_standing
product_db_standing(struct db *db, const struct product *p,
    const char *account_id, const char *environment)
{
	const struct db_rows	*rows;

	/* What the two unique indexes of subscription and request allow once,
	 * asked the same way; the key goes before the request. */
	DB_QUERY(product_standing,
	    "SELECT 1 AS rank, s.name, 0::bigint "
	    "FROM membership m JOIN subscription s ON s.tenant_id = m.tenant_id "
	    "WHERE m.account_id = $1 AND s.environment = $4 "
	    "AND s.state IN ('active', 'suspended') "
	    "AND (s.product_id = $2 OR (s.one_key AND $3::boolean)) "
	    "UNION ALL "
	    "SELECT 2, r.name, (extract(epoch FROM r.due_at) * 1000000)::bigint "
	    "FROM request r WHERE r.state = 'submitted' "
	    "AND r.account_id = $1 AND r.product_id = $2 "
	    "UNION ALL "
	    "SELECT 3, r.name, (extract(epoch FROM r.due_at) * 1000000)::bigint "
	    "FROM membership m JOIN request r ON r.tenant_id = m.tenant_id "
	    "WHERE m.account_id = $1 AND r.environment = $4 "
	    "AND r.state = 'submitted' "
	    "ORDER BY rank LIMIT 1");

	rows = db_read(db, &product_standing, DB_ARGS(account_id, p->id,
	    db_bool(p->one_key_per_tenant), environment));
	if (rows->n == 0)
		return ((struct product_standing){ PRODUCT_ASK_NEW, "", 0 });
	return ((struct product_standing){
		.ask = db_number(rows, 0, 0) == 1 ? PRODUCT_ASK_HAS_KEY :
		    PRODUCT_ASK_WAITING,
		.key_name = db_text(rows, 0, 1),
		.due_at = db_number(rows, 0, 2),
	});
}

struct product_standing
product_db_standing_any(struct db *db, const struct product *p,
    const char *account_id)
{
	struct product_standing	first = { PRODUCT_ASK_NEW, "", 0 }, one;
	size_t			i;

	for (i = 0; i < setting->environments_n; i++) {
		one = product_db_standing(db, p, account_id,
		    setting->environments[i]);
		if (one.ask == PRODUCT_ASK_NEW)
			return (one);
		if (i == 0)
			first = one;
	}
	return (first);
}

struct product
product_read(const struct db_rows *rows, int i)
{
	struct product	p = {
		.id = db_text(rows, i, 0),
		.slug = db_text(rows, i, 1),
		.name = db_text(rows, i, 2),
		.summary = db_text(rows, i, 3),
		.description = db_text(rows, i, 4),
		.base_url = db_text(rows, i, 5),
		.example_path = db_text(rows, i, 6),
		.calls_a_minute = db_number(rows, i, 8),
		.calls_a_day = db_number(rows, i, 9),
		.needs_api_user = db_truth(rows, i, 10),
		.one_key_per_tenant = db_truth(rows, i, 11),
		.version = db_number(rows, i, 12),
		.place = db_number(rows, i, 13),
		.calls_a_second = db_number(rows, i, 14),
		.calls_a_month = db_number(rows, i, 15),
		.by_checks = db_truth(rows, i, 16),
		.approval_delay_min = db_number(rows, i, 17),
		.terms_version = db_number(rows, i, 18),
		.closes_at = db_number(rows, i, 19),
		.was_hidden = db_truth(rows, i, 20),
		.closing_note = db_text(rows, i, 21),
		.user_calls_a_minute = db_number(rows, i, 22),
	};

	p.state = state_parse(db_text(rows, i, 7));
	p.is_open = p.state == PRODUCT_PUBLISHED;
	return (p);
}

static const char *const state_names[] = {
	[PRODUCT_DRAFT] = "draft", [PRODUCT_PUBLISHED] = "published",
	[PRODUCT_HIDDEN] = "hidden", [PRODUCT_CLOSING] = "closing",
	[PRODUCT_CLOSED] = "closed",
};

const char *
product_state_name(enum product_state state)
{
	return (state_names[state]);
}

static enum product_state
state_parse(const char *state)
{
	size_t	i;

	for (i = 0; i < COUNT(state_names); i++)
		if (str_eq(state, state_names[i]))
			return ((enum product_state)i);
	assert(!"a state of a product");
	return (PRODUCT_CLOSED);
}
