/*
 * Seating an owner, in the database.  The part that falls due is a job.
 */
#include "people/seat.h"

#include "base/str.h"
#include "crypto/token.h"

WAITS struct seats
seat_db_list(struct db *db, const char *tenant_id, const char *account_id)
{
	DB_QUERY(seat_list,
	    "SELECT s.id, coalesce(p.name, ''), t.name, t.code,"
	    " coalesce(b.name, ''), s.reason,"
	    " (extract(epoch FROM s.due_at) * 1000000)::bigint "
	    "FROM seating s JOIN tenant t ON t.id = s.tenant_id "
	    "LEFT JOIN person p ON p.account_id = s.account_id "
	    "LEFT JOIN person b ON b.account_id = s.planned_by "
	    "WHERE s.ended_at IS NULL AND (s.tenant_id = $1::uuid "
	    "OR s.account_id = $2::uuid) ORDER BY s.due_at, s.id LIMIT 20");
	const struct db_rows	*rows;
	struct seats		 seats;
	int			 i;

	rows = db_read(db, &seat_list, DB_ARGS(tenant_id, account_id));
	seats.n = rows->n;
	seats.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*seats.list));
	for (i = 0; i < rows->n; i++)
		seats.list[i] = (struct seat){
			.id = db_text(rows, i, 0),
			.person = db_text(rows, i, 1),
			.client = db_text(rows, i, 2),
			.code = db_text(rows, i, 3),
			.by = db_text(rows, i, 4),
			.reason = db_text(rows, i, 5),
			.due_at = db_number(rows, i, 6),
		};
	return (seats);
}

WAITS enum seat_result
seat_db_plan(struct db *db, const char *who, const char *whom,
    const char *code, const char *reason)
{
	/* An owner whose account is disabled counts as one: else it would
	 * take no more than that to do without the 24 hours.  It is looked
	 * for when the client's row is locked, so of two who are seated at
	 * once the second finds the first. */
	DB_QUERY(seat_plan,
	    "WITH me AS (SELECT id FROM account WHERE id = $2::uuid"
	    "  AND kind = 'staff' AND state = 'active'"
	    "), locked AS (SELECT t.id, t.name FROM tenant t"
	    "  WHERE t.id = tenant_by_code($4::text) AND t.state = 'active'"
	    "  FOR UPDATE OF t"
	    "), t AS MATERIALIZED (SELECT l.id, l.name,"
	    "    tenant_has_owner(l.id) AS has_owner FROM locked l"
	    "), target AS (SELECT a.id FROM t JOIN account a"
	    "  ON a.id = $3::uuid AND a.kind = 'contact'"
	    "  AND a.state = 'active'"
	    "  LEFT JOIN membership m ON m.account_id = a.id"
	    "  WHERE m.account_id IS NULL"
	    "  OR (m.tenant_id = t.id AND m.role <> 'owner')"
	    "), seat AS (INSERT INTO membership AS m (account_id, tenant_id,"
	    "    role, let_in_by) SELECT target.id, t.id, 'owner', 'reason'"
	    "  FROM me, t, target WHERE NOT t.has_owner"
	    "  ON CONFLICT (account_id) DO UPDATE SET role = 'owner'"
	    "  WHERE m.tenant_id = excluded.tenant_id RETURNING m.account_id"
	    "), made AS (INSERT INTO seating (id, tenant_id, account_id,"
	    "    reason, planned_by, due_at, ended_at, ending)"
	    "  SELECT $1::uuid, t.id, target.id, $5::text, me.id,"
	    "  CASE WHEN t.has_owner THEN now() + interval '24 hours'"
	    "    ELSE now() END,"
	    "  CASE WHEN NOT t.has_owner THEN now() END,"
	    "  CASE WHEN NOT t.has_owner THEN 'seated' END"
	    "  FROM me, t, target WHERE t.has_owner"
	    "    OR EXISTS (SELECT FROM seat)"
	    "  RETURNING id, tenant_id, account_id, due_at,"
	    "  ending IS NOT NULL AS is_done"
	    "), told AS (SELECT mail_queue(CASE WHEN made.is_done"
	    "    THEN 'seat_done' ELSE 'seat_planned' END, x.id, NULL,"
	    "    jsonb_build_object('person', p.name, 'email', p.email,"
	    "    'client', t.name, 'by', b.name, 'reason', $5::text,"
	    "    'due_at', made.due_at)) AS mail"
	    "  FROM made JOIN t ON true"
	    "  JOIN person p ON p.account_id = made.account_id"
	    "  JOIN person b ON b.account_id = $2::uuid JOIN ("
	    "    SELECT a.id FROM account a WHERE a.state = 'active'"
	    "    AND a.kind = 'staff' AND a.staff_role = 'admin'"
	    "    UNION SELECT m.account_id FROM membership m JOIN t"
	    "    ON m.tenant_id = t.id AND m.role = 'owner'"
	    "    UNION SELECT account_id FROM made WHERE is_done) x ON true"
	    ") SELECT EXISTS (SELECT FROM t), made.id IS NOT NULL,"
	    "  coalesce(made.is_done, false),"
	    "  CASE WHEN made.id IS NOT NULL THEN audit_write(made.tenant_id,"
	    "    'account', $2::uuid, CASE WHEN made.is_done THEN 'seat.done'"
	    "    ELSE 'seat.planned' END, 'account', made.account_id,"
	    "    jsonb_build_object('seating', made.id)) END,"
	    "  (SELECT count(told.mail) FROM told)"
	    "  FROM me LEFT JOIN made ON true");
	const struct db_rows	*rows;
	char			 id[UUID_TEXT];

	uuid_make(id);
	rows = db_write(db, &seat_plan, DB_ARGS(id, who, whom, code, reason));
	if (rows->outcome == DB_CONFLICT)
		return (SEAT_OPEN);
	db_must(db, rows);
	if (rows->n == 0)
		return (SEAT_NOT);
	if (!db_truth(rows, 0, 0))
		return (SEAT_NO_CLIENT);
	if (!db_truth(rows, 0, 1))
		return (SEAT_NOT);
	return (db_truth(rows, 0, 2) ? SEAT_DONE : SEAT_PLANNED);
}

