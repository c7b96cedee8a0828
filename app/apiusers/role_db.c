/*
 * Roles in the database.  Saving tells whether a role allows more than before:
 * owners and managers get a mail then, if a user has it.
 */
#include "apiusers/role.h"

#include "apiusers/apiuser.h"
#include "base/str.h"

#define MAY(who, tenant)						\
	"api_right(" who ", " tenant ") IN ('owner', 'manager', 'admin')"
#define IS_STAFF(who, tenant)						\
	"api_right(" who ", " tenant ") = 'admin'"

/* Tells owners and managers what an admin did to a role, `done` with id, name
 * and tenant_id. */
#define TOLD(what)							\
	"SELECT mail_queue('api_changed', w.account_id, NULL,"		\
	" jsonb_build_object('api_role', done.name, 'client', t.name,"	\
	" 'by', " API_DOER("true") ", 'done', " what ")) AS mail"	\
	" FROM done JOIN tenant t ON t.id = done.tenant_id"		\
	"   AND " IS_STAFF("$1::uuid", "t.id")				\
	" LEFT JOIN person b ON b.account_id = $1::uuid"		\
	" JOIN membership w ON w.tenant_id = t.id"			\
	"   AND w.role IN ('owner', 'manager')"				\
	" JOIN account a ON a.id = w.account_id AND a.state = 'active'"

/* What is included of products `p` with resources `x`, in the order in which
 * it is shown. */
#define INCLUDED(tenant)						\
	"WHERE p.id IN (SELECT s.product_id FROM subscription s"	\
	"   WHERE s.tenant_id = " tenant				\
	"   AND s.state IN ('active', 'suspended')) "			\
	"ORDER BY p.place, p.name, p.id, x.place "

static enum role_result refused(const struct db_rows *);
static const struct permission_set *set_of(struct db *, const char *text);

WAITS struct roles
role_db_list(struct db *db, const char *tenant_id)
{
	DB_QUERY(role_list,
	    "SELECT r.id, r.name, array_to_string(r.accounts, chr(10)),"
	    " r.preset IS NOT NULL, r.version, (SELECT count(*)"
	    "   FROM api_user_role ur WHERE ur.role_id = r.id) "
	    "FROM api_role r WHERE r.tenant_id = $1::uuid ORDER BY "
	    "array_position(ARRAY['read-only', 'billing', 'full'], r.preset),"
	    " r.name_folded LIMIT 50");
	_Static_assert(ROLES_MAX == 50, "the limit above");
	const struct db_rows *rows;
	struct roles roles;
	int i;

	rows = db_read(db, &role_list, DB_ARGS(tenant_id));
	roles.n = rows->n;
	roles.list =
	    arena_calloc(db_arena(db), (size_t)rows->n, sizeof(*roles.list));
	for (i = 0; i < rows->n; i++)
		roles.list[i] = (struct role){
			.id = db_text(rows, i, 0),
			.name = db_text(rows, i, 1),
			.accounts = db_text(rows, i, 2),
			.is_preset = db_truth(rows, i, 3),
			.version = db_number(rows, i, 4),
			.users = db_number(rows, i, 5),
		};
	return (roles);
}

