/*
 * Consent of owners in the database.
 */
#include "requests/consent.h"

#include <assert.h>

#include "crypto/token.h"

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

enum consent_asked
consent_db_ask(struct db *db, const char *staff_id, const char *request_id,
    const char *tenant_code)
{
	const struct db_rows	*rows;
	char			 id[UUID_TEXT];

	DB_QUERY(consent_ask,
	    "WITH rq AS (SELECT r.id, r.name, r.product_id, p.name AS person,"
	    "    p.email, p.client"
	    "  FROM request r JOIN account a ON a.id = r.account_id"
	    "  AND a.kind = 'contact' AND a.state = 'active'"
	    "  JOIN person p ON p.account_id = a.id"
	    "  WHERE r.id = $3::uuid AND r.state = 'submitted'"
	    "  AND NOT EXISTS (SELECT FROM membership m"
	    "    WHERE m.account_id = r.account_id)"
	    "  AND EXISTS (SELECT FROM account s WHERE s.id = $2::uuid"
	    "    AND s.kind = 'staff' AND s.state = 'active')"
	    "  FOR UPDATE OF r"
	    "), target AS (SELECT t.id, t.name FROM tenant t"
	    "  WHERE t.id = tenant_by_code($4::text) AND t.state = 'active'"
	    "), owners AS (SELECT m.account_id FROM target"
	    "  JOIN membership m ON m.tenant_id = target.id"
	    "  AND m.role = 'owner' JOIN account a ON a.id = m.account_id"
	    "  AND a.state = 'active'"
	    "), made AS (INSERT INTO request_consent (id, request_id,"
	    "    tenant_id, asked_by)"
	    "  SELECT $1::uuid, rq.id, target.id, $2::uuid FROM rq, target"
	    "  WHERE EXISTS (SELECT FROM owners)"
	    "  RETURNING id, tenant_id, request_id"
	    "), told AS (SELECT mail_queue('consent_ask', owners.account_id,"
	    "    NULL, jsonb_build_object('consent_id', made.id,"
	    "    'person', rq.person, 'email', rq.email,"
	    "    'client', target.name, 'product', pr.name)) AS mail"
	    "  FROM made, rq, target, owners, product pr"
	    "  WHERE pr.id = rq.product_id"
	    ") SELECT EXISTS (SELECT FROM rq), EXISTS (SELECT FROM made),"
	    " (SELECT audit_write(tenant_id, 'account', $2::uuid,"
	    "  'request.consent_asked', 'request', request_id,"
	    "  jsonb_build_object('consent', id)) FROM made),"
	    " (SELECT count(mail) FROM told)");

	uuid_make(id);
	rows = db_write(db, &consent_ask, DB_ARGS(id, staff_id, request_id,
	    tenant_code));
	if (rows->outcome == DB_CONFLICT &&
	    str_eq(rows->constraint, "request_consent_once"))
		return (CONSENT_ALREADY);
	db_must(db, rows);
	assert(rows->n == 1);
	if (db_truth(rows, 0, 1))
		return (CONSENT_ASKED);
	return (db_truth(rows, 0, 0) ? CONSENT_NOBODY : CONSENT_NOT);
}

struct consent *
consent_db_find(struct db *db, const char *account_id, const char *consent_id)
{
	const struct db_rows	*rows;
	struct consent		*c;

	DB_QUERY(consent_find,
	    "SELECT c.id, coalesce(p.name, ''), coalesce(p.email, ''), r.name,"
	    " pr.name, coalesce(p.client, ''), t.name, coalesce(s.name, ''),"
	    " " MICROS("c.asked_at") ", coalesce(c.answer, ''),"
	    " coalesce(ap.name, ''),"
	    " coalesce(" MICROS("c.answered_at") ", 0),"
	    " r.state = 'submitted'"
	    " FROM request_consent c JOIN request r ON r.id = c.request_id"
	    " JOIN product pr ON pr.id = r.product_id"
	    " JOIN tenant t ON t.id = c.tenant_id"
	    " JOIN membership m ON m.tenant_id = c.tenant_id"
	    "   AND m.account_id = $1::uuid AND m.role = 'owner'"
	    " LEFT JOIN person p ON p.account_id = r.account_id"
	    " LEFT JOIN person s ON s.account_id = c.asked_by"
	    " LEFT JOIN person ap ON ap.account_id = c.answered_by"
	    " WHERE c.id = $2::uuid");

	rows = db_read(db, &consent_find, DB_ARGS(account_id, consent_id));
	if (rows->n == 0)
		return (NULL);
	c = arena_alloc(db_arena(db), sizeof(*c));
	*c = (struct consent){
		.id = db_text(rows, 0, 0),
		.person = db_text(rows, 0, 1),
		.email = db_text(rows, 0, 2),
		.request_name = db_text(rows, 0, 3),
		.product = db_text(rows, 0, 4),
		.client = db_text(rows, 0, 5),
		.tenant = db_text(rows, 0, 6),
		.asked_by = db_text(rows, 0, 7),
		.asked_at = db_number(rows, 0, 8),
		.answer = db_text(rows, 0, 9),
		.answered_by = db_text(rows, 0, 10),
		.answered_at = db_number(rows, 0, 11),
		.is_open = db_truth(rows, 0, 12),
	};
	return (c);
}

bool
consent_db_answer(struct db *db, const char *account_id,
    const char *consent_id, bool is_yes)
{
	const struct db_rows	*rows;

	/* The request's row is locked, so that an answer and a decision come
	 * one after the other. */
	DB_QUERY(consent_answer,
	    "WITH rq AS (SELECT r.id, r.name, r.assigned_to, r.account_id"
	    "  FROM request r WHERE r.state = 'submitted' AND r.id ="
	    "    (SELECT request_id FROM request_consent WHERE id = $2::uuid)"
	    "  FOR UPDATE"
	    "), done AS (UPDATE request_consent c SET answer = $3::text,"
	    "    answered_by = $1::uuid, answered_at = now()"
	    "  FROM rq JOIN account a ON a.id = $1::uuid"
	    "    AND a.kind = 'contact' AND a.state = 'active'"
	    "  JOIN membership m ON m.account_id = a.id AND m.role = 'owner'"
	    "  WHERE c.id = $2::uuid AND c.request_id = rq.id"
	    "  AND c.answer IS NULL AND m.tenant_id = c.tenant_id"
	    "  RETURNING c.id, c.request_id, c.tenant_id, c.asked_by"
	    "), told AS (SELECT mail_queue('consent_answer', s.id, NULL,"
	    "    jsonb_build_object('request_id', rq.id,"
	    "    'request_name', rq.name, 'person', p.name,"
	    "    'client', t.name, 'by', b.name, 'answer', $3::text)) AS mail"
	    "  FROM done JOIN rq ON true"
	    "  JOIN account s ON s.kind = 'staff' AND s.state = 'active'"
	    "  AND s.id IN (done.asked_by, rq.assigned_to)"
	    "  JOIN tenant t ON t.id = done.tenant_id"
	    "  LEFT JOIN person p ON p.account_id = rq.account_id"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid"
	    ") SELECT audit_write(done.tenant_id, 'account', $1::uuid,"
	    "  'request.consent_' || $3::text, 'request', done.request_id,"
	    "  jsonb_build_object('consent', done.id)),"
	    " (SELECT count(mail) FROM told) FROM done");

	rows = db_write(db, &consent_answer, DB_ARGS(account_id, consent_id,
	    is_yes ? "yes" : "no"));
	db_must(db, rows);
	return (rows->n == 1);
}
