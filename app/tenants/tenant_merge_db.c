/*
 * Merging in the database.  What moves, and in which order, is known to the
 * function tenant_merge(); the statement here says who may, writes the audit
 * of both clients and tells the owners that both had until now.
 */
#include "tenants/tenant_merge.h"

#include "base/str.h"

#define LIVE	"state IN ('active', 'suspended')"

WAITS struct tenant_merge *
tenant_db_merge_look(struct db *db, const char *from_id,
    const char *into_code)
{
	DB_QUERY(tenant_merge_look,
	    "SELECT i.id, i.code, i.name, i.id = $1::uuid,"
	    " i.state <> 'active', (SELECT count(*) FROM membership m"
	    "    WHERE m.tenant_id = $1::uuid),"
	    " (SELECT count(*) FROM api_user u WHERE u.tenant_id = $1::uuid"
	    "    AND u.state <> 'deleted'),"
	    " coalesce((SELECT min(s.name) FROM subscription s"
	    "    WHERE s.tenant_id = $1::uuid AND s." LIVE "), ''),"
	    " EXISTS (SELECT FROM subscription a JOIN subscription b"
	    "    ON b.tenant_id = i.id AND b.environment = a.environment"
	    "    AND b." LIVE " AND (b.product_id = a.product_id"
	    "    OR (b.one_key AND a.one_key))"
	    "    WHERE a.tenant_id = $1::uuid AND a." LIVE "),"
	    " EXISTS (SELECT FROM request a JOIN request b"
	    "    ON b.tenant_id = i.id AND b.environment = a.environment"
	    "    AND b.state = 'submitted'"
	    "    WHERE a.tenant_id = $1::uuid AND a.state = 'submitted'),"
	    " coalesce((SELECT string_agg(a.username, ', '"
	    "    ORDER BY a.username) FROM (SELECT a.username FROM api_user a"
	    "    JOIN api_user b ON b.tenant_id = i.id"
	    "    AND b.username = a.username AND b.state <> 'deleted'"
	    "    WHERE a.tenant_id = $1::uuid AND a.state <> 'deleted'"
	    "    ORDER BY a.username LIMIT 20) a), '')"
	    " FROM tenant i WHERE i.id = tenant_by_code($2::text)");
	const struct db_rows	*rows;
	struct tenant_merge	*m;

	rows = db_read(db, &tenant_merge_look, DB_ARGS(from_id, into_code));
	if (rows->n == 0)
		return (NULL);
	m = arena_alloc(db_arena(db), sizeof(*m));
	*m = (struct tenant_merge){
		.id = db_text(rows, 0, 0),
		.code = db_text(rows, 0, 1),
		.name = db_text(rows, 0, 2),
		.is_same = db_truth(rows, 0, 3),
		.is_closed = db_truth(rows, 0, 4),
		.contacts = db_number(rows, 0, 5),
		.users = db_number(rows, 0, 6),
		.key_name = db_text(rows, 0, 7),
		.both_keys = db_truth(rows, 0, 8),
		.both_requests = db_truth(rows, 0, 9),
		.both_users = db_text(rows, 0, 10),
	};
	return (m);
}

WAITS enum tenant_merge_result
tenant_db_merge(struct db *db, const char *who, const char *from_id,
    const char *into_id, const char *reason)
{
	DB_QUERY(tenant_merge,
	    "WITH me AS (SELECT a.id, p.name FROM account a"
	    "  JOIN person p ON p.account_id = a.id WHERE a.id = $1::uuid"
	    "  AND a.kind = 'staff' AND a.staff_role = 'admin'"
	    "  AND a.state = 'active' AND $4::text <> ''"
	    "), done AS MATERIALIZED (SELECT f.id AS from_id, f.code AS"
	    "    from_code, f.name AS from_name, i.id AS into_id,"
	    "    i.code AS into_code, i.name AS into_name, me.name AS by,"
	    "    tenant_merge(f.id, i.id, me.id, $4::text) AS is_done"
	    "  FROM me, tenant f, tenant i"
	    "  WHERE f.id = $2::uuid AND i.id = $3::uuid"
	    "), told AS (SELECT mail_queue('tenant_merged', m.account_id,"
	    "    NULL, jsonb_build_object('client', done.into_name,"
	    "    'other', done.from_name, 'by', done.by,"
	    "    'reason', $4::text)) AS mail"
	    "  FROM done JOIN membership m ON m.role = 'owner'"
	    "  AND m.tenant_id IN (done.from_id, done.into_id)"
	    "  JOIN account a ON a.id = m.account_id AND a.state = 'active'"
	    "  WHERE done.is_done"
	    ") SELECT audit_write(done.from_id, 'account', $1::uuid,"
	    "  'tenant.merged', 'tenant', done.from_id,"
	    "  jsonb_build_object('into', done.into_code)),"
	    " audit_write(done.into_id, 'account', $1::uuid,"
	    "  'tenant.absorbed', 'tenant', done.into_id,"
	    "  jsonb_build_object('code', done.from_code,"
	    "  'tenant', done.from_id)),"
	    " (SELECT count(told.mail) FROM told)"
	    " FROM done WHERE done.is_done");
	const struct db_rows	*rows;

	rows = db_write(db, &tenant_merge, DB_ARGS(who, from_id, into_id,
	    reason));
	if (rows->outcome == DB_OK)
		return (rows->n == 1 ? TENANT_MERGE_DONE : TENANT_MERGE_NONE);
	if (str_eq(rows->constraint, "tenant_merge_keys") ||
	    str_starts(rows->constraint, "subscription_one_live"))
		return (TENANT_MERGE_KEYS);
	if (str_eq(rows->constraint, "tenant_merge_requests") ||
	    str_starts(rows->constraint, "request_one_open"))
		return (TENANT_MERGE_REQUESTS);
	if (str_eq(rows->constraint, "tenant_merge_users") ||
	    str_eq(rows->constraint, "api_user_name"))
		return (TENANT_MERGE_USERS);
	return (TENANT_MERGE_OTHER);
}
