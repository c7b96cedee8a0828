/*
 * Products that close: clients are told when it is planned, 7 days before and
 * when it happens, or that it was stopped; on the day the product is closed,
 * its keys end, and so do the requests for it.
 *
 * A product may have many clients, and a statement 5 seconds: so each does a
 * part, and is run again until nothing is left.
 */
#include "jobs/product_jobs.h"

#include <assert.h>

#include "base/log.h"

#define ROUNDS_MAX	200	/* of 500 or 1000 subscriptions, in one go */

/* Every contact of the client t whose account works, and t's address for
 * notices, where nothing typed goes. */
#define CONTACTS							\
	" CROSS JOIN LATERAL (SELECT m.account_id, NULL::text AS address" \
	"     FROM membership AS m JOIN account AS a"			\
	"     ON a.id = m.account_id AND a.state = 'active'"		\
	"     WHERE m.tenant_id = t.id"					\
	"     UNION ALL SELECT NULL, t.notices_to"			\
	"     WHERE t.notices_to <> '') AS x"
/* A mail to the contacts of each row of `once`, which `due` knows more of. */
#define TOLD(kind)							\
	" told AS (SELECT mail_queue('" kind "', x.account_id, x.address," \
	"     jsonb_build_object('subscription_name', due.name,"	\
	"     'product', due.product, 'client', t.name,"		\
	"     'closes_at', due.closes_at) || CASE"			\
	"     WHEN x.account_id IS NULL THEN '{}'"			\
	"     ELSE jsonb_build_object('note', due.note) END) AS id"	\
	"     FROM once JOIN due ON due.id = once.subject"		\
	"     JOIN tenant AS t ON t.id = due.tenant_id" CONTACTS ")"
#define DUE								\
	"SELECT s.id, s.tenant_id, s.name, p.name AS product,"		\
	" p.closing_note AS note, p.closes_at"				\
	" FROM product AS p JOIN subscription AS s ON s.product_id = p.id" \
	" AND s.state IN ('active', 'suspended')"
#define ONCE(kind)							\
	" once AS (INSERT INTO job (kind, subject, due)"		\
	"     SELECT '" kind "', id, closes_at FROM due"		\
	"     ON CONFLICT DO NOTHING RETURNING subject),"
#define DONE_ALREADY(kind, due)						\
	"EXISTS (SELECT FROM job AS j WHERE j.kind = '" kind "'"	\
	" AND j.subject = s.id AND j.due = " due ")"

DB_QUERY(product_closing_tell,
    "WITH due AS (" DUE " WHERE p.state = 'closing' AND NOT "
    DONE_ALREADY("product_closing", "p.closes_at") " LIMIT 500),"
    ONCE("product_closing") TOLD("product_closing")
    " SELECT (SELECT count(*) FROM once), (SELECT count(id) FROM told)");

/* Who was told less than a day before that is not told twice. */
DB_QUERY(product_closing_remind,
    "WITH due AS (" DUE " WHERE p.state = 'closing'"
    " AND p.closes_at BETWEEN now() AND now() + interval '7 days'"
    " AND EXISTS (SELECT FROM job AS j WHERE j.kind = 'product_closing'"
    "     AND j.subject = s.id AND j.due = p.closes_at"
    "     AND j.done_at < p.closes_at - interval '8 days')"
    " AND NOT " DONE_ALREADY("product_closing_soon", "p.closes_at")
    " LIMIT 500),"
    ONCE("product_closing_soon") TOLD("product_closing_soon")
    " SELECT (SELECT count(*) FROM once), (SELECT count(id) FROM told)");

/* What was told is taken back, so that it is told anew if it is planned
 * anew. */
