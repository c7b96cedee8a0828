/*
 * Search among requests, filters that staff saved, and whose key it is.
 *
 * A search gathers from each index up to some hundred requests, and ranks
 * these: so a word that stands in every second name costs no more than a rare
 * one, and what begins with it is among them in any case.
 */
#include "requests/queue.h"

#include "crypto/token.h"
#include "products/product.h"

/* $1 as typed, $2 with signs of LIKE escaped, $3 standings, $4
 * product, $5 account, $6 how many to pass over, $7 "now" for what is
 * overdue. */
#define FITS								\
    " r.standing = ANY($3::text[]) AND" SUITS
#define SUITS								\
    " CASE WHEN $4::uuid IS NULL THEN true"				\
    "  ELSE r.product_id = $4::uuid END"				\
    " AND CASE WHEN $5::uuid IS NULL THEN true"				\
    "  ELSE r.assigned_to = $5::uuid END"				\
    " AND CASE WHEN $7::text IS NULL THEN true"				\
    "  ELSE r.due_at < $7::timestamptz END "
/* As a range, so that an index has it whatever is typed. */
#define BEGINS(x)							\
    " " x " >= lower($1::text) AND " x " < lower($1::text) || "		\
    "U&'\\+10FFFF' "
#define HOLDS(x)	" " x " LIKE '%' || lower($2::text) || '%' "
/* Rows are compared, and above CASE stands where OR could: of these the planner
 * does not guess that they leave few, or it would read all of a range to sort
 * it. */
#define NIL		"'00000000-0000-0000-0000-000000000000'::uuid"
#define BY_NAME								\
    "(SELECT r.id FROM unnest($3::text[]) s (standing) CROSS JOIN LATERAL (" \
    "  SELECT r.id FROM request r WHERE r.standing = s.standing"	\
    "  AND (lower(r.name) COLLATE \"C\", r.id)"			\
    "    >= (lower($1::text), " NIL ")"					\
    "  AND (lower(r.name) COLLATE \"C\", r.id)"			\
    "    < (lower($1::text) || U&'\\+10FFFF', " NIL ") AND" SUITS	\
    "  ORDER BY lower(r.name) COLLATE \"C\", r.id LIMIT 100) r LIMIT 300)"
/* Each name stands there once, however many requests bear it. */
#define OF_NAMES(where)							\
    "(SELECT q.id FROM request_name w CROSS JOIN LATERAL ("		\
    "  SELECT r.id FROM unnest($3::text[]) s (standing) JOIN request r"	\
    "  ON r.standing = s.standing AND lower(r.name) COLLATE \"C\" = w.name" \
    "  AND" SUITS "LIMIT 50) q WHERE" where "LIMIT 300)"
#define OF_PEOPLE(where)						\
    "(SELECT q.id FROM person p CROSS JOIN LATERAL ("			\
    "  SELECT r.id FROM request r WHERE r.account_id = p.account_id"	\
    "  AND" FITS "ORDER BY r.id DESC LIMIT 50) q WHERE" where " LIMIT 200)"
#define OF_TENANTS(where)						\
    "(SELECT q.id FROM tenant t CROSS JOIN LATERAL ("			\
    "  SELECT r.id FROM request r WHERE r.tenant_id = t.id"		\
    "  AND" FITS "ORDER BY r.id DESC LIMIT 50) q WHERE" where " LIMIT 200)"
#define OF_KEYS								\
    "(SELECT q.id FROM subscription_key k"				\
    " JOIN subscription u ON u.id = k.subscription_id"			\
    " CROSS JOIN LATERAL (SELECT r.id FROM request r"			\
    "  WHERE r.tenant_id = u.tenant_id AND" FITS			\
    "  ORDER BY r.id DESC LIMIT 50) q"					\
    " WHERE length($1::text) = 4 AND k.last4 = lower($1::text) LIMIT 200)"
/* The sources are read in their order until there is enough to choose from:
 * the costliest, a part of any name, comes last.  What is so, or begins so,
 * goes first; then what is most alike; then the newest. */