WAITS struct api_resources
role_db_resources(struct db *db, const char *tenant_id, const char *role_id)
{
	DB_QUERY(role_resources,
	    "SELECT x.id, x.name, x.note, x.path, p.id, p.name,"
	    " 'GET' = ANY (x.operations), 'POST' = ANY (x.operations),"
	    " 'PUT' = ANY (x.operations), 'PATCH' = ANY (x.operations),"
	    " 'DELETE' = ANY (x.operations), g.has @> '{GET}',"
	    " g.has @> '{POST}', g.has @> '{PUT}', g.has @> '{PATCH}',"
	    " g.has @> '{DELETE}' "
	    "FROM product p JOIN product_resource x ON x.product_id = p.id,"
	    " LATERAL (SELECT ARRAY(SELECT operation FROM api_role_grant"
	    "   WHERE role_id = $2::uuid AND resource_id = x.id) AS has) AS g "
	    INCLUDED("$1::uuid") "LIMIT 150");
	_Static_assert(ROLE_RESOURCES_MAX == 150, "the limit above");
	const struct db_rows *rows;
	struct api_resources resources;
	int i, m;

	rows = db_read(db, &role_resources, DB_ARGS(tenant_id, role_id));
	resources.n = rows->n;
	resources.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*resources.list));
	for (i = 0; i < rows->n; i++) {
		resources.list[i] = (struct api_resource){
			.id = db_text(rows, i, 0),
			.name = db_text(rows, i, 1),
			.note = db_text(rows, i, 2),
			.path = db_text(rows, i, 3),
			.product_id = db_text(rows, i, 4),
			.product = db_text(rows, i, 5),
		};
		for (m = 0; m < PERMISSION_METHODS; m++) {
			resources.list[i].offers[m] = db_truth(rows, i, 6 + m);
			resources.list[i].has[m] =
			    db_truth(rows, i, 6 + PERMISSION_METHODS + m);
		}
	}
	return (resources);
}

WAITS struct role_matrices
role_db_matrices(struct db *db, const char *user_id)
{
	DB_QUERY(role_matrices,
	    "SELECT p.id, p.name, api_user_matrix(u.id, p.id) "
	    "FROM api_user u JOIN product p ON p.id IN (SELECT s.product_id"
	    "   FROM subscription s WHERE s.tenant_id = u.tenant_id"
	    "   AND s.state IN ('active', 'suspended')) "
	    "WHERE u.id = $1::uuid ORDER BY p.place, p.name, p.id LIMIT 20");
	const struct db_rows *rows;
	struct role_matrices found;
	int i;

	rows = db_read(db, &role_matrices, DB_ARGS(user_id));
	found.n = rows->n;
	found.list =
	    arena_calloc(db_arena(db), (size_t)rows->n, sizeof(*found.list));
	for (i = 0; i < rows->n; i++)
		found.list[i] = (struct role_matrix){
			.product_id = db_text(rows, i, 0),
			.product = db_text(rows, i, 1),
			.set = set_of(db, db_text(rows, i, 2)),
		};
	return (found);
}

WAITS enum role_result
role_db_make(struct db *db, const char *who, const char *tenant_id,
    const struct role_form *form)
{
	DB_QUERY(role_make,
	    "WITH me AS (SELECT t.id FROM tenant t WHERE t.id = $2::uuid AND "
	    MAY("$1::uuid", "t.id")
	    "), done AS (INSERT INTO api_role (id, tenant_id, name,"
	    "    name_folded, scope, accounts, changed_by)"
	    "  SELECT $3::uuid, me.id, $4::text, $5::text,"
	    "  CASE WHEN cardinality($6::text[]) = 0 THEN 'all' ELSE 'named'"
	    "    END, $6::text[], $1::uuid FROM me WHERE (SELECT count(*)"
	    "  FROM api_role r WHERE r.tenant_id = me.id) < 50"
	    "  RETURNING id, tenant_id, name"
	    "), granted AS (INSERT INTO api_role_grant (role_id, tenant_id,"
	    "    resource_id, operation) SELECT done.id, done.tenant_id,"
	    "  g.resource, g.operation FROM done,"
	    "  unnest($7::uuid[], $8::text[]) AS g (resource, operation)"
	    "  ON CONFLICT DO NOTHING RETURNING 1"
	    "), told AS (" TOLD("'made the role'")
	    ") SELECT (SELECT audit_write(done.tenant_id, 'account',"
	    "    $1::uuid, 'api_role.made', 'api_role', done.id) FROM done),"
	    "  (SELECT count(*) FROM granted), (SELECT count(told.mail)"
	    "  FROM told) FROM me");
	const struct db_rows *rows;
	struct arena *a = db_arena(db);

	rows = db_write(db, &role_make,
	    DB_ARGS(who, tenant_id, form->id, form->name,
		str_fold(a, form->name),
		db_text_array(db, form->accounts, form->accounts_n),
		db_text_array(db, form->resources, form->grants_n),
		db_text_array(db, form->operations, form->grants_n)));
	if (rows->outcome != DB_OK)
		return (refused(rows));
	if (rows->n == 0)
		return (ROLE_NONE);
	return (db_is_null(rows, 0, 0) ? ROLE_FULL : ROLE_SAVED);
}

