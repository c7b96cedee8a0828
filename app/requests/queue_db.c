/*
 * The queue in the database: pages of it, counts, and who has taken what.
 *
 * For each standing that a filter lets through, an index gives the next rows
 * behind the cursor, a page of them and one; these few are merged.  So no page
 * reads more than six times its rows, however many there are.  One product, or
 * what one person has taken, are indexes of their own and so statements of
 * their own.
 */
#include "requests/queue.h"

#include <assert.h>

#include "crypto/token.h"

#define NIL_ID		"00000000-0000-0000-0000-000000000000"
#define LAST_ID		"ffffffff-ffff-ffff-ffff-ffffffffffff"

/* $1 standings, $2 due before, $5 product, $6 account; what a statement does
 * not ask for is NULL there. */
#define ALL_PRODUCTS	"$5::uuid IS NULL"
#define ONE_PRODUCT	"x.product_id = $5::uuid"
#define ANYBODYS	"$6::uuid IS NULL"
#define MINE		"x.assigned_to = $6::uuid"

/* $3 and $4: key and id of the cursor. */
#define LIST(product, taken, key, type, beyond, order)			\
    "SELECT n.id, n.key, n.standing, coalesce(n.assigned_to::text, ''),"	\
    " coalesce(p.name, '') FROM (SELECT r.*"				\
    " FROM unnest($1::text[]) s (standing) CROSS JOIN LATERAL ("	\
    "  SELECT x.id, " key " AS key, x.standing, x.assigned_to, "	\
    "  x.submitted_at, x.due_at, lower(x.name) COLLATE \"C\" AS folded"	\
    "  FROM request x WHERE x.standing = s.standing"			\
    "  AND " product " AND " taken					\
    "  AND x.due_at < $2::timestamptz"					\
    "  AND " beyond " ($3::" type ", $4::uuid)"				\
    "  ORDER BY " order(x, lower(x.name) COLLATE "C") " LIMIT 51) r"	\
    " ORDER BY " order(r, r.folded) " LIMIT 51) n"			\
    " LEFT JOIN person p ON p.account_id = n.assigned_to"		\
    " ORDER BY " order(n, n.folded)
#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"
#define BY_SENT(t, folded)	#t ".submitted_at, " #t ".id"
#define BY_NEWEST(t, folded)	#t ".submitted_at DESC, " #t ".id DESC"
#define BY_DUE(t, folded)	#t ".due_at, " #t ".id"
#define BY_NAME(t, folded)	#folded ", " #t ".id"
#define OLDEST(product, taken)						\
    LIST(product, taken, MICROS("x.submitted_at"), "timestamptz",	\
    "(x.submitted_at, x.id) >", BY_SENT)
#define NEWEST(product, taken)						\
    LIST(product, taken, MICROS("x.submitted_at"), "timestamptz",	\
    "(x.submitted_at, x.id) <", BY_NEWEST)
#define DUE(product, taken)						\
    LIST(product, taken, MICROS("x.due_at"), "timestamptz",		\
    "(x.due_at, x.id) >", BY_DUE)
#define NAME(product, taken)						\
    LIST(product, taken, "lower(x.name)", "text",			\
    "(lower(x.name) COLLATE \"C\", x.id) >", BY_NAME)

/* How many, up to one more than we say. */
#define COUNT_OF(where)							\
    "(SELECT count(*) FROM (SELECT FROM request x WHERE " where		\
    " LIMIT 1001) n)"
#define COUNT_HERE(product, taken)					\
    "SELECT count(*) FROM (SELECT FROM unnest($1::text[]) s (standing)"	\
    " CROSS JOIN LATERAL (SELECT FROM request x"			\
    "  WHERE x.standing = s.standing AND " product " AND " taken	\
    "  AND x.due_at < $2::timestamptz AND $3::text IS NULL"		\
    "  AND $4::uuid IS NULL LIMIT 1001) r LIMIT 1001) n"

#define PARAMS	6

static void	params(struct db *, const struct queue_filter *, const char *me,
		    const char *[PARAMS]);
static int	variant(const struct queue_filter *);
static const char *due_before(const struct queue_filter *);

