/*
 * Asks to join a client, in the database.
 */
#include "people/ask.h"

#include "crypto/token.h"
#include "people/people.h"
#include "tenants/tenant.h"

/* A yes holds as long as who said it owns the client, and as staff have not
 * rejected the request. */
#define AGREED(who, tenant)						\
    "EXISTS (SELECT FROM request ar JOIN request_consent ac"		\
    "  ON ac.request_id = ar.id AND ac.answer = 'yes'"			\
    "  JOIN membership am ON am.account_id = ac.answered_by"		\
    "  AND am.tenant_id = ac.tenant_id AND am.role = 'owner'"		\
    "  JOIN account ao ON ao.id = am.account_id AND ao.state = 'active'" \
    "  WHERE ar.account_id = " who " AND ar.state <> 'rejected'"		\
    "  AND ac.tenant_id = " tenant ")"

WAITS void
ask_db_make(struct db *db, const char *account_id, const char *client)
{
	/* The same rows and mails whatever was typed. */
	DB_QUERY(ask_make,
	    "WITH made AS (INSERT INTO join_ask AS j (id, account_id, client,"
	    "    client_folded) SELECT $1::uuid, a.id, $3::text, $4::text"
	    "  FROM account a WHERE a.id = $2::uuid AND a.kind = 'contact'"
	    "  AND NOT EXISTS (SELECT FROM membership m"
	    "    WHERE m.account_id = a.id)"
	    "  ON CONFLICT (account_id) WHERE ended_at IS NULL"
	    "  DO UPDATE SET client = excluded.client,"
	    "    client_folded = excluded.client_folded"
	    "  RETURNING j.id, j.id = $1::uuid AS is_new"
	    "), told AS (SELECT mail_queue('join_ask_staff', s.id, NULL,"
	    "    jsonb_build_object('person', p.name, 'email', p.email,"
	    "    'client', $3::text)) AS mail"
	    "  FROM made JOIN person p ON p.account_id = $2::uuid"
	    "  JOIN account s ON s.kind = 'staff' AND s.state = 'active'"
	    "  WHERE made.is_new"
	    ") SELECT audit_write(NULL, 'account', $2::uuid, 'join.asked',"
	    "  'join_ask', made.id), (SELECT count(told.mail) FROM told)"
	    "  FROM made");
	const struct db_rows	*rows;
	char			 id[UUID_TEXT];

	uuid_make(id);
	rows = db_write(db, &ask_make, DB_ARGS(id, account_id, client,
	    tenant_fold(db_arena(db), client)));
	db_must(db, rows);
}

WAITS const char *
ask_db_open(struct db *db, const char *account_id)
{
	DB_QUERY(ask_open,
	    "SELECT client FROM join_ask WHERE account_id = $1::uuid "
	    "AND ended_at IS NULL");
	const struct db_rows	*rows;

	rows = db_read(db, &ask_open, DB_ARGS(account_id));
	return (rows->n == 0 ? NULL : db_text(rows, 0, 0));
}

WAITS struct asks
ask_db_list(struct db *db)
{
	/* Who has joined meanwhile, or is gone, asks no more. */
	DB_QUERY(ask_list,
	    "SELECT j.id, p.name, p.email, j.client, coalesce(t.code, ''),"
	    " coalesce(t.name, ''), coalesce(t.listed, false),"
	    " (extract(epoch FROM j.asked_at) * 1000000)::bigint,"
	    " count(*) OVER (), CASE WHEN q.answer = 'yes' AND NOT "
	    AGREED("j.account_id", "t.id") " THEN 'no'"
	    "   ELSE coalesce(q.answer, '') END,"
	    " coalesce(q.request_id::text, '') "
	    "FROM join_ask j JOIN person p ON p.account_id = j.account_id "
	    "LEFT JOIN LATERAL (SELECT n.id, n.code, n.name, "
	    PEOPLE_LISTED("n.id", "p.email_domain") " AS listed"
	    "  FROM tenant n WHERE n.state = 'active'"
	    "  AND (n.name_folded = j.client_folded"
	    "  OR lower(replace(n.code, '-', '')) = j.client_folded)"
	    "  ORDER BY listed DESC, n.code LIMIT 1) t ON true "
	    "LEFT JOIN LATERAL (SELECT c.request_id,"
	    "  coalesce(c.answer, 'asked') AS answer"
	    "  FROM request r JOIN request_consent c ON c.request_id = r.id"
	    "  WHERE r.account_id = j.account_id AND c.tenant_id = t.id"
	    "  ORDER BY c.asked_at DESC LIMIT 1) q ON true "
	    "WHERE j.ended_at IS NULL AND NOT EXISTS (SELECT FROM membership m"
	    "  WHERE m.account_id = j.account_id) "
	    "ORDER BY j.asked_at, j.id LIMIT 100");
	_Static_assert(ASKS_MAX == 100, "the limit above");
	const struct db_rows	*rows;
	struct asks		 asks = { .n = 0 };
	int			 i;

	rows = db_read(db, &ask_list, DB_NONE);
	asks.n = rows->n;
	asks.total = rows->n == 0 ? 0 : db_number(rows, 0, 8);
	asks.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*asks.list));
	for (i = 0; i < rows->n; i++)
		asks.list[i] = (struct ask){
			.id = db_text(rows, i, 0),
			.person = db_text(rows, i, 1),
			.email = db_text(rows, i, 2),
			.client = db_text(rows, i, 3),
			.tenant_code = db_text(rows, i, 4),
			.tenant_name = db_text(rows, i, 5),
			.has_domain = db_truth(rows, i, 6),
			.at = db_number(rows, i, 7),
			.consent = db_text(rows, i, 9),
			.request_id = db_text(rows, i, 10),
		};
	return (asks);
}