WAITS enum role_result
role_db_save(struct db *db, const char *who, const char *tenant_id,
    const struct role_form *form)
{
	/* What is wider is found before anything is written: `cell` and
	 * `fresh` read the tables as they were.  What the page has no room for
	 * stays as it is. */
	DB_QUERY(role_save,
	    "WITH me AS (SELECT r.id, r.tenant_id, " IS_STAFF("$1::uuid",
	    "r.tenant_id") " AS is_staff,"
	    "    api_right($1::uuid, r.tenant_id) = 'manager' AS is_manager"
	    "  FROM api_role r"
	    "  WHERE r.id = $3::uuid AND r.tenant_id = $2::uuid AND "
	    MAY("$1::uuid", "r.tenant_id")
	    "), fresh AS (SELECT DISTINCT resource, operation"
	    "  FROM unnest($7::uuid[], $8::text[]) AS g (resource, operation)"
	    "), cell AS (SELECT g.resource_id, g.operation, r.scope,"
	    "    r.accounts FROM me JOIN api_role r ON r.id = me.id"
	    "  JOIN api_role_grant g ON g.role_id = r.id"
	    "), wider AS (SELECT EXISTS (SELECT FROM fresh f WHERE"
	    "    NOT EXISTS (SELECT FROM cell c WHERE c.resource_id ="
	    "    f.resource AND c.operation = f.operation AND (c.scope = 'all'"
	    "    OR (cardinality($6::text[]) > 0 AND c.accounts @>"
	    "    $6::text[])))) AS is_so"
	    "), refused AS (SELECT wider.is_so AND me.is_manager"
	    "    AND EXISTS (SELECT FROM membership_role mr"
	    "    WHERE mr.role_id = me.id) AS is_so FROM me, wider"
	    "), done AS (UPDATE api_role x SET name = $4::text,"
	    "    name_folded = $5::text, scope = CASE WHEN"
	    "    cardinality($6::text[]) = 0 THEN 'all' ELSE 'named' END,"
	    "    accounts = $6::text[], version = x.version + 1,"
	    "    changed_at = now(), changed_by = $1::uuid FROM me"
	    "  WHERE x.id = me.id AND x.version = $9::integer"
	    "  AND NOT (SELECT is_so FROM refused)"
	    "  RETURNING x.id, x.tenant_id, x.name"
	    "), gone AS (DELETE FROM api_role_grant g USING done"
	    "  WHERE g.role_id = done.id AND NOT EXISTS (SELECT FROM fresh f"
	    "    WHERE f.resource = g.resource_id"
	    "    AND f.operation = g.operation)"
	    "  AND g.resource_id NOT IN (SELECT x.id FROM product p"
	    "    JOIN product_resource x ON x.product_id = p.id "
	    INCLUDED("$2::uuid") "OFFSET 150)"
	    "), came AS (INSERT INTO api_role_grant (role_id, tenant_id,"
	    "    resource_id, operation) SELECT done.id, done.tenant_id,"
	    "  f.resource, f.operation FROM done, fresh f"
	    "  ON CONFLICT DO NOTHING"
	    "), users AS (SELECT string_agg(n.name, ', ') AS names FROM ("
	    "    SELECT u.username AS name FROM done JOIN api_user_role ur"
	    "    ON ur.role_id = done.id JOIN api_user u"
	    "    ON u.id = ur.api_user_id ORDER BY 1 LIMIT 10) AS n"
	    "), told AS (SELECT mail_queue(CASE WHEN wider.is_so AND"
	    "    users.names IS NOT NULL THEN 'api_role_widened'"
	    "    ELSE 'api_changed' END, w.account_id, NULL,"
	    "    jsonb_build_object('api_role', done.name, 'client', t.name,"
	    "    'api_users', users.names, 'by', " API_DOER("me.is_staff")
	    "    , 'done', 'changed the role')) AS mail"
	    "  FROM done JOIN me ON true JOIN wider ON true JOIN users"
	    "    ON me.is_staff OR (wider.is_so AND users.names IS NOT NULL)"
	    "  JOIN tenant t ON t.id = done.tenant_id"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid"
	    "  JOIN membership w ON w.tenant_id = done.tenant_id"
	    "    AND w.role IN ('owner', 'manager')"
	    "  JOIN account a ON a.id = w.account_id AND a.state = 'active'"
	    ") SELECT (SELECT audit_write(done.tenant_id, 'account',"
	    "    $1::uuid, 'api_role.changed', 'api_role', done.id,"
	    "    jsonb_build_object('wider', wider.is_so)) FROM done, wider),"
	    "  (SELECT count(told.mail) FROM told), (SELECT is_so FROM refused)"
	    "  FROM me");
	const struct db_rows *rows;
	struct arena *a = db_arena(db);

	rows = db_write(db, &role_save,
	    DB_ARGS(who, tenant_id, form->id, form->name,
		str_fold(a, form->name),
		db_text_array(db, form->accounts, form->accounts_n),
		db_text_array(db, form->resources, form->grants_n),
		db_text_array(db, form->operations, form->grants_n),
		db_int(db, form->version)));
	if (rows->outcome != DB_OK)
		return (refused(rows));
	if (rows->n == 0)
		return (ROLE_NONE);
	if (db_truth(rows, 0, 2))
		return (ROLE_WIDER);
	return (db_is_null(rows, 0, 0) ? ROLE_FASTER : ROLE_SAVED);
}

