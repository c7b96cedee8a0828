/*
 * The list of clients, and its search.
 *
 * A beginning is asked as a range, so that the plan is an index's whatever is
 * typed; a part stands in indexes of trigrams.  A client that was merged into
 * another still has its row, with its code and name: what is found there is
 * shown as the client that it is a part of now.
 */
#include "tenants/tenant.h"

#include "tenants/tenant_row.h"

/* Begins with $2: behind it, and before what sorts behind all of these. */
#define BEGINS(x)							\
    x " >= lower($2::text) AND " x " < lower($2::text) || U&'\\+10FFFF' "
#define HOLDS(x)	x " LIKE '%' || lower($2::text) || '%' "
/* The page, of clients `o` where `own` and of mail domains `d` where `domain`
 * holds.  Only the ids and codes of all that was found are looked through. */
#define SEARCH(own, domain)						\
    "WITH hit AS MATERIALIZED ("					\
    "SELECT o.id, o.code FROM tenant o "				\
    "  WHERE o.merged_into IS NULL AND (" own ") "			\
    "UNION SELECT t.id, t.code FROM tenant o "				\
    "  JOIN tenant t ON t.id = o.merged_into "				\
    "  WHERE o.merged_into IS NOT NULL AND (" own ") "			\
    "UNION SELECT t.id, t.code FROM tenant_domain d "			\
    "  JOIN tenant t ON t.id = d.tenant_id WHERE " domain		\
    "), page AS MATERIALIZED (SELECT id FROM hit WHERE code > $1::text " \
    "  ORDER BY code LIMIT 51) "					\
    "SELECT " TENANT_COLUMNS						\
    ", (SELECT count(*) FROM (SELECT FROM hit LIMIT 1001) x) "		\
    "FROM page JOIN tenant t ON t.id = page.id " TENANT_KEY		\
    "ORDER BY t.code"

static const struct db_rows *search(struct db *, const char *typed,
			    const char *after);
static const char	*like_escape(struct arena *, const char *);

struct tenant_list
tenant_db_list(struct db *db, const char *typed, const char *after)
{
	struct tenant_list	 list = { .next_after = "" };
	const struct db_rows	*rows;
	int			 i;

	/* One row more than a page tells whether there is a next one. */
	DB_QUERY(tenant_page,
	    "SELECT " TENANT_COLUMNS "FROM tenant t " TENANT_KEY
	    "WHERE t.state <> 'merged' AND t.code > $1::text "
	    "ORDER BY t.code LIMIT 51");
	DB_QUERY(tenant_count,
	    "SELECT count(*) FROM (SELECT FROM tenant "
	    "WHERE state <> 'merged' LIMIT 1001) x");
	_Static_assert(TENANT_PAGE_ROWS == 50, "the limit above is one more");
	_Static_assert(TENANT_TOTAL_MAX == 1000, "and here");

	if (*typed == '\0') {
		rows = db_read(db, &tenant_count, DB_NONE);
		list.total = db_number(rows, 0, 0);
		rows = db_read(db, &tenant_page, DB_ARGS(after));
	} else {
		rows = search(db, typed, after);
		if (rows->n > 0)
			list.total = db_number(rows, 0, TENANT_COLUMNS_N);
	}
	list.n = rows->n > TENANT_PAGE_ROWS ? TENANT_PAGE_ROWS : rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)list.n,
	    sizeof(*list.list));
	for (i = 0; i < list.n; i++)
		list.list[i] = tenant_row_read(rows, i);
	if (rows->n > list.n)
		list.next_after = list.list[list.n - 1].code;
	return (list);
}

WAITS static const struct db_rows *
search(struct db *db, const char *typed, const char *after)
{
	DB_QUERY(tenant_begins, SEARCH(
	    BEGINS("lower(o.name) COLLATE \"C\"") "OR "
	    BEGINS("lower(o.code) COLLATE \"C\""),
	    BEGINS("d.domain COLLATE \"C\"")));
	DB_QUERY(tenant_holds, SEARCH(
	    HOLDS("lower(o.name)") "OR " HOLDS("lower(o.code)")
	    "OR o.name_folded LIKE '%' || $3::text || '%' ",
	    HOLDS("d.domain")));
	struct arena	*a = db_arena(db);
	const char	*folded;

	if (str_chars(typed) < 3)
		return (db_read(db, &tenant_begins, DB_ARGS(after, typed)));
	/* "Acme, Inc" is found as "Acme", and "cafe" finds "Café". */
	folded = tenant_fold(a, typed);
	return (db_read(db, &tenant_holds, DB_ARGS(after,
	    like_escape(a, typed), str_chars(folded) < 3 ? NULL :
	    like_escape(a, folded))));
}

/* "_" and "%" are found as they were typed. */
static const char *
like_escape(struct arena *a, const char *text)
{
	struct buf	b;

	buf_init(&b, a, 2 * strlen(text) + 1);
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '%' || *text == '_')
			buf_chr(&b, '\\');
		buf_chr(&b, *text);
	}
	return (buf_text(&b));
}
