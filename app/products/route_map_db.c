/*
 * A route map into the database: see route_map.h.
 */
#include "products/route_map.h"

#include "crypto/token.h"

static const char	**column(struct db *, int n);

enum catalogue_result
route_map_db_set(struct db *db, const struct catalogue_change *c,
    const struct route_map *m)
{
	const char		**id = column(db, m->n), **name = column(db, m->n);
	const char		**note = column(db, m->n);
	const char		**path = column(db, m->n), **may = column(db, m->n);
	const char		**scope = column(db, m->scopes_n);
	const char		**word = column(db, m->scopes_n);
	const char		**says = column(db, m->scopes_n);
	const struct db_rows	*rows;
	char			*made;
	int			 i;

	/* As catalogue_db_set_resources() and product_scope_db_set(), in one. */
	DB_QUERY(route_map_set,
	    "WITH done AS (UPDATE product p SET name = p.name"
	    "  WHERE p.id = $2::uuid AND p.version = $3::int"
	    "  AND EXISTS (SELECT FROM account a WHERE a.id = $1::uuid"
	    "    AND a.kind = 'staff' AND a.staff_role = 'admin'"
	    "    AND a.state = 'active')"
	    "  RETURNING p.id, p.version"
	    "), given AS (SELECT done.id AS product_id, g.id, g.name, g.note,"
	    "    g.path, string_to_array(g.may, ', ') AS operations, g.place"
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
	    "    place = excluded.place, path = excluded.path,"
	    "    operations = excluded.operations"
	    "  RETURNING r.id, r.path"
	    "), named AS (INSERT INTO product_scope AS s (id, product_id, word,"
	    "    description, place)"
	    "  SELECT g.id, done.id, g.word, g.description, g.place"
	    "    + (SELECT coalesce(max(o.place), 0) FROM product_scope o"
	    "      WHERE o.product_id = done.id)"
	    "  FROM done, unnest($9::uuid[], $10::text[], $11::text[])"
	    "    WITH ORDINALITY AS g (id, word, description, place)"
	    "  ON CONFLICT ON CONSTRAINT product_scope_word DO UPDATE SET"
	    "    description = CASE WHEN excluded.description = ''"
	    "      THEN s.description ELSE excluded.description END"
	    "  RETURNING s.id, s.word"
	    "), wanted AS (SELECT DISTINCT named.id AS scope_id,"
	    "    put.id AS resource_id, g.operation"
	    "  FROM unnest($12::text[], $13::text[], $14::text[])"
	    "    AS g (word, path, operation)"
	    "  JOIN named ON named.word = g.word"
	    "  JOIN put ON put.path = g.path"
	    "), cut AS (DELETE FROM product_scope_grant g USING named"
	    "  WHERE g.scope_id = named.id AND NOT EXISTS ("
	    "    SELECT FROM wanted w WHERE w.scope_id = g.scope_id"
	    "    AND w.operation = g.operation"
	    "    AND w.resource_id = g.resource_id) RETURNING g.scope_id"
	    "), added AS (INSERT INTO product_scope_grant (scope_id,"
	    "    resource_id, operation) SELECT scope_id, resource_id,"
	    "    operation FROM wanted ON CONFLICT DO NOTHING"
	    "  RETURNING scope_id"
	    ") SELECT audit_write(NULL, 'account', $1::uuid,"
	    "  'product.routes', 'product', done.id, jsonb_build_object("
	    "  'version', done.version, 'resources', (SELECT count(*) FROM put),"
	    "  'gone', (SELECT count(*) FROM gone),"
	    "  'scopes', (SELECT count(*) FROM named),"
	    "  'operations_gone', (SELECT count(*) FROM cut),"
	    "  'operations_added', (SELECT count(*) FROM added)))"
	    " FROM done");

	for (i = 0; i < m->n; i++) {
		made = arena_alloc(db_arena(db), UUID_TEXT);
		uuid_make(made);
		id[i] = *m->resources[i].id == '\0' ? made :
		    m->resources[i].id;
		name[i] = m->resources[i].name;
		note[i] = m->resources[i].note;
		path[i] = m->resources[i].path;
		may[i] = route_map_operations(db_arena(db), &m->resources[i]);
	}
	for (i = 0; i < m->scopes_n; i++) {
		made = arena_alloc(db_arena(db), UUID_TEXT);
		uuid_make(made);
		scope[i] = made;
		word[i] = m->scopes[i].word;
		says[i] = m->scopes[i].description;
	}
	rows = db_write(db, &route_map_set, DB_ARGS(c->who, c->id,
	    db_int(db, c->version), db_text_array(db, id, (size_t)m->n),
	    db_text_array(db, name, (size_t)m->n),
	    db_text_array(db, note, (size_t)m->n),
	    db_text_array(db, path, (size_t)m->n),
	    db_text_array(db, may, (size_t)m->n),
	    db_text_array(db, scope, (size_t)m->scopes_n),
	    db_text_array(db, word, (size_t)m->scopes_n),
	    db_text_array(db, says, (size_t)m->scopes_n),
	    db_text_array(db, m->cells.word, m->cells.n),
	    db_text_array(db, m->cells.path, m->cells.n),
	    db_text_array(db, m->cells.operation, m->cells.n)));
	return (db_must(db, rows)->n == 1 ? CATALOGUE_DONE : CATALOGUE_LATE);
}

static const char **
column(struct db *db, int n)
{
	return (arena_calloc(db_arena(db), (size_t)n + 1,
	    sizeof(const char *)));
}