WAITS enum role_result
role_db_delete(struct db *db, const char *who, const char *tenant_id,
    const char *id, int64_t version)
{
	DB_QUERY(role_delete,
	    "WITH me AS (SELECT r.id, r.tenant_id, r.version ="
	    "    coalesce(nullif($4::integer, 0), r.version) AS as_seen"
	    "  FROM api_role r"
	    "  WHERE r.id = $3::uuid AND r.tenant_id = $2::uuid"
	    "  AND r.preset IS NULL AND " MAY("$1::uuid", "r.tenant_id")
	    "  FOR UPDATE OF r"
	    "), done AS (DELETE FROM api_role r USING me WHERE r.id = me.id"
	    "  AND me.as_seen"
	    "  AND NOT EXISTS (SELECT FROM api_user_role ur"
	    "    WHERE ur.role_id = me.id)"
	    "  AND NOT EXISTS (SELECT FROM membership_role mr"
	    "    WHERE mr.role_id = me.id) RETURNING r.id, r.tenant_id, r.name"
	    "), told AS (" TOLD("'deleted the role'")
	    ") SELECT (SELECT audit_write(done.tenant_id, 'account',"
	    "    $1::uuid, 'api_role.deleted', 'api_role', done.id)"
	    "    FROM done), me.as_seen,"
	    "  (SELECT count(told.mail) FROM told) FROM me");
	const struct db_rows *rows;

	rows = db_write(db, &role_delete, DB_ARGS(who, tenant_id, id,
	    db_int(db, version)));
	/* Given to a user at this moment. */
	if (rows->outcome == DB_REFUSED)
		return (ROLE_USED);
	db_must(db, rows);
	if (rows->n == 0)
		return (ROLE_NONE);
	if (!db_is_null(rows, 0, 0))
		return (ROLE_SAVED);
	return (db_truth(rows, 0, 1) ? ROLE_USED : ROLE_FASTER);
}

static enum role_result
refused(const struct db_rows *rows)
{
	/* The name; or the trigger on grants, or a resource that went. */
	return (rows->outcome == DB_CONFLICT ? ROLE_TAKEN : ROLE_NOT_INCLUDED);
}

/* In the handle's arena; NULL allows nothing. */
static const struct permission_set *
set_of(struct db *db, const char *text)
{
	size_t n = strlen(text), room = permission_set_room(n);

	return (permission_set_make(arena_alloc(db_arena(db), room), room, text,
	    n));
}
