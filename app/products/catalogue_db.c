/*
 * The catalogue as admins keep it, in the database.  Each change is one
 * statement, for an active admin and the version of the row that he has seen;
 * the trigger product_guard counts versions and knows which state may follow
 * which.
 */
#include "products/catalogue.h"

#include "crypto/token.h"

/* $1 who, $2 product, $3 the version seen. */
#define ADMIN								\
    "EXISTS (SELECT FROM account a WHERE a.id = $1::uuid"		\
    "  AND a.kind = 'staff' AND a.staff_role = 'admin'"			\
    "  AND a.state = 'active')"
#define SEEN								\
    "p.id = $2::uuid AND p.version = $3::int AND " ADMIN " "
#define LIVE(product)							\
    "SELECT FROM subscription s WHERE s.product_id = " product		\
    " AND s.state IN ('active', 'suspended')"
#define ANSWER(action, detail)						\
    " SELECT audit_write(NULL, 'account', $1::uuid, " action ","	\
    "  'product', done.id, jsonb_build_object('version',"		\
    "  done.version" detail ")) FROM done"
/* "" is SQL's NULL. */
#define NUMBER(param, type)	"nullif(" param "::text, '')::" type
#define PLAN								\
    ", 'calls_a_second', done.calls_a_second"				\
    ", 'calls_a_minute', done.calls_a_minute"				\
    ", 'calls_a_day', done.calls_a_day"					\
    ", 'calls_a_month', done.calls_a_month"				\
    ", 'user_calls_a_minute', done.user_calls_a_minute"			\
    ", 'approval', done.approval, 'delay_min', done.approval_delay_min"	\
    ", 'needs_api_user', done.needs_api_user"				\
    ", 'one_key', done.one_key_per_tenant"
#define COUNTED	"1001"		/* CATALOGUE_KEYS_MAX and one more */

static const char		**column(struct db *, int n);
static struct catalogue_product	counted_read(const struct db_rows *, int);
static enum catalogue_result	result_of(struct db *, const struct db_rows *);

struct catalogue_list
catalogue_db_list(struct db *db, const char *after)
{
	struct catalogue_list	 list = { .next_after = "" };
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(catalogue_list,
	    "SELECT " PRODUCT_COLUMNS ", "
	    "(SELECT count(*) FROM (" LIVE("p.id") " LIMIT " COUNTED ") k), "
	    "(SELECT count(*) FROM (SELECT FROM request r "
	    "WHERE r.product_id = p.id AND r.state = 'submitted' "
	    "LIMIT " COUNTED ") q) "
	    "FROM product p WHERE (lower(p.name) COLLATE \"C\", p.id) > "
	    "(coalesce((SELECT lower(x.name) COLLATE \"C\" FROM product x "
	    "WHERE x.id = $1::uuid), ''), coalesce($1::uuid, "
	    "'00000000-0000-0000-0000-000000000000'::uuid)) "
	    "ORDER BY lower(p.name) COLLATE \"C\", p.id LIMIT 51");
	_Static_assert(CATALOGUE_PAGE_ROWS == 50, "the limit above, and one");

	rows = db_read(db, &catalogue_list,
	    DB_ARGS(uuid_shaped(after) ? after : NULL));
	list.n = rows->n > CATALOGUE_PAGE_ROWS ? CATALOGUE_PAGE_ROWS : rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)list.n,
	    sizeof(*list.list));
	for (i = 0; i < list.n; i++)
		list.list[i] = counted_read(rows, i);
	if (rows->n > list.n)
		list.next_after = list.list[list.n - 1].p.id;
	return (list);
}

struct catalogue_product *
catalogue_db_find(struct db *db, const char *id)
{
	const struct db_rows		*rows;
	struct catalogue_product	*product;

	DB_QUERY(catalogue_find,
	    "SELECT " PRODUCT_COLUMNS ", "
	    "(SELECT count(*) FROM (" LIVE("p.id") " LIMIT " COUNTED ") k), "
	    "(SELECT count(*) FROM (SELECT FROM request r "
	    "WHERE r.product_id = p.id AND r.state = 'submitted' "
	    "LIMIT " COUNTED ") q) FROM product p WHERE p.id = $1::uuid");
	_Static_assert(CATALOGUE_KEYS_MAX == 1000, "the limits above, less 1");

	rows = db_read(db, &catalogue_find, DB_ARGS(id));
	if (rows->n == 0)
		return (NULL);
	product = arena_alloc(db_arena(db), sizeof(*product));
	*product = counted_read(rows, 0);
	return (product);
}