#define RANKED(hits)							\
    "WITH hit AS MATERIALIZED (SELECT DISTINCT d.id FROM ("		\
    "  SELECT u.id FROM (" hits ") u LIMIT 600) d) "			\
    "SELECT n.id, '', n.standing, coalesce(n.assigned_to::text, ''),"	\
    " coalesce(n.name, '') FROM (SELECT r.id, r.standing, r.assigned_to," \
    "  b.name, r.submitted_at,"						\
    "  lower($1::text) IN (lower(r.name), p.email_folded, lower(t.code)) AS same," \
    "  starts_with(lower(r.name), lower($1::text)) AS begins,"			\
    "  greatest(similarity(lower(r.name), lower($1::text)),"			\
    "  similarity(lower(p.name), lower($1::text)),"				\
    "  similarity(p.email_folded, lower($1::text))) AS alike"			\
    "  FROM hit JOIN request r ON r.id = hit.id"			\
    "  LEFT JOIN person p ON p.account_id = r.account_id"		\
    "  LEFT JOIN person b ON b.account_id = r.assigned_to"		\
    "  LEFT JOIN tenant t ON t.id = r.tenant_id"			\
    "  ORDER BY same DESC NULLS LAST, begins DESC, alike DESC NULLS LAST,"	\
    "  r.submitted_at DESC, r.id LIMIT 200) n"				\
    " ORDER BY same DESC NULLS LAST, begins DESC, alike DESC NULLS LAST," \
    " n.submitted_at DESC, n.id OFFSET $6::int LIMIT 51"

static const char	*like_escape(struct arena *, const char *);

struct queue_list
queue_db_search(struct db *db, const struct queue_filter *f, const char *me)
{
	DB_QUERY(queue_begins, RANKED(BY_NAME
	    " UNION ALL " OF_PEOPLE(BEGINS("p.email_folded COLLATE \"C\""))
	    " UNION ALL " OF_TENANTS(BEGINS("lower(t.code) COLLATE \"C\"")
	    "AND $2::text IS NOT NULL")));
	DB_QUERY(queue_holds, RANKED(OF_KEYS
	    " UNION ALL " OF_TENANTS(HOLDS("lower(t.code)"))
	    " UNION ALL " OF_PEOPLE(HOLDS("p.email_folded"))
	    " UNION ALL " BY_NAME
	    " UNION ALL " OF_TENANTS(HOLDS("lower(t.name)"))
	    " UNION ALL " OF_PEOPLE(HOLDS("lower(p.name)"))
	    " UNION ALL " OF_NAMES(HOLDS("w.name"))));
	_Static_assert(QUEUE_HITS_MAX == 200, "the limit above");
	struct queue_list	 list = { .next_after = "" };
	const struct db_rows	*rows;
	const char		*standings[QUEUE_STANDINGS];
	struct arena		*a = db_arena(db);
	int64_t			 over = 0;
	int			 n = queue_standings(f, standings);

	if (*f->after != '\0' && !str_to_int(f->after, 0, QUEUE_HITS_MAX,
	    &over))
		return (list);
	rows = db_read(db, str_chars(f->search) < 3 ? &queue_begins :
	    &queue_holds, DB_ARGS(f->search, like_escape(a, f->search),
	    db_text_array(db, standings, (size_t)n),
	    *f->product == '\0' ? NULL : f->product_id,
	    f->is_mine ? me : NULL, db_int(db, over),
	    f->is_overdue ? "now" : NULL));
	list = queue_db_rows(db, rows, QUEUE_PAGE_ROWS);
	if (rows->n > list.n)
		list.next_after = db_int(db, over + QUEUE_PAGE_ROWS);
	return (list);
}

struct queue_saved_list
queue_db_saved(struct db *db, const char *me)
{
	DB_QUERY(queue_saved,
	    "SELECT id, name, filter FROM queue_filter WHERE account_id = $1"
	    " ORDER BY name, id LIMIT 20");
	_Static_assert(QUEUE_FILTERS_MAX == 20, "the limit above");
	struct queue_saved_list	 saved;
	const struct db_rows	*rows;
	int			 i;

	rows = db_read(db, &queue_saved, DB_ARGS(me));
	saved.n = rows->n;
	saved.list = arena_calloc(db_arena(db), (size_t)rows->n + 1,
	    sizeof(*saved.list));
	for (i = 0; i < rows->n; i++)
		saved.list[i] = (struct queue_saved){
			.id = db_text(rows, i, 0),
			.name = db_text(rows, i, 1),
			.filter = db_text(rows, i, 2),
		};
	return (saved);
}

