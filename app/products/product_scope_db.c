/*
 * Scopes in the database: see product_scope.h.
 */
#include "products/product_scope.h"

#include "crypto/token.h"

#define KEY_LIVES	"k.state NOT IN ('revoked', 'deleted')"

static const char	*words_of(struct db *, const struct product_scope *, int n);

struct product_scopes
product_scope_db_list(struct db *db, const char *product_id)
{
	struct product_scopes		 scopes;
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(product_scope_list,
	    "SELECT s.word, s.description, coalesce((SELECT "
	    "string_agg(l.line, chr(10) ORDER BY l.place) FROM ("
	    "  SELECT r.place, string_agg(g.operation, ' ' "
	    "    ORDER BY array_position(r.operations, g.operation)) "
	    "    || ' ' || r.path AS line "
	    "  FROM product_scope_grant g "
	    "  JOIN product_resource r ON r.id = g.resource_id "
	    "  AND g.operation = ANY (r.operations) "
	    "  WHERE g.scope_id = s.id GROUP BY r.place, r.path) l), '') "
	    "FROM product_scope s WHERE s.product_id = $1::uuid "
	    "ORDER BY s.place LIMIT 100");
	_Static_assert(PRODUCT_SCOPES_MAX == 100, "the limit above");

	rows = db_read(db, &product_scope_list, DB_ARGS(product_id));
	scopes.n = rows->n;
	scopes.list = arena_calloc(db_arena(db), PRODUCT_SCOPES_MAX,
	    sizeof(*scopes.list));
	for (i = 0; i < rows->n; i++)
		scopes.list[i] = (struct product_scope){
			.word = db_text(rows, i, 0),
			.description = db_text(rows, i, 1),
			.grants = db_text(rows, i, 2),
		};
	return (scopes);
}

int64_t
product_scope_db_losers(struct db *db, const char *product_id,
    const struct product_scope *list, int n)
{
	DB_QUERY(product_scope_losers,
	    "SELECT count(DISTINCT k.id) FROM product_scope s "
	    "JOIN issued_key_scope ks ON ks.scope_id = s.id "
	    "JOIN issued_key k ON k.id = ks.key_id AND " KEY_LIVES " "
	    "WHERE s.product_id = $1::uuid AND s.word <> ALL ($2::text[])");

	return (db_number(db_read(db, &product_scope_losers, DB_ARGS(product_id,
	    words_of(db, list, n))), 0, 0));
}

enum catalogue_result
product_scope_db_set(struct db *db, const struct catalogue_change *c,
    const struct product_scope *list, int n,
    const struct product_scope_cells *cells, int64_t losers)
{
	const char		*id[PRODUCT_SCOPES_MAX], *description[PRODUCT_SCOPES_MAX];
	char			*made;
	const struct db_rows	*rows;
	int			 i;

	/* A scope that stays keeps its row, by which keys have it. */
	DB_QUERY(product_scope_set,
	    "WITH lost AS (SELECT count(DISTINCT k.id) AS n"
	    "  FROM product_scope s"
	    "  JOIN issued_key_scope ks ON ks.scope_id = s.id"
	    "  JOIN issued_key k ON k.id = ks.key_id AND " KEY_LIVES
	    "  WHERE s.product_id = $2::uuid AND s.word <> ALL ($5::text[])"
	    "), done AS (UPDATE product p SET name = p.name FROM lost"
	    "  WHERE p.id = $2::uuid AND p.version = $3::int"
	    "  AND lost.n = $10::bigint"
	    "  AND EXISTS (SELECT FROM account a WHERE a.id = $1::uuid"
	    "    AND a.kind = 'staff' AND a.staff_role = 'admin'"
	    "    AND a.state = 'active')"
	    "  RETURNING p.id, p.version, lost.n AS lost"
	    "), gone AS (DELETE FROM product_scope s USING done"
	    "  WHERE s.product_id = done.id AND s.word <> ALL ($5::text[])"
	    "  RETURNING s.word"
	    "), put AS (INSERT INTO product_scope AS s (id, product_id, word,"
	    "    description, place)"
	    "  SELECT g.id, done.id, g.word, g.description, g.place"
	    "  FROM done, unnest($4::uuid[], $5::text[], $6::text[])"
	    "    WITH ORDINALITY AS g (id, word, description, place)"
	    "  ON CONFLICT ON CONSTRAINT product_scope_word DO UPDATE SET"
	    "    description = excluded.description, place = excluded.place"
	    "  RETURNING s.id, s.word"
	    "), wanted AS (SELECT DISTINCT put.id AS scope_id,"
	    "    r.id AS resource_id, g.operation"
	    "  FROM unnest($7::text[], $8::text[], $9::text[])"
	    "    AS g (word, path, operation)"
	    "  JOIN put ON put.word = g.word CROSS JOIN done"
	    "  JOIN product_resource r ON r.product_id = done.id"
	    "    AND r.path = g.path AND g.operation = ANY (r.operations)"
	    "), cut AS (DELETE FROM product_scope_grant g USING put"
	    "  WHERE g.scope_id = put.id AND NOT EXISTS (SELECT FROM wanted w"
	    "    WHERE w.scope_id = g.scope_id AND w.operation = g.operation"
	    "    AND w.resource_id = g.resource_id) RETURNING g.scope_id"
	    "), added AS (INSERT INTO product_scope_grant (scope_id,"
	    "    resource_id, operation) SELECT scope_id, resource_id,"
	    "    operation FROM wanted ON CONFLICT DO NOTHING"
	    "  RETURNING scope_id"
	    ") SELECT audit_write(NULL, 'account', $1::uuid,"
	    "  'product.scopes', 'product', done.id, jsonb_build_object("
	    "  'version', done.version, 'scopes', (SELECT count(*) FROM put),"
	    "  'gone', (SELECT count(*) FROM gone),"
	    "  'operations_gone', (SELECT count(*) FROM cut),"
	    "  'operations_added', (SELECT count(*) FROM added),"
	    "  'keys_lose', done.lost)) FROM done");

	for (i = 0; i < n; i++) {
		made = arena_alloc(db_arena(db), UUID_TEXT);
		uuid_make(made);
		id[i] = made;
		description[i] = list[i].description;
	}
	rows = db_must(db, db_write(db, &product_scope_set, DB_ARGS(c->who, c->id,
	    db_int(db, c->version), db_text_array(db, id, (size_t)n),
	    words_of(db, list, n), db_text_array(db, description, (size_t)n),
	    db_text_array(db, cells->word, cells->n),
	    db_text_array(db, cells->path, cells->n),
	    db_text_array(db, cells->operation, cells->n),
	    db_int(db, losers))));
	return (rows->n == 1 ? CATALOGUE_DONE : CATALOGUE_LATE);
}

static const char *
words_of(struct db *db, const struct product_scope *list, int n)
{
	const char	*word[PRODUCT_SCOPES_MAX];
	int		 i;

	for (i = 0; i < n; i++)
		word[i] = list[i].word;
	return (db_text_array(db, word, (size_t)n));
}