struct catalogue_events
catalogue_db_events(struct db *db, const char *id)
{
	struct catalogue_events	 events;
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(catalogue_events,
	    "SELECT e.action, coalesce(p.name, ''), "
	    "(extract(epoch FROM e.at) * 1000000)::bigint "
	    "FROM audit e LEFT JOIN person p ON p.account_id = e.actor_id "
	    "WHERE e.subject_id = $1::uuid AND e.subject_kind = 'product' "
	    "ORDER BY e.id DESC LIMIT 20");
	_Static_assert(CATALOGUE_EVENTS_MAX == 20, "the limit above");

	rows = db_read(db, &catalogue_events, DB_ARGS(id));
	events.n = rows->n;
	events.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*events.list));
	for (i = 0; i < rows->n; i++)
		events.list[i] = (struct catalogue_event){
			.action = db_text(rows, i, 0),
			.person = db_text(rows, i, 1),
			.at = db_number(rows, i, 2),
		};
	return (events);
}

enum catalogue_result
catalogue_db_make(struct db *db, const char *who, const char *id,
    const struct details *d)
{
	const char *const	*text = d->text;

	DB_QUERY(catalogue_make,
	    "WITH done AS (INSERT INTO product (id, slug, name, summary,"
	    "    description, base_url, example_path, place, calls_a_second,"
	    "    calls_a_minute, calls_a_day, calls_a_month,"
	    "    approval_delay_min, needs_api_user, one_key_per_tenant,"
	    "    approval, user_calls_a_minute, state)"
	    "  SELECT $2::uuid, $3, $4, $5, $6, $7, $8,"
	    "  coalesce(" NUMBER("$9", "int") ", 0), "
	    NUMBER("$10", "int") ", $11::int, " NUMBER("$12", "int") ", "
	    NUMBER("$13", "bigint") ","
	    "  coalesce(" NUMBER("$14", "int") ", 60), $15::boolean,"
	    "  $16::boolean, CASE WHEN $17::boolean THEN 'checks'"
	    "    ELSE 'hand' END, " NUMBER("$18", "int") ", 'draft' WHERE "
	    ADMIN
	    "  RETURNING *)"
	    ANSWER("'product.added'", ", 'slug', done.slug" PLAN));

	return (result_of(db, db_write(db, &catalogue_make, DB_ARGS(who, id,
	    text[DETAIL_SLUG], text[DETAIL_NAME], text[DETAIL_SUMMARY],
	    text[DETAIL_DESCRIPTION], text[DETAIL_BASE_URL],
	    text[DETAIL_EXAMPLE_PATH], text[DETAIL_PLACE],
	    text[DETAIL_SECOND], text[DETAIL_MINUTE], text[DETAIL_DAY],
	    text[DETAIL_MONTH], text[DETAIL_DELAY],
	    db_bool(d->needs_api_user), db_bool(d->one_key_per_tenant),
	    db_bool(d->by_checks), text[DETAIL_USER_MINUTE]))));
}

enum catalogue_result
catalogue_db_change(struct db *db, const struct catalogue_change *c,
    const struct details *d)
{
	const char *const	*text = d->text;

	/* The address is kept from the first publishing on. */
	DB_QUERY(catalogue_change,
	    "WITH done AS (UPDATE product p SET"
	    "    slug = CASE WHEN p.state = 'draft' THEN $4 ELSE p.slug END,"
	    "    name = $5, summary = $6, description = $7, base_url = $8,"
	    "    example_path = $9,"
	    "    place = coalesce(" NUMBER("$10", "int") ", 0),"
	    "    calls_a_second = " NUMBER("$11", "int") ","
	    "    calls_a_minute = $12::int,"
	    "    calls_a_day = " NUMBER("$13", "int") ","
	    "    calls_a_month = " NUMBER("$14", "bigint") ","
	    "    approval_delay_min = coalesce(" NUMBER("$15", "int") ", 60),"
	    "    needs_api_user = $16::boolean,"
	    "    one_key_per_tenant = $17::boolean,"
	    "    approval = CASE WHEN $18::boolean THEN 'checks'"
	    "      ELSE 'hand' END,"
	    "    user_calls_a_minute = " NUMBER("$19", "int")
	    "  WHERE " SEEN "RETURNING p.*)"
	    ANSWER("'product.changed'", PLAN));

	return (result_of(db, db_write(db, &catalogue_change, DB_ARGS(c->who,
	    c->id, db_int(db, c->version), text[DETAIL_SLUG],
	    text[DETAIL_NAME], text[DETAIL_SUMMARY],
	    text[DETAIL_DESCRIPTION], text[DETAIL_BASE_URL],
	    text[DETAIL_EXAMPLE_PATH], text[DETAIL_PLACE],
	    text[DETAIL_SECOND], text[DETAIL_MINUTE], text[DETAIL_DAY],
	    text[DETAIL_MONTH], text[DETAIL_DELAY],
	    db_bool(d->needs_api_user), db_bool(d->one_key_per_tenant),
	    db_bool(d->by_checks), text[DETAIL_USER_MINUTE]))));
}