WAITS bool
ask_db_end(struct db *db, const char *staff_id, const char *id)
{
	DB_QUERY(ask_end,
	    "WITH done AS (UPDATE join_ask j SET ended_at = now(),"
	    "    ended_by = $1::uuid WHERE j.id = $2::uuid"
	    "  AND j.ended_at IS NULL RETURNING j.id"
	    ") SELECT audit_write(NULL, 'account', $1::uuid, 'join.settled',"
	    "  'join_ask', done.id) FROM done");
	const struct db_rows	*rows;

	rows = db_write(db, &ask_end, DB_ARGS(staff_id, id));
	db_must(db, rows);
	return (rows->n == 1);
}

WAITS enum ask_result
ask_db_share(struct db *db, const char *staff_id, const char *id,
    const char *tenant_code, const char *reason)
{
	/* The ask's row is held, so of two at once the second finds it ended;
	 * with another way in, the contact's membership is there first. */
	DB_QUERY(ask_share,
	    "WITH ask AS (SELECT j.id, j.account_id, p.name, p.email,"
	    "    p.email_domain FROM join_ask j"
	    "  JOIN account a ON a.id = j.account_id AND a.kind = 'contact'"
	    "  AND a.state = 'active' JOIN person p ON p.account_id = a.id"
	    "  WHERE j.id = $1::uuid AND j.ended_at IS NULL"
	    "  AND NOT EXISTS (SELECT FROM membership m"
	    "    WHERE m.account_id = a.id)"
	    "  AND EXISTS (SELECT FROM account s WHERE s.id = $2::uuid"
	    "    AND s.kind = 'staff' AND s.state = 'active')"
	    "  FOR UPDATE OF j"
	    "), target AS (SELECT t.id, t.name, CASE WHEN d.listed"
	    "    THEN 'domain' WHEN d.agreed THEN 'owner'"
	    "    ELSE 'reason' END AS rule"
	    "  FROM ask JOIN tenant t ON t.id = tenant_by_code($3::text)"
	    "  AND t.state = 'active' CROSS JOIN LATERAL (SELECT "
	    PEOPLE_LISTED("t.id", "ask.email_domain") " AS listed, "
	    AGREED("ask.account_id", "t.id") " AS agreed) d"
	    "  WHERE d.listed OR d.agreed OR $4::text <> ''"
	    "), seat AS (INSERT INTO membership (account_id, tenant_id, role,"
	    "    let_in_by) SELECT ask.account_id, target.id,"
	    "  membership_role(target.id), target.rule FROM ask, target"
	    "  RETURNING account_id, role, let_in_by"
	    "), done AS (UPDATE join_ask j SET ended_at = now(),"
	    "    ended_by = $2::uuid, reason = $4::text FROM ask, seat"
	    "  WHERE j.id = ask.id RETURNING j.id"
	    "), told AS (SELECT mail_queue('owner_contact_joined',"
	    "    m.account_id, NULL, jsonb_build_object('person', ask.name,"
	    "    'email', ask.email, 'client', target.name,"
	    "    'rule', seat.let_in_by)) AS mail"
	    "  FROM ask, target, seat, membership m"
	    "  JOIN account o ON o.id = m.account_id AND o.state = 'active'"
	    "  WHERE m.tenant_id = target.id AND m.role = 'owner'"
	    "  AND m.account_id <> seat.account_id"
	    ") SELECT (SELECT count(*) FROM ask), (SELECT"
	    "  audit_write(target.id, 'account', $2::uuid,"
	    "    'membership.created', 'account', seat.account_id,"
	    "    jsonb_build_object('role', seat.role, 'rule', seat.let_in_by,"
	    "    'join_ask', done.id)) FROM target, seat, done),"
	    " (SELECT mail_queue('ask_let_in', seat.account_id, NULL,"
	    "    jsonb_build_object('client', target.name))"
	    "  FROM target, seat, done), (SELECT count(told.mail) FROM told)");
	const struct db_rows	*rows;

	rows = db_write(db, &ask_share, DB_ARGS(id, staff_id, tenant_code,
	    reason));
	if (rows->outcome != DB_OK || db_number(rows, 0, 0) == 0)
		return (ASK_NONE);
	return (db_is_null(rows, 0, 1) ? ASK_RULE : ASK_DONE);
}