struct queue_list
queue_db_list(struct db *db, const struct queue_filter *f, const char *me)
{
	DB_QUERY(queue_oldest, OLDEST(ALL_PRODUCTS, ANYBODYS));
	DB_QUERY(queue_oldest_product, OLDEST(ONE_PRODUCT, ANYBODYS));
	DB_QUERY(queue_oldest_mine, OLDEST(ALL_PRODUCTS, MINE));
	DB_QUERY(queue_oldest_both, OLDEST(ONE_PRODUCT, MINE));
	DB_QUERY(queue_newest, NEWEST(ALL_PRODUCTS, ANYBODYS));
	DB_QUERY(queue_newest_product, NEWEST(ONE_PRODUCT, ANYBODYS));
	DB_QUERY(queue_newest_mine, NEWEST(ALL_PRODUCTS, MINE));
	DB_QUERY(queue_newest_both, NEWEST(ONE_PRODUCT, MINE));
	DB_QUERY(queue_due, DUE(ALL_PRODUCTS, ANYBODYS));
	DB_QUERY(queue_due_product, DUE(ONE_PRODUCT, ANYBODYS));
	DB_QUERY(queue_due_mine, DUE(ALL_PRODUCTS, MINE));
	DB_QUERY(queue_due_both, DUE(ONE_PRODUCT, MINE));
	DB_QUERY(queue_name, NAME(ALL_PRODUCTS, ANYBODYS));
	DB_QUERY(queue_name_product, NAME(ONE_PRODUCT, ANYBODYS));
	DB_QUERY(queue_name_mine, NAME(ALL_PRODUCTS, MINE));
	DB_QUERY(queue_name_both, NAME(ONE_PRODUCT, MINE));
	static const struct db_query *const queries[QUEUE_SORTS][4] = {
		{ &queue_oldest, &queue_oldest_product, &queue_oldest_mine,
		    &queue_oldest_both },
		{ &queue_newest, &queue_newest_product, &queue_newest_mine,
		    &queue_newest_both },
		{ &queue_due, &queue_due_product, &queue_due_mine,
		    &queue_due_both },
		{ &queue_name, &queue_name_product, &queue_name_mine,
		    &queue_name_both },
	};
	static const struct queue_cursor first[QUEUE_SORTS] = {
		{ "-infinity", NIL_ID }, { "infinity", LAST_ID },
		{ "-infinity", NIL_ID }, { "", NIL_ID } };
	struct queue_cursor	 cursor = first[f->sort];
	struct queue_list	 list = { .next_after = "" };
	const struct db_rows	*rows;
	const char		*p[PARAMS];
	int64_t			 at = 0;
	bool			 ok;

	_Static_assert(QUEUE_PAGE_ROWS == 50, "the limits above are one more");
	params(db, f, me, p);
	if (*f->after != '\0') {
		if (!queue_cursor_read(db_arena(db), f->sort, f->after,
		    &cursor))
			return (list);
		if (f->sort != QUEUE_NAME) {
			ok = str_to_int(cursor.key, 0, INT64_MAX, &at);
			assert(ok);	/* queue_cursor_read() saw it */
			cursor.key = db_time(db, at);
		}
	}
	p[2] = cursor.key;
	p[3] = cursor.id;
	rows = db_read(db, queries[f->sort][variant(f)], PARAMS, p);
	list = queue_db_rows(db, rows, QUEUE_PAGE_ROWS);
	if (rows->n > list.n)
		list.next_after = queue_cursor_text(db_arena(db), f->sort,
		    db_text(rows, list.n - 1, 1),
		    db_text(rows, list.n - 1, 0));
	return (list);
}

struct queue_list
queue_db_one(struct db *db, const char *id)
{
	DB_QUERY(queue_one,
	    "SELECT x.id, '', x.standing, coalesce(x.assigned_to::text, ''),"
	    " coalesce(p.name, '') FROM request x"
	    " LEFT JOIN person p ON p.account_id = x.assigned_to"
	    " WHERE x.id = $1::uuid");

	return (queue_db_rows(db, db_read(db, &queue_one, DB_ARGS(id)), 1));
}

struct queue_list
queue_db_rows(struct db *db, const struct db_rows *rows, int max)
{
	struct queue_list	 list = { .next_after = "" };
	struct request_list	 found;
	const char		**ids;
	int			 i, j, n = rows->n < max ? rows->n : max;

	ids = arena_calloc(db_arena(db), (size_t)n + 1, sizeof(*ids));
	for (i = 0; i < n; i++)
		ids[i] = db_text(rows, i, 0);
	found = request_db_list(db, ids, n);
	list.list = arena_calloc(db_arena(db), (size_t)n + 1,
	    sizeof(*list.list));
	for (i = 0; i < n; i++) {
		for (j = 0; j < found.n &&
		    !str_eq(found.list[j].id, ids[i]); j++)
			continue;
		if (j == found.n)
			continue;
		list.list[list.n++] = (struct queue_row){
			.request = &found.list[j],
			.standing = db_text(rows, i, 2),
			.taken_by = db_text(rows, i, 3),
			.taken_name = db_text(rows, i, 4),
		};
	}
	return (list);
}