enum catalogue_result
catalogue_db_set_resources(struct db *db, const struct catalogue_change *c,
    const struct resource *list, int n)
{
	const char	**id = column(db, n), **name = column(db, n);
	const char	**note = column(db, n), **path = column(db, n);
	const char	**may = column(db, n);
	char		*made;
	struct buf	 b;
	int		 i, other;

	/* A resource keeps its id, by which permissions name it; one of
	 * another product's gets a new one. */
	DB_QUERY(catalogue_resources,
	    "WITH done AS (UPDATE product p SET name = p.name"
	    "  WHERE " SEEN "RETURNING p.id, p.version"
	    "), given AS (SELECT done.id AS product_id, CASE WHEN EXISTS ("
	    "    SELECT FROM product_resource o WHERE o.id = g.id"
	    "    AND o.product_id <> done.id) THEN gen_random_uuid()"
	    "    ELSE g.id END AS id, g.name, g.note, g.path,"
	    "  string_to_array(g.may, ' ') AS operations, g.place"
	    "  FROM done, unnest($4::uuid[], $5::text[], $6::text[],"
	    "    $7::text[], $8::text[]) WITH ORDINALITY"
	    "    AS g (id, name, note, path, may, place)"
	    "), gone AS (DELETE FROM product_resource r USING done"
	    "  WHERE r.product_id = done.id"
	    "  AND r.id NOT IN (SELECT given.id FROM given) RETURNING r.id"
	    "), put AS (INSERT INTO product_resource AS r (id, product_id,"
	    "    place, name, note, path, operations)"
	    "  SELECT id, product_id, place, name, note, path, operations"
	    "  FROM given ON CONFLICT (id) DO UPDATE SET"
	    "    place = excluded.place, name = excluded.name,"
	    "    note = excluded.note, path = excluded.path,"
	    "    operations = excluded.operations RETURNING r.id"
	    ")" ANSWER("'product.resources'",
	    ", 'resources', (SELECT count(*) FROM put)"
	    ", 'gone', (SELECT count(*) FROM gone)"));

	for (i = 0; i < n; i++) {
		id[i] = list[i].id;
		for (other = 0; other < i; other++)
			if (str_eq(id[other], id[i]))
				id[i] = "";
		if (!uuid_shaped(id[i])) {
			made = arena_alloc(db_arena(db), UUID_TEXT);
			uuid_make(made);
			id[i] = made;
		}
		name[i] = list[i].name;
		note[i] = list[i].note;
		path[i] = list[i].path;
		buf_init(&b, db_arena(db), 64);
		for (other = 0; other < RESOURCE_OPERATIONS; other++)
			if (list[i].may[other])
				buf_fmt(&b, "%s%s", b.n == 0 ? "" : " ",
				    catalogue_operations[other]);
		may[i] = buf_text(&b);
	}
	return (result_of(db, db_write(db, &catalogue_resources, DB_ARGS(c->who,
	    c->id, db_int(db, c->version),
	    db_text_array(db, id, (size_t)n),
	    db_text_array(db, name, (size_t)n),
	    db_text_array(db, note, (size_t)n),
	    db_text_array(db, path, (size_t)n),
	    db_text_array(db, may, (size_t)n)))));
}

enum catalogue_result
catalogue_db_set_terms(struct db *db, const struct catalogue_change *c,
    const char *text)
{
	/* The foreign key from product to its terms is asked at the end. */
	DB_QUERY(catalogue_terms,
	    "WITH next AS (SELECT p.id, coalesce((SELECT max(t.version)"
	    "    FROM product_terms t WHERE t.product_id = p.id), 0) + 1"
	    "    AS version FROM product p WHERE " SEEN
	    "), done AS (UPDATE product p SET terms_version ="
	    "    CASE WHEN $4::text <> '' THEN next.version END FROM next"
	    "  WHERE p.id = next.id AND " SEEN
	    "  RETURNING p.id, p.version, p.terms_version"
	    "), put AS (INSERT INTO product_terms (product_id, version, text)"
	    "  SELECT id, terms_version, $4::text FROM done"
	    "  WHERE terms_version IS NOT NULL RETURNING version)"
	    ANSWER("'product.terms'", ", 'terms', done.terms_version"));

	return (result_of(db, db_write(db, &catalogue_terms, DB_ARGS(c->who, c->id,
	    db_int(db, c->version), text))));
}

