/*
 * What the keys of people may, in the database.
 */
#include "people/permit.h"

/* Who asks has a row m, whom it is about a row w of the same client. */
#define CHANGES								\
    "(m.role = 'owner' OR (m.role = 'manager' AND w.role = 'member'))"
#define IN_ORDER							\
    " ORDER BY array_position(ARRAY['read-only', 'billing', 'full'],"	\
    " r.preset), r.name_folded, r.id LIMIT 200"
_Static_assert(PERMIT_ROLES_MAX == 200, "the limit above");

WAITS struct permit *
permit_db_read(struct db *db, const char *who, const char *whom)
{
	DB_QUERY(permit_of,
	    "SELECT w.account_id, coalesce(p.name, ''), w.role = 'owner',"
	    " w.makes_keys, w.permit_version"
	    " FROM membership m JOIN membership w ON w.tenant_id = m.tenant_id"
	    " LEFT JOIN person p ON p.account_id = w.account_id"
	    " WHERE m.account_id = $1::uuid AND w.account_id = $2::uuid"
	    " AND " CHANGES);
	DB_QUERY(permit_roles,
	    "SELECT r.id, r.name, r.scope = 'named',"
	    " EXISTS (SELECT FROM membership_role x WHERE x.role_id = r.id"
	    "  AND x.account_id = w.account_id), m.role = 'owner'"
	    "  OR EXISTS (SELECT FROM membership_role x"
	    "  WHERE x.role_id = r.id AND x.account_id = m.account_id)"
	    " FROM membership m JOIN membership w ON w.tenant_id = m.tenant_id"
	    " JOIN api_role r ON r.tenant_id = m.tenant_id"
	    " WHERE m.account_id = $1::uuid AND w.account_id = $2::uuid"
	    " AND " CHANGES IN_ORDER);
	const struct db_rows	*rows;
	struct permit		*permit;
	int			 i;

	rows = db_read(db, &permit_of, DB_ARGS(who, whom));
	if (rows->n == 0)
		return (NULL);
	permit = arena_alloc(db_arena(db), sizeof(*permit));
	*permit = (struct permit){
		.account_id = db_text(rows, 0, 0),
		.person = db_text(rows, 0, 1),
		.is_owner = db_truth(rows, 0, 2),
		.makes_keys = db_truth(rows, 0, 3),
		.version = db_number(rows, 0, 4),
	};
	rows = db_read(db, &permit_roles, DB_ARGS(who, whom));
	permit->n = rows->n;
	permit->roles = arena_calloc(db_arena(db), (size_t)rows->n + 1,
	    sizeof(*permit->roles));
	for (i = 0; i < rows->n; i++)
		permit->roles[i] = (struct permit_role){
			.id = db_text(rows, i, 0),
			.name = db_text(rows, i, 1),
			.is_named = db_truth(rows, i, 2),
			.has = db_truth(rows, i, 3),
			.may_give = db_truth(rows, i, 4),
		};
	return (permit);
}

WAITS enum permit_result
permit_db_save(struct db *db, const char *who, const char *whom,
    const struct permit_form *form)
{
	/* `own` is locked behind the rows of both people, as whoever takes a
	 * role from one of them has it: no two wait for each other. */
	DB_QUERY(permit_save,
	    "WITH people AS MATERIALIZED (SELECT m.account_id, m.tenant_id,"
	    "    m.role, m.makes_keys FROM membership m"
	    "  WHERE m.account_id IN ($1::uuid, $2::uuid) AND m.tenant_id ="
	    "    (SELECT o.tenant_id FROM membership o"
	    "    WHERE o.account_id = $1::uuid)"
	    "  ORDER BY m.account_id FOR UPDATE"
	    "), may AS MATERIALIZED (SELECT w.account_id, w.tenant_id,"
	    "    w.makes_keys, m.account_id AS giver,"
	    "    m.role = 'owner' AS is_owner"
	    "  FROM people m JOIN people w ON w.account_id = $2::uuid"
	    "  WHERE m.account_id = $1::uuid AND w.role <> 'owner'"
	    "  AND " CHANGES
	    "), own AS MATERIALIZED (SELECT x.role_id FROM may"
	    "  JOIN membership_role x ON x.account_id = may.giver"
	    "  AND NOT may.is_owner FOR SHARE OF x"
	    "), offered AS MATERIALIZED (SELECT r.id FROM (SELECT r.id,"
	    "    may.is_owner FROM may JOIN api_role r"
	    "    ON r.tenant_id = may.tenant_id" IN_ORDER ") r"
	    "  WHERE r.is_owner OR r.id IN (SELECT role_id FROM own)"
	    "), asked AS (SELECT DISTINCT x.id FROM unnest($3::uuid[])"
	    "  AS x (id)"
	    "), beyond AS MATERIALIZED (SELECT EXISTS (SELECT FROM asked"
	    "  WHERE id NOT IN (SELECT id FROM offered)) AS is_so"
	    "), done AS (UPDATE membership m SET makes_keys = CASE WHEN"
	    "    may.is_owner THEN $4::boolean ELSE m.makes_keys END,"
	    "    permit_version = m.permit_version + 1 FROM may, beyond"
	    "  WHERE m.account_id = may.account_id AND NOT beyond.is_so"
	    "  AND m.permit_version = $5::integer"
	    "  RETURNING m.account_id, m.tenant_id, m.makes_keys"
	    "), gone AS (DELETE FROM membership_role x USING done, offered o"
	    "  WHERE x.account_id = done.account_id AND x.role_id = o.id"
	    "  AND o.id NOT IN (SELECT id FROM asked) RETURNING x.role_id"
	    "), came AS (INSERT INTO membership_role (account_id, role_id,"
	    "    tenant_id) SELECT done.account_id, asked.id, done.tenant_id"
	    "  FROM done, asked ON CONFLICT DO NOTHING RETURNING role_id"
	    "), sums AS (SELECT (SELECT count(*) FROM came) AS given,"
	    "    (SELECT count(*) FROM gone) AS taken"
	    ") SELECT beyond.is_so, done.account_id IS NOT NULL,"
	    "  CASE WHEN done.account_id IS NOT NULL AND (sums.given > 0"
	    "    OR sums.taken > 0 OR done.makes_keys <> may.makes_keys) THEN"
	    "    audit_write(done.tenant_id, 'account', $1::uuid,"
	    "    'membership.permitted', 'account', done.account_id,"
	    "    jsonb_build_object('given', sums.given, 'taken', sums.taken,"
	    "    'makes_keys', done.makes_keys)) END"
	    "  FROM may CROSS JOIN beyond CROSS JOIN sums"
	    "  LEFT JOIN done ON true");
	const struct db_rows	*rows;

	rows = db_write(db, &permit_save, DB_ARGS(who, whom,
	    db_text_array(db, form->roles, form->roles_n),
	    db_bool(form->makes_keys), db_int(db, form->version)));
	/* A role that was deleted at this moment. */
	if (rows->outcome == DB_REFUSED)
		return (PERMIT_BEYOND);
	db_must(db, rows);
	if (rows->n == 0)
		return (PERMIT_NONE);
	if (db_truth(rows, 0, 0))
		return (PERMIT_BEYOND);
	return (db_truth(rows, 0, 1) ? PERMIT_SAVED : PERMIT_FASTER);
}
