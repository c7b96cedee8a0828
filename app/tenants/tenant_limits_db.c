/*
 * Limits of a client, in its own row.
 */
#include "tenants/tenant_limits.h"

struct tenant_limits *
tenant_db_limits(struct db *db, const char *id)
{
	DB_QUERY(tenant_limits, "SELECT coalesce(calls_a_second, 0)::bigint, "
	    "coalesce(calls_a_minute, 0)::bigint, coalesce(calls_a_day, 0), "
	    "coalesce(calls_a_month, 0), "
	    "coalesce(user_calls_a_minute, 0)::bigint, "
	    "coalesce(all_calls_a_minute, 0)::bigint, "
	    "coalesce(all_calls_a_day, 0), version::bigint "
	    "FROM tenant WHERE id = $1::uuid AND state <> 'merged'");
	const struct db_rows	*rows = db_read(db, &tenant_limits,
				    DB_ARGS(id));
	struct tenant_limits	*limits;
	int			 i;

	if (rows->n == 0)
		return (NULL);
	limits = arena_alloc(db_arena(db), sizeof(*limits));
	for (i = 0; i < TENANT_LIMITS; i++)
		limits->calls[i] = db_number(rows, 0, i);
	limits->version = db_number(rows, 0, TENANT_LIMITS);
	return (limits);
}

bool
tenant_db_set_limits(struct db *db, const char *who, const char *id,
    const struct tenant_limits *limits)
{
	DB_QUERY(tenant_set_limits,
	    "WITH me AS (SELECT id FROM account WHERE id = $1::uuid "
	    "AND kind = 'staff' AND staff_role = 'admin' "
	    "AND state = 'active'), "
	    "done AS (UPDATE tenant t SET calls_a_second = "
	    "nullif($4::int, 0), calls_a_minute = nullif($5::int, 0), "
	    "calls_a_day = nullif($6::bigint, 0), "
	    "calls_a_month = nullif($7::bigint, 0), "
	    "user_calls_a_minute = nullif($8::int, 0), "
	    "all_calls_a_minute = nullif($9::int, 0), "
	    "all_calls_a_day = nullif($10::bigint, 0), "
	    "version = t.version + 1 FROM me WHERE t.id = $2::uuid "
	    "AND t.version = $3::int AND t.state <> 'merged' "
	    "RETURNING t.id) "
	    "SELECT audit_write(done.id, 'account', $1::uuid, "
	    "'tenant.limits', 'tenant', done.id, jsonb_build_object("
	    "'calls_a_second', $4::int, 'calls_a_minute', $5::int, "
	    "'calls_a_day', $6::bigint, 'calls_a_month', $7::bigint, "
	    "'user_calls_a_minute', $8::int, 'all_calls_a_minute', $9::int, "
	    "'all_calls_a_day', $10::bigint)) FROM done");
	const struct db_rows	*rows;
	const int64_t		*calls = limits->calls;

	rows = db_write(db, &tenant_set_limits, DB_ARGS(who, id,
	    db_int(db, limits->version), db_int(db, calls[0]),
	    db_int(db, calls[1]), db_int(db, calls[2]), db_int(db, calls[3]),
	    db_int(db, calls[4]), db_int(db, calls[5]), db_int(db, calls[6])));
	db_must(db, rows);
	return (rows->n == 1);
}