enum catalogue_result
catalogue_db_publish(struct db *db, const struct catalogue_change *c)
{
	DB_QUERY(catalogue_publish,
	    "WITH done AS (UPDATE product p SET state = 'published',"
	    "    closes_at = NULL, closing_note = ''"
	    "  WHERE " SEEN "AND p.state IN ('draft', 'hidden', 'closed')"
	    "  RETURNING p.id, p.version)"
	    ANSWER("'product.published'", ""));

	return (result_of(db, db_write(db, &catalogue_publish, DB_ARGS(c->who,
	    c->id, db_int(db, c->version)))));
}

enum catalogue_result
catalogue_db_hide(struct db *db, const struct catalogue_change *c)
{
	DB_QUERY(catalogue_hide,
	    "WITH done AS (UPDATE product p SET state = 'hidden'"
	    "  WHERE " SEEN "AND p.state = 'published'"
	    "  RETURNING p.id, p.version)"
	    ANSWER("'product.hidden'", ""));

	return (result_of(db, db_write(db, &catalogue_hide, DB_ARGS(c->who, c->id,
	    db_int(db, c->version)))));
}

enum catalogue_result
catalogue_db_close(struct db *db, const struct catalogue_change *c,
    int64_t at, const char *note)
{
	/* A key that somebody approves at this moment is ended by the job that
	 * ends those of closed products. */
	DB_QUERY(catalogue_close,
	    "WITH live AS (SELECT EXISTS (" LIVE("$2::uuid") ") AS any"
	    "), done AS (UPDATE product p SET closing_note = $5,"
	    "    state = CASE WHEN live.any THEN 'closing' ELSE 'closed' END,"
	    "    closes_at = CASE WHEN live.any THEN $4::timestamptz"
	    "      ELSE now() END"
	    "  FROM live WHERE " SEEN "AND p.state IN ('published', 'hidden')"
	    "  RETURNING p.id, p.version, p.state, p.closes_at)"
	    ANSWER("'product.' || done.state", ", 'closes_at',"
	    " to_char(done.closes_at AT TIME ZONE 'UTC',"
	    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"));

	return (result_of(db, db_write(db, &catalogue_close, DB_ARGS(c->who, c->id,
	    db_int(db, c->version), db_time(db, at), note))));
}

enum catalogue_result
catalogue_db_keep(struct db *db, const struct catalogue_change *c)
{
	DB_QUERY(catalogue_keep,
	    "WITH done AS (UPDATE product p SET closes_at = NULL,"
	    "    closing_note = '', state = CASE WHEN p.was_hidden"
	    "      THEN 'hidden' ELSE 'published' END"
	    "  WHERE " SEEN "AND p.state = 'closing'"
	    "  RETURNING p.id, p.version)"
	    ANSWER("'product.kept'", ""));

	return (result_of(db, db_write(db, &catalogue_keep, DB_ARGS(c->who, c->id,
	    db_int(db, c->version)))));
}

/* Of texts, for an array: too many for a frame. */
static const char **
column(struct db *db, int n)
{
	return (arena_calloc(db_arena(db), (size_t)n + 1,
	    sizeof(const char *)));
}

static struct catalogue_product
counted_read(const struct db_rows *rows, int row)
{
	return ((struct catalogue_product){
		.p = product_read(rows, row),
		.keys = db_number(rows, row, PRODUCT_COLUMNS_N),
		.requests = db_number(rows, row, PRODUCT_COLUMNS_N + 1),
	});
}

static enum catalogue_result
result_of(struct db *db, const struct db_rows *rows)
{
	switch (rows->outcome) {
	case DB_CONFLICT:
		return (CATALOGUE_TAKEN);
	case DB_REFUSED:
		/* The state is asked by the WHERE, all else by
		 * catalogue_check(): what is left is subscription_product. */
		if (!str_eq(rows->constraint, "subscription_product"))
			db_refused(db, rows);
		return (CATALOGUE_RULE);
	case DB_OK:
		break;
	}
	return (rows->n == 1 ? CATALOGUE_DONE : CATALOGUE_LATE);
}
