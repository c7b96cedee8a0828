/*
 * All people in the database: the list, search, and one person.
 *
 * The list is in the order of the index person_order.  A search gathers from
 * each index at most as many as it shows, and ranks these: so what everybody's
 * address holds costs no more than a rare name.  A beginning is asked as a
 * range, so that the plan is an index's whatever is typed; a part stands in
 * indexes of trigrams.
 */
#include "people/staff.h"

#include "crypto/token.h"
#include "people/people.h"

#define MICROS(x)	"coalesce((extract(epoch FROM " x ") * 1000000)::bigint, 0)"

#define COLUMNS								\
    "SELECT p.account_id, p.name, p.email, a.kind,"			\
    " coalesce(a.staff_role, ''), a.state = 'active',"			\
    " coalesce(m.role, ''), coalesce(t.code, ''), coalesce(t.name, ''), " \
    MICROS("a.created_at") ", " MICROS("a.signed_in_at") " "
#define JOINS								\
    "JOIN account a ON a.id = p.account_id "				\
    "LEFT JOIN membership m ON m.account_id = p.account_id "		\
    "LEFT JOIN tenant t ON t.id = m.tenant_id "
#define ORDER								\
    "ORDER BY lower(p.name) COLLATE \"C\", p.account_id LIMIT 51"
/* $1 the id of the last one on the page before, or NULL. */
#define AFTER								\
    "(lower(p.name) COLLATE \"C\", p.account_id) > ("			\
    "coalesce((SELECT lower(x.name) COLLATE \"C\" FROM person x "	\
    "WHERE x.account_id = $1::uuid), ''), coalesce($1::uuid, "		\
    "'00000000-0000-0000-0000-000000000000'::uuid)) "
/* $1 as typed, $2 with signs of LIKE escaped, $3 how many to pass over.
 * Begins with $1: behind it, and before what sorts behind all of these. */
#define BEGINS(x)							\
    x " >= lower($1::text) AND " x " < lower($1::text) || U&'\\+10FFFF'"
#define HOLDS(x)	x " LIKE '%' || lower($2::text) || '%'"
/* OFFSET 0: or the planner, told of LIMIT and not of what is typed, hopes to
 * meet enough soon and reads the table from its beginning. */
#define OF_PERSON(where)						\
    "(SELECT account_id FROM (SELECT account_id FROM person WHERE "	\
    where " OFFSET 0) u LIMIT 200)"
#define OF_TENANT(where)						\
    "(SELECT m.account_id FROM (SELECT id FROM tenant t WHERE "		\
    where " OFFSET 0) u JOIN membership m ON m.tenant_id = u.id LIMIT 200)"
/* In the order of the index. */
#define BY_NAME								\
    "(SELECT account_id FROM person WHERE "				\
    BEGINS("lower(name) COLLATE \"C\"")				\
    " ORDER BY lower(name) COLLATE \"C\", account_id LIMIT 200)"
#define BY_ADDRESS							\
    "(SELECT account_id FROM person WHERE "				\
    BEGINS("email_folded COLLATE \"C\"")				\
    " ORDER BY email_folded COLLATE \"C\" LIMIT 200)"
/* Of the client that has this very code. */
#define OF_CODE								\
    "(SELECT m.account_id FROM tenant t JOIN membership m"		\
    " ON m.tenant_id = t.id WHERE lower(t.code) COLLATE \"C\""		\
    " = lower($1::text) LIMIT 200)"
/* Where enough begins so, nobody looks who holds it: what is in everybody's
 * address is found at its beginning first.  What is so, or begins so, goes
 * first; then what is most alike. */
#define RANKED(hits, others)						\
    "WITH near AS MATERIALIZED (" hits "), hit AS MATERIALIZED ("	\
    "SELECT DISTINCT d.account_id FROM (SELECT account_id FROM near"	\
    "  UNION ALL (SELECT u.account_id FROM (" others ") u"		\
    "    WHERE (SELECT count(*) FROM near) < 200 LIMIT 400)) d), best AS MATERIALIZED ("					\
    COLUMNS ", row_number() OVER (ORDER BY lower($1::text) IN ("	\
    "  lower(p.name), p.email_folded, lower(t.code), lower(t.name))"	\
    "  DESC NULLS LAST, starts_with(lower(p.name), lower($1::text))"	\
    "  OR starts_with(p.email_folded, lower($1::text)) DESC,"		\
    "  greatest(similarity(lower(p.name), lower($1::text)),"		\
    "  similarity(p.email_folded, lower($1::text)),"			\
    "  similarity(lower(t.name), lower($1::text))) DESC,"		\
    "  lower(p.name) COLLATE \"C\", p.account_id) AS place "		\
    "FROM hit JOIN person p ON p.account_id = hit.account_id " JOINS ") "	\
    "SELECT * FROM best WHERE place > $3::int AND place <= 200"		\
    " AND place <= $3::int + 51 AND $2::text IS NOT NULL ORDER BY place"

