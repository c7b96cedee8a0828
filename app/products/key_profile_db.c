/*
 * Key profiles in the database: see key_profile.h.
 */
#include "products/key_profile.h"

#include <assert.h>

#define COLUMNS								\
	"f.name, f.title, f.summary, f.key_header, f.key_query, "	\
	"f.tenant_header, f.tenant_by, f.makers, f.scopes, f.reveal, "	\
	"f.letters, array_to_string(f.menu, ' → '), "			\
	"array_to_string(f.overlaps_s, ', '), f.is_pair, f.takes_token, " \
	"f.within_maker, f.env_letter, f.can_pause, f.can_delete, "	\
	"f.can_revoke, f.can_expire, f.missing_status, "		\
	"f.unknown_status, f.shows_first, "				\
	"coalesce(f.key_calls_a_minute, 0) "
#define COLUMNS_N	25

static struct key_profile	profile_read(const struct db_rows *, int);

struct key_profiles
key_profile_db_list(struct db *db)
{
	struct key_profiles	 list;
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(key_profiles,
	    "SELECT " COLUMNS "FROM key_profile f ORDER BY f.place LIMIT 20");
	_Static_assert(KEY_PROFILES_MAX == 20, "the limit above");

	rows = db_read(db, &key_profiles, DB_NONE);
	list.n = rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*list.list));
	for (i = 0; i < rows->n; i++)
		list.list[i] = profile_read(rows, i);
	return (list);
}

struct key_rule
key_profile_db_of(struct db *db, const char *product_id)
{
	const struct db_rows	*rows;

	DB_QUERY(key_profile_of,
	    "SELECT " COLUMNS ", coalesce(p.key_calls_a_minute, 0) "
	    "FROM product p JOIN key_profile f ON f.name = p.profile "
	    "WHERE p.id = $1::uuid");

	rows = db_read(db, &key_profile_of, DB_ARGS(product_id));
	assert(rows->n == 1);
	return ((struct key_rule){
		.profile = profile_read(rows, 0),
		.calls_a_minute = db_number(rows, 0, COLUMNS_N),
	});
}

struct key_profile
key_profile_db_pair(struct db *db)
{
	const struct db_rows	*rows;

	DB_QUERY(key_profile_pair,
	    "SELECT " COLUMNS "FROM key_profile f WHERE f.is_pair "
	    "ORDER BY f.place LIMIT 1");

	rows = db_read(db, &key_profile_pair, DB_NONE);
	assert(rows->n == 1);
	return (profile_read(rows, 0));
}

struct key_counts
key_profile_db_counts(struct db *db, const char *product_id)
{
	const struct db_rows	*rows;

	/* What a key's scopes stand for, and its maker may not. */
	DB_QUERY(key_profile_counts,
	    "SELECT (SELECT count(*) FROM subscription s "
	    "WHERE s.product_id = $1::uuid "
	    "AND s.state IN ('active', 'suspended')), "
	    "count(*), count(*) FILTER (WHERE k.state = 'inactive'), "
	    "count(*) FILTER (WHERE k.state = 'pending'), "
	    "count(*) FILTER (WHERE EXISTS (SELECT FROM issued_key_scope c "
	    "  WHERE c.key_id = k.id)), "
	    "count(*) FILTER (WHERE EXISTS ("
	    "  SELECT g.resource_id, g.operation FROM issued_key_scope c "
	    "  JOIN product_scope_grant g ON g.scope_id = c.scope_id "
	    "  WHERE c.key_id = k.id EXCEPT "
	    "  SELECT h.resource_id, h.operation FROM person_cells("
	    "    k.maker_id, s.tenant_id, s.product_id) h)), "
	    "count(*) FILTER (WHERE k.calls_a_minute IS NOT NULL) "
	    "FROM subscription s JOIN issued_key k ON k.subscription_id = s.id "
	    "AND k.state NOT IN ('revoked', 'deleted') "
	    "WHERE s.product_id = $1::uuid "
	    "AND s.state IN ('active', 'suspended')");

	rows = db_read(db, &key_profile_counts, DB_ARGS(product_id));
	return ((struct key_counts){
		.subscriptions = db_number(rows, 0, 0),
		.keys = db_number(rows, 0, 1),
		.inactive = db_number(rows, 0, 2),
		.pending = db_number(rows, 0, 3),
		.with_scopes = db_number(rows, 0, 4),
		.beyond = db_number(rows, 0, 5),
		.own_limit = db_number(rows, 0, 6),
	});
}

enum catalogue_result
key_profile_db_set(struct db *db, const struct catalogue_change *c,
    const char *name, int64_t calls)
{
	const struct db_rows	*rows;

	DB_QUERY(key_profile_set,
	    "WITH was AS (SELECT p.id, p.profile FROM product p"
	    "  WHERE p.id = $2::uuid"
	    "), done AS (UPDATE product p SET profile = $4,"
	    "    key_calls_a_minute = nullif($5::int, 0) FROM was"
	    "  WHERE p.id = was.id AND p.version = $3::int"
	    "  AND EXISTS (SELECT FROM key_profile f WHERE f.name = $4)"
	    "  AND EXISTS (SELECT FROM account a WHERE a.id = $1::uuid"
	    "    AND a.kind = 'staff' AND a.staff_role = 'admin'"
	    "    AND a.state = 'active')"
	    "  RETURNING p.id, p.version, p.profile, p.key_calls_a_minute,"
	    "    was.profile AS was"
	    ") SELECT audit_write(NULL, 'account', $1::uuid,"
	    "  'product.keys', 'product', done.id, jsonb_build_object("
	    "  'version', done.version, 'profile', done.profile,"
	    "  'was', done.was, 'key_calls_a_minute',"
	    "  done.key_calls_a_minute)) FROM done");

	rows = db_write(db, &key_profile_set, DB_ARGS(c->who, c->id,
	    db_int(db, c->version), name, db_int(db, calls)));
	if (rows->outcome == DB_REFUSED &&
	    str_eq(rows->constraint, "product_profile_kind"))
		return (CATALOGUE_RULE);
	return (db_must(db, rows)->n == 1 ? CATALOGUE_DONE : CATALOGUE_LATE);
}

static struct key_profile
profile_read(const struct db_rows *rows, int i)
{
	return ((struct key_profile){
		.name = db_text(rows, i, 0),
		.title = db_text(rows, i, 1),
		.summary = db_text(rows, i, 2),
		.key_header = db_text(rows, i, 3),
		.key_query = db_text(rows, i, 4),
		.tenant_header = db_text(rows, i, 5),
		.tenant_by = db_text(rows, i, 6),
		.makers = db_text(rows, i, 7),
		.scopes = db_text(rows, i, 8),
		.reveal = db_text(rows, i, 9),
		.letters = db_text(rows, i, 10),
		.menu = db_text(rows, i, 11),
		.overlaps = db_text(rows, i, 12),
		.is_pair = db_truth(rows, i, 13),
		.takes_token = db_truth(rows, i, 14),
		.within_maker = db_truth(rows, i, 15),
		.env_letter = db_truth(rows, i, 16),
		.can_pause = db_truth(rows, i, 17),
		.can_delete = db_truth(rows, i, 18),
		.can_revoke = db_truth(rows, i, 19),
		.can_expire = db_truth(rows, i, 20),
		.missing_status = db_number(rows, i, 21),
		.unknown_status = db_number(rows, i, 22),
		.shows_first = db_number(rows, i, 23),
		.calls_a_minute = db_number(rows, i, 24),
	});
}