struct queue_counts
queue_db_counts(struct db *db, const struct queue_filter *f, const char *me)
{
	DB_QUERY(queue_count, COUNT_HERE(ALL_PRODUCTS, ANYBODYS));
	DB_QUERY(queue_count_product, COUNT_HERE(ONE_PRODUCT, ANYBODYS));
	DB_QUERY(queue_count_mine, COUNT_HERE(ALL_PRODUCTS, MINE));
	DB_QUERY(queue_count_both, COUNT_HERE(ONE_PRODUCT, MINE));
	static const struct db_query *const queries[4] = { &queue_count,
	    &queue_count_product, &queue_count_mine, &queue_count_both };
	DB_QUERY(queue_counts,
	    "SELECT " COUNT_OF("x.standing = 'us'") ", "
	    COUNT_OF("x.standing = 'us' AND x.due_at < now()") ", "
	    COUNT_OF("x.assigned_to = $1 AND x.standing IN ('us', 'contact')")
	    ", " COUNT_OF("x.standing = 'contact'") ", least(1001, "
	    COUNT_OF("x.standing = 'approved'") " + "
	    COUNT_OF("x.standing = 'shared'") " + "
	    COUNT_OF("x.standing = 'rejected'") " + "
	    COUNT_OF("x.standing = 'withdrawn'") "), " MICROS("now()"));
	_Static_assert(QUEUE_COUNT_MAX == 1000, "the limits above: one more");
	struct queue_counts	 counts;
	const struct db_rows	*rows;
	const char		*p[PARAMS];

	params(db, f, me, p);
	rows = db_read(db, queries[variant(f)], PARAMS, p);
	counts.here = db_number(rows, 0, 0);
	rows = db_read(db, &queue_counts, DB_ARGS(me));
	counts.us = db_number(rows, 0, 0);
	counts.overdue = db_number(rows, 0, 1);
	counts.mine = db_number(rows, 0, 2);
	counts.contact = db_number(rows, 0, 3);
	counts.decided = db_number(rows, 0, 4);
	counts.as_of = db_number(rows, 0, 5);
	return (counts);
}

int64_t
queue_db_news(struct db *db, const struct queue_filter *f, const char *me,
    int64_t after)
{
	const struct db_rows	*rows;
	const char		*p[PARAMS];

	/* What waits for us is few enough, and what is new fewer. */
	DB_QUERY(queue_news,
	    "SELECT count(*) FROM (SELECT FROM request x"
	    " WHERE x.standing = 'us' AND x.submitted_at > $1::timestamptz"
	    " AND ($2::uuid IS NULL OR x.product_id = $2::uuid)"
	    " AND ($3::uuid IS NULL OR x.assigned_to = $3::uuid)"
	    " ORDER BY x.submitted_at LIMIT 100) n");

	params(db, f, me, p);
	rows = db_read(db, &queue_news, DB_ARGS(db_time(db, after), p[4],
	    p[5]));
	return (db_number(rows, 0, 0));
}

enum queue_take_result
queue_db_take(struct db *db, const char *who, const char *request_id,
    const char *from, const char *to)
{
	const struct db_rows	*rows;

	DB_QUERY(queue_take,
	    "WITH rq AS (SELECT id FROM request WHERE id = $2::uuid), done AS ("
	    "  UPDATE request r SET assigned_to = $4::uuid FROM rq"
	    "  WHERE r.id = rq.id AND r.state = 'submitted'"
	    "  AND r.assigned_to IS NOT DISTINCT FROM $3::uuid"
	    "  AND r.assigned_to IS DISTINCT FROM $4::uuid"
	    "  AND r.account_id <> $1::uuid"
	    "  AND EXISTS (SELECT FROM account s WHERE s.id = $1::uuid"
	    "    AND s.kind = 'staff' AND s.state = 'active')"
	    "  RETURNING r.id, r.tenant_id"
	    ") SELECT done.id IS NOT NULL,"
	    " CASE WHEN done.id IS NOT NULL THEN"
	    "  audit_write(done.tenant_id, 'account', $1::uuid,"
	    "  CASE WHEN $4::uuid IS NULL THEN 'request.let_go'"
	    "  ELSE 'request.taken' END, 'request', done.id,"
	    "  jsonb_build_object('from', $3::uuid)) END"
	    " FROM rq LEFT JOIN done ON true");

	rows = db_write(db, &queue_take, DB_ARGS(who, request_id,
	    *from == '\0' ? NULL : from, *to == '\0' ? NULL : to));
	db_must(db, rows);
	if (rows->n == 0)
		return (QUEUE_TAKE_NONE);
	return (db_truth(rows, 0, 0) ? QUEUE_TAKE_DONE : QUEUE_TAKE_LATE);
}

static void
params(struct db *db, const struct queue_filter *f, const char *me,
    const char *p[PARAMS])
{
	const char	*standings[QUEUE_STANDINGS];
	int		 n = queue_standings(f, standings);

	p[0] = db_text_array(db, standings, (size_t)n);
	p[1] = due_before(f);
	p[2] = p[3] = NULL;
	p[4] = *f->product == '\0' ? NULL : f->product_id;
	p[5] = f->is_mine ? me : NULL;
}

/* The place of its statement among four. */
static int
variant(const struct queue_filter *f)
{
	return ((*f->product != '\0' ? 1 : 0) + (f->is_mine ? 2 : 0));
}

static const char *
due_before(const struct queue_filter *f)
{
	return (f->is_overdue ? "now" : "infinity");
}