static struct staff_person	person_read(const struct db_rows *, int row);
static const char		*like_escape(struct arena *, const char *);

WAITS struct staff_people
staff_db_list(struct db *db, const char *typed, const char *after)
{
	DB_QUERY(staff_all,
	    COLUMNS "FROM person p " JOINS "WHERE " AFTER ORDER);
	DB_QUERY(staff_begins, RANKED(OF_CODE " UNION ALL " BY_NAME
	    " UNION ALL " BY_ADDRESS,
	    OF_TENANT(BEGINS("lower(t.name) COLLATE \"C\""))));
	DB_QUERY(staff_holds, RANKED(OF_CODE " UNION ALL " BY_NAME
	    " UNION ALL " BY_ADDRESS,
	    OF_TENANT(HOLDS("lower(t.code)"))
	    " UNION ALL " OF_PERSON(HOLDS("lower(name)"))
	    " UNION ALL " OF_TENANT(HOLDS("lower(t.name)"))
	    " UNION ALL " OF_PERSON(HOLDS("email_folded"))));
	_Static_assert(STAFF_PAGE_ROWS == 50, "the limits above are one more");
	_Static_assert(STAFF_HITS_MAX == 200, "the limits above");
	struct staff_people	 people = { .next_after = "" };
	const struct db_rows	*rows;
	int64_t			 over = 0;
	int			 i;

	if (*typed == '\0')
		rows = db_read(db, &staff_all, DB_ARGS(
		    uuid_shaped(after) ? after : NULL));
	else if (*after != '\0' && !str_to_int(after, 0, STAFF_HITS_MAX,
	    &over))
		return (people);
	else
		rows = db_read(db, str_chars(typed) < 3 ? &staff_begins :
		    &staff_holds, DB_ARGS(typed, like_escape(db_arena(db),
		    typed), db_int(db, over)));
	people.n = rows->n > STAFF_PAGE_ROWS ? STAFF_PAGE_ROWS : rows->n;
	people.list = arena_calloc(db_arena(db), (size_t)people.n,
	    sizeof(*people.list));
	for (i = 0; i < people.n; i++)
		people.list[i] = person_read(rows, i);
	if (rows->n > people.n)
		people.next_after = *typed == '\0' ?
		    people.list[people.n - 1].account_id :
		    db_int(db, over + STAFF_PAGE_ROWS);
	people.is_cut = *typed != '\0' &&
	    over + people.n == STAFF_HITS_MAX;
	return (people);
}

WAITS struct staff_person *
staff_db_find(struct db *db, const char *id)
{
	DB_QUERY(staff_find,
	    COLUMNS ", coalesce(d.reason, ''), coalesce(b.name, ''), "
	    MICROS("d.at") " FROM person p " JOINS
	    "LEFT JOIN account_disabling d ON d.account_id = p.account_id "
	    "LEFT JOIN person b ON b.account_id = d.by_account "
	    "WHERE p.account_id = $1::uuid");
	const struct db_rows	*rows;
	struct staff_person	*person;

	rows = db_read(db, &staff_find, DB_ARGS(id));
	if (rows->n == 0)
		return (NULL);
	person = arena_alloc(db_arena(db), sizeof(*person));
	*person = person_read(rows, 0);
	person->reason = db_text(rows, 0, 11);
	person->disabled_by = db_text(rows, 0, 12);
	person->disabled_at = db_number(rows, 0, 13);
	return (person);
}

static struct staff_person
person_read(const struct db_rows *rows, int row)
{
	struct staff_person	p = {
		.account_id = db_text(rows, row, 0),
		.person = db_text(rows, row, 1),
		.email = db_text(rows, row, 2),
		.kind = ACCOUNT_CONTACT,
		.role = MEMBER_NONE,
		.is_active = db_truth(rows, row, 5),
		.code = db_text(rows, row, 7),
		.client = db_text(rows, row, 8),
		.since = db_number(rows, row, 9),
		.signed_in_at = db_number(rows, row, 10),
		.reason = "", .disabled_by = "",
	};

	if (str_eq(db_text(rows, row, 3), "staff"))
		p.kind = str_eq(db_text(rows, row, 4), "admin") ?
		    ACCOUNT_ADMIN : ACCOUNT_STAFF;
	else if (!people_role_parse(db_text(rows, row, 6), &p.role))
		p.role = MEMBER_NONE;
	return (p);
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