bool
queue_db_save(struct db *db, const char *me, const char *name,
    const char *filter)
{
	const struct db_rows	*rows;
	char			 id[UUID_TEXT];

	/* Whoever saves two at the same moment may have one too many, which
	 * the page then does not show; nobody but himself has to care. */
	DB_QUERY(queue_save,
	    "INSERT INTO queue_filter AS f (id, account_id, name, filter)"
	    " SELECT $1::uuid, p.account_id, $3::text, $4::text"
	    " FROM person p WHERE p.account_id = $2::uuid"
	    " AND ((SELECT count(*) FROM queue_filter o"
	    "  WHERE o.account_id = $2::uuid) < 20 OR EXISTS (SELECT"
	    "  FROM queue_filter o WHERE o.account_id = $2::uuid"
	    "  AND o.name = $3::text))"
	    " ON CONFLICT (account_id, name)"
	    " DO UPDATE SET filter = excluded.filter RETURNING f.id");

	uuid_make(id);
	rows = db_write(db, &queue_save, DB_ARGS(id, me, name, filter));
	db_must(db, rows);
	return (rows->n == 1);
}

bool
queue_db_forget(struct db *db, const char *me, const char *id)
{
	const struct db_rows	*rows;

	DB_QUERY(queue_forget,
	    "DELETE FROM queue_filter WHERE id = $1 AND account_id = $2"
	    " RETURNING id");

	rows = db_write(db, &queue_forget, DB_ARGS(id, me));
	db_must(db, rows);
	return (rows->n == 1);
}

struct queue_products
queue_db_products(struct db *db)
{
	DB_QUERY(queue_products,
	    "SELECT id, slug, name FROM product ORDER BY place, name, id"
	    " LIMIT 200");
	_Static_assert(PRODUCTS_MAX == 200, "the limit above");
	struct queue_products	 products;
	const struct db_rows	*rows;
	int			 i;

	rows = db_read(db, &queue_products, DB_NONE);
	products.n = rows->n;
	products.list = arena_calloc(db_arena(db), (size_t)rows->n + 1,
	    sizeof(*products.list));
	for (i = 0; i < rows->n; i++)
		products.list[i] = (struct queue_product){
			.id = db_text(rows, i, 0),
			.slug = db_text(rows, i, 1),
			.name = db_text(rows, i, 2),
		};
	return (products);
}

struct queue_key *
queue_db_key(struct db *db, const struct keyring *ring, const char *key)
{
	DB_QUERY(queue_key,
	    "SELECT coalesce(k.slot, ''), k.state, k.last4, s.name, s.state, pr.name,"
	    " t.code, t.name FROM subscription_key k"
	    " JOIN subscription s ON s.id = k.subscription_id"
	    " JOIN product pr ON pr.id = s.product_id"
	    " JOIN tenant t ON t.id = s.tenant_id WHERE k.mac = $1");
	unsigned char		 mac[SHA256_BYTES];
	const struct db_rows	*rows;
	struct queue_key	*found;
	uint32_t		 version;

	/* Keys that were made under older HMAC keys are found, too. */
	for (version = keyring_newest(ring, "subscription-key"); version > 0;
	    version--) {
		if (!keyring_hmac(ring, "subscription-key", version, key,
		    strlen(key), mac))
			continue;
		rows = db_read(db, &queue_key, DB_ARGS(db_bytes(db, mac,
		    sizeof(mac))));
		if (rows->n == 0)
			continue;
		found = arena_alloc(db_arena(db), sizeof(*found));
		*found = (struct queue_key){
			.slot = db_text(rows, 0, 0),
			.state = db_text(rows, 0, 1),
			.last4 = db_text(rows, 0, 2),
			.name = db_text(rows, 0, 3),
			.subscription_state = db_text(rows, 0, 4),
			.product = db_text(rows, 0, 5),
			.tenant_code = db_text(rows, 0, 6),
			.tenant_name = db_text(rows, 0, 7),
		};
		return (found);
	}
	return (NULL);
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