WAITS bool
seat_db_cancel(struct db *db, const char *who, const char *id)
{
	DB_QUERY(seat_cancel,
	    "WITH done AS (UPDATE seating s SET ended_at = now(),"
	    "    ending = 'cancelled' WHERE s.id = $2::uuid"
	    "  AND s.ended_at IS NULL AND (EXISTS (SELECT FROM membership m"
	    "    WHERE m.account_id = $1::uuid AND m.role = 'owner'"
	    "    AND m.tenant_id = s.tenant_id)"
	    "  OR EXISTS (SELECT FROM account a WHERE a.id = $1::uuid"
	    "    AND a.staff_role = 'admin' AND a.state = 'active'))"
	    "  RETURNING s.id, s.tenant_id, s.account_id"
	    "), told AS (SELECT mail_queue('seat_cancelled', x.id, NULL,"
	    "    jsonb_build_object('person', p.name, 'client', t.name,"
	    "    'by', b.name)) AS mail FROM done"
	    "  JOIN tenant t ON t.id = done.tenant_id"
	    "  LEFT JOIN person p ON p.account_id = done.account_id"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid JOIN ("
	    "    SELECT a.id FROM account a WHERE a.state = 'active'"
	    "    AND a.kind = 'staff' AND a.staff_role = 'admin'"
	    "    UNION SELECT m.account_id FROM membership m JOIN done"
	    "    ON m.tenant_id = done.tenant_id AND m.role = 'owner') x"
	    "    ON true"
	    ") SELECT audit_write(done.tenant_id, 'account', $1::uuid,"
	    "  'seat.cancelled', 'account', done.account_id,"
	    "  jsonb_build_object('seating', done.id)),"
	    "  (SELECT count(told.mail) FROM told) FROM done");
	const struct db_rows	*rows;

	rows = db_write(db, &seat_cancel, DB_ARGS(who, id));
	db_must(db, rows);
	return (rows->n == 1);
}