DB_QUERY(product_keep_tell,
    "WITH told_of AS (SELECT j.kind, j.subject, j.due FROM job AS j"
    "     JOIN subscription AS s ON s.id = j.subject"
    "     AND s.state IN ('active', 'suspended')"
    "     JOIN product AS p ON p.id = s.product_id"
    "     AND p.state IN ('published', 'hidden')"
    "     WHERE j.kind IN ('product_closing', 'product_closing_soon')"
    "     AND j.due > now() LIMIT 500),"
    " gone AS (DELETE FROM job AS j USING told_of AS t"
    "     WHERE (j.kind, j.subject, j.due) = (t.kind, t.subject, t.due)"
    "     RETURNING j.kind, j.subject, j.due),"
    " once AS (SELECT subject, max(due) AS closes_at FROM gone"
    "     WHERE kind = 'product_closing' GROUP BY subject),"
    " due AS (SELECT s.id, s.tenant_id, s.name, p.name AS product,"
    "     '' AS note, once.closes_at FROM once"
    "     JOIN subscription AS s ON s.id = once.subject"
    "     JOIN product AS p ON p.id = s.product_id),"
    TOLD("product_kept")
    " SELECT (SELECT count(*) FROM gone), (SELECT count(id) FROM told)");

DB_QUERY(product_close,
    "WITH done AS (UPDATE product AS p SET state = 'closed'"
    " WHERE p.state = 'closing' AND p.closes_at <= now()"
    " RETURNING p.id, p.version)"
    " SELECT count(audit_write(NULL, 'system', NULL, 'product.closed',"
    "     'product', id, jsonb_build_object('version', version)))"
    " FROM done");

/* Those that staff approved while it closed as well. */
DB_QUERY(product_close_keys,
    "WITH due AS (" DUE " WHERE p.state = 'closed' ORDER BY s.id LIMIT 1000"
    " FOR UPDATE OF s SKIP LOCKED),"
    " once AS (UPDATE subscription AS s SET state = 'cancelled',"
    "     ended_at = now() FROM due WHERE s.id = due.id"
    "     AND s.state IN ('active', 'suspended')"
    "     RETURNING s.id AS subject, s.tenant_id, s.product_id),"
    " noted AS (INSERT INTO subscription_change (subscription_id, what,"
    "     reason) SELECT subject, 'cancelled', 'The product was closed.'"
    "     FROM once),"
    TOLD("product_closed")
    " SELECT (SELECT count(audit_write(tenant_id, 'system', NULL,"
    "     'subscription.cancelled', 'subscription', subject,"
    "     jsonb_build_object('product', product_id))) FROM once),"
    "     (SELECT count(id) FROM told)");

DB_QUERY(product_close_requests,
    "WITH done AS (SELECT * FROM product_end_requests()),"
    " told AS (SELECT mail_queue('request_rejected', account_id, NULL,"
    "     jsonb_build_object('request_id', id, 'request_name', name,"
    "     'product', product, 'reason',"
    "     'This product was closed. It takes no requests any more.'))"
    "     AS id FROM done)"
    " SELECT (SELECT count(audit_write(tenant_id, 'system', NULL,"
    "     'request.rejected', 'request', id)) FROM done),"
    "     (SELECT count(id) FROM told)");

static const struct db_query *const jobs[] = {
	&product_closing_tell, &product_closing_remind, &product_keep_tell,
	&product_close, &product_close_keys, &product_close_requests,
};

WAITS void
product_jobs_run(struct db *db)
{
	const struct db_rows	*rows;
	int64_t			 done, all;
	size_t			 i;
	int			 round;

	for (i = 0; i < COUNT(jobs); i++) {
		all = 0;
		for (round = 0; round < ROUNDS_MAX; round++) {
			rows = db_write(db, jobs[i], DB_NONE);
			db_must(db, rows);
			assert(rows->n == 1);
			done = db_number(rows, 0, 0);
			all += done;
			if (done == 0)
				break;
		}
		if (all > 0)
			log_event(LOG_LEVEL_INFO, "job_done", "job",
			    jobs[i]->name, "count", LOG_NUM(all), NULL);
	}
}
