/*
 * The jobs, one statement each, whose one row is the number of things done.
 */
#include "jobs/job.h"

#include <assert.h>

#include "base/log.h"
#include "jobs/product_jobs.h"

/* What mails about a request tell, see mail/mail.h. */
#define REQUEST_PARAMS							\
	"jsonb_build_object('request_id', r.id,"			\
	" 'request_name', r.name, 'product', pr.name,"			\
	" 'person', pe.name, 'client', coalesce(t.name, pe.client),"	\
	" 'due_at', r.due_at)"
#define REQUEST_JOINS							\
	" JOIN product AS pr ON pr.id = r.product_id"			\
	" LEFT JOIN person AS pe ON pe.account_id = r.account_id"	\
	" LEFT JOIN tenant AS t ON t.id = r.tenant_id"

/* Every contact of the tenant t whose account works, and t's address for
 * notices. */
#define CONTACTS							\
	" CROSS JOIN LATERAL (SELECT m.account_id, NULL::text AS address" \
	"     FROM membership AS m JOIN account AS a"			\
	"     ON a.id = m.account_id AND a.state = 'active'"		\
	"     WHERE m.tenant_id = t.id"					\
	"     UNION ALL SELECT NULL, t.notices_to"			\
	"     WHERE t.notices_to <> '') AS x"

DB_QUERY(subscription_expire,
    "WITH due AS ("
    " SELECT id, expires_at FROM subscription"
    " WHERE state IN ('active', 'suspended') AND expires_at <= now()"
    " FOR UPDATE SKIP LOCKED),"
    " once AS ("
    " INSERT INTO job (kind, subject, due)"
    " SELECT 'subscription_expire', id, expires_at FROM due"
    " ON CONFLICT DO NOTHING RETURNING subject),"
    " ended AS ("
    " UPDATE subscription AS s SET state = 'expired', ended_at = now()"
    " FROM once WHERE s.id = once.subject"
    " AND s.state IN ('active', 'suspended')"
    " RETURNING s.id, s.tenant_id, s.product_id, s.name),"
    " noted AS ("
    " INSERT INTO subscription_change (subscription_id, what)"
    " SELECT id, 'expired' FROM ended),"
    " told AS ("
    " SELECT mail_queue('subscription_expired', x.account_id, x.address,"
    "     jsonb_build_object('subscription_name', ended.name,"
    "     'product', p.name, 'client', t.name)) AS id"
    " FROM ended JOIN product AS p ON p.id = ended.product_id"
    " JOIN tenant AS t ON t.id = ended.tenant_id"
    CONTACTS ")"
    " SELECT (SELECT count(audit_write(tenant_id, 'system', NULL,"
    "     'subscription.expired', 'subscription', id)) FROM ended),"
    "     (SELECT count(id) FROM told)");

/* An old value counts until its time by the clock; here it is written down. */
DB_QUERY(key_overlap_over,
    "WITH done AS ("
    " UPDATE subscription_key SET state = 'ended'"
    " WHERE state = 'old' AND ends_at <= now()"
    " RETURNING id, subscription_id, slot)"
    " SELECT count(audit_write(s.tenant_id, 'system', NULL,"
    "     'key.overlap_over', 'subscription', s.id, jsonb_build_object("
    "     'slot', done.slot, 'key', done.id)))"
    " FROM done JOIN subscription AS s ON s.id = done.subscription_id");

/*
 * 30, 14, 7 and 1 days before the end.  A reminder is due when its day came
 * after the end was set; of several that are due (the courier was away) the
 * last one goes, and the others are done with.
 */
DB_QUERY(subscription_remind,
    "WITH due AS ("
    " SELECT s.id, d.days, s.expires_at - make_interval(days => d.days)"
    "     AS at FROM subscription AS s"
    " CROSS JOIN (VALUES (30), (14), (7), (1)) AS d (days)"
    " WHERE s.state IN ('active', 'suspended') AND s.expires_at > now()"
    " AND s.expires_at <= now() + interval '30 days'"
    " AND s.expires_at <= now() + make_interval(days => d.days)"
    " AND s.expires_at - make_interval(days => d.days)"
    "     > coalesce(s.expiry_set_at, s.created_at)),"
    " once AS ("
    " INSERT INTO job (kind, subject, due)"
    " SELECT 'subscription_remind', id, at FROM due"
    " ON CONFLICT DO NOTHING RETURNING subject, due),"
    " last AS ("
    " SELECT DISTINCT ON (due.id) due.id, due.days FROM due"
    " JOIN once ON once.subject = due.id AND once.due = due.at"
    " ORDER BY due.id, due.days),"
    " told AS ("
    " SELECT mail_queue('subscription_expiring', x.account_id, x.address,"
    "     jsonb_build_object('subscription_name', s.name,"
    "     'product', p.name, 'client', t.name,"
    "     'expires_at', s.expires_at, 'days', last.days::text)) AS id"
    " FROM last JOIN subscription AS s ON s.id = last.id"
    " JOIN product AS p ON p.id = s.product_id"
    " JOIN tenant AS t ON t.id = s.tenant_id"
    CONTACTS ")"
    " SELECT (SELECT count(*) FROM last), (SELECT count(id) FROM told)");

/*
 * Half of the time over, and not the whole of it.  While a request waits on the
 * contact its clock stands still: due_at has moved by all that it waited so
 * far, and due_at - waited, which never moves, is what a request is told of by,
 * so that an answer does not lead to a second mail.
 */
DB_QUERY(request_reminder,
    "WITH once AS ("
    " INSERT INTO job (kind, subject, due)"
    " SELECT 'request_reminder', id, due_at - waited FROM request"
    " WHERE state = 'submitted' AND waiting_on = 'staff' AND due_at > now()"
    " AND submitted_at + waited + (due_at - waited - submitted_at) / 2"
    "     <= now()"
    " ON CONFLICT DO NOTHING RETURNING subject),"
    " told AS ("
    " SELECT mail_queue('request_reminder', a.id, NULL, " REQUEST_PARAMS
    "     ) AS id"
    " FROM once JOIN request AS r ON r.id = once.subject"
    REQUEST_JOINS
    " JOIN account AS a ON a.kind = 'staff' AND a.state = 'active')"
    " SELECT (SELECT count(*) FROM once), (SELECT count(id) FROM told)");

DB_QUERY(request_overdue,
    "WITH once AS ("
    " INSERT INTO job (kind, subject, due)"
    " SELECT 'request_overdue', id, due_at - waited FROM request"
    " WHERE state = 'submitted' AND waiting_on = 'staff' AND due_at <= now()"
    " ON CONFLICT DO NOTHING RETURNING subject),"
    " told AS ("
    " SELECT mail_queue('request_overdue', a.id, NULL, " REQUEST_PARAMS
    "     ) AS id"
    " FROM once JOIN request AS r ON r.id = once.subject"
    REQUEST_JOINS
    " JOIN account AS a ON a.kind = 'staff' AND a.state = 'active'"
    " AND a.staff_role = 'admin')"
    " SELECT (SELECT count(*) FROM once), (SELECT count(id) FROM told)");

/*
 * An owner's seat that staff planned, 24 hours ago: see people/seat.h.  It is
 * void when who planned it, or the contact, or the client is not there as
 * then.
 */
DB_QUERY(seating_due,
    "WITH due AS (SELECT s.* FROM seating AS s WHERE s.ended_at IS NULL"
    " AND s.due_at <= now() FOR UPDATE SKIP LOCKED),"
    " seat AS MATERIALIZED (SELECT due.id,"
    "     seating_fall_due(due.id) AS account_id FROM due),"
    " ended AS (UPDATE seating AS s SET ended_at = now(),"
    "     ending = CASE WHEN seat.account_id IS NULL THEN 'void'"
    "     ELSE 'seated' END"
    " FROM seat WHERE s.id = seat.id"
    " RETURNING s.id, s.tenant_id, s.account_id, s.reason, s.planned_by,"
    "     s.ending),"
    " told AS (SELECT mail_queue('seat_done', x.id, NULL,"
    "     jsonb_build_object('person', p.name, 'email', p.email,"
    "     'client', t.name, 'by', b.name, 'reason', ended.reason)) AS id"
    " FROM ended JOIN tenant AS t ON t.id = ended.tenant_id"
    " JOIN person AS p ON p.account_id = ended.account_id"
    " LEFT JOIN person AS b ON b.account_id = ended.planned_by"
    " CROSS JOIN LATERAL (SELECT a.id FROM account AS a"
    "     WHERE a.state = 'active' AND a.kind = 'staff'"
    "     AND a.staff_role = 'admin'"
    "     UNION SELECT m.account_id FROM membership AS m"
    "     WHERE m.tenant_id = ended.tenant_id AND m.role = 'owner'"
    "     UNION SELECT ended.account_id) AS x"
    " WHERE ended.ending = 'seated')"
    " SELECT (SELECT count(audit_write(tenant_id, 'system', NULL,"
    "     CASE ending WHEN 'seated' THEN 'seat.done' ELSE 'seat.void' END,"
    "     'account', account_id, jsonb_build_object('seating', id)))"
    "     FROM ended), (SELECT count(id) FROM told)");

/* Somebody tries to sign in as one: told from 5 failures on, once a day
 * (SIGNIN_FAILURES_TOLD of accounts/account.h).   Not by the
 * portal, whose time would tell who has an account. */
DB_QUERY(signin_failed,
    "WITH due AS (UPDATE failed_signin SET told_at = now()"
    " WHERE account_id IS NOT NULL AND passwords + codes >= 5"
    " AND since > now() - interval '1 day'"
    " AND (told_at IS NULL OR told_at < now() - interval '1 day')"
    " RETURNING account_id, passwords, codes, since),"
    " told AS (SELECT mail_queue('signin_failed', due.account_id, NULL,"
    "     jsonb_build_object('failures', (passwords + codes)::text,"
    "     'codes', NULLIF(codes, 0)::text, 'since_at', since)) AS id"
    " FROM due JOIN account AS a ON a.id = due.account_id"
    "     AND a.state = 'active')"
    " SELECT count(id) FROM told");

DB_QUERY(failed_signin_prune,
    "WITH gone AS (DELETE FROM failed_signin"
    " WHERE greatest(since, told_at) < now() - interval '2 days'"
    " RETURNING 1) SELECT count(*) FROM gone");

DB_QUERY(signup_prune,
    "WITH gone AS (DELETE FROM signup"
    " WHERE created_at < now() - interval '7 days' RETURNING 1)"
    " SELECT count(*) FROM gone");

/* The address of somebody who was invited is kept no longer than it is used. */
DB_QUERY(invitation_prune,
    "WITH gone AS (DELETE FROM invitation"
    " WHERE expires_at < now() - interval '30 days' RETURNING 1)"
    " SELECT count(*) FROM gone");

DB_QUERY(join_ask_prune,
    "WITH gone AS (DELETE FROM join_ask"
    " WHERE asked_at < now() - interval '90 days' RETURNING 1)"
    " SELECT count(*) FROM gone");

/* Idle for 12 hours, or at the end of its 14 days (sessions/session.h). */
DB_QUERY(session_prune,
    "WITH gone AS (DELETE FROM session WHERE expires_at < now()"
    " OR last_used_at < now() - interval '12 hours' RETURNING 1)"
    " SELECT count(*) FROM gone");

DB_QUERY(pending_signin_prune,
    "WITH gone AS (DELETE FROM pending_signin WHERE expires_at < now()"
    " RETURNING 1)"
    " SELECT count(*) FROM gone");

/* A time that has passed allows as much as no row does. */
DB_QUERY(throttle_prune,
    "WITH gone AS (DELETE FROM throttle"
    " WHERE tat < now() - interval '1 minute' RETURNING 1)"
    " SELECT count(*) FROM gone");

/* What was called: hours for 40 days, which pages show for 30; days for 400,
 * of which they show a year. */
DB_QUERY(usage_prune,
    "WITH hours AS (DELETE FROM usage_hour"
    " WHERE hour < now() - interval '40 days' RETURNING 1),"
    " days AS (DELETE FROM usage_day"
    " WHERE day < (now() - interval '400 days')::date RETURNING 1),"
    " sources AS (DELETE FROM usage_flush"
    " WHERE at < now() - interval '7 days' RETURNING 1)"
    " SELECT (SELECT count(*) FROM hours) + (SELECT count(*) FROM days)"
    " + (SELECT count(*) FROM sources)");

DB_QUERY(reveal_prune,
    "WITH gone AS (DELETE FROM reveal"
    " WHERE at < now() - interval '1 day' RETURNING 1)"
    " SELECT count(*) FROM gone");

DB_QUERY(api_replay_prune,
    "WITH gone AS (DELETE FROM api_replay"
    " WHERE created_at < now() - interval '24 hours' RETURNING 1)"
    " SELECT count(*) FROM gone");

DB_QUERY(known_network_prune,
    "WITH gone AS (DELETE FROM known_network"
    " WHERE last_at < now() - interval '90 days' RETURNING 1)"
    " SELECT count(*) FROM gone");

DB_QUERY(known_device_prune,
    "WITH gone AS (DELETE FROM known_device"
    " WHERE last_at < now() - interval '90 days' RETURNING 1)"
    " SELECT count(*) FROM gone");

/* As long as its cookie: SESSION_BROWSER_S. */
DB_QUERY(known_browser_prune,
    "WITH gone AS (DELETE FROM known_browser"
    " WHERE last_at < now() - interval '365 days' RETURNING 1)"
    " SELECT count(*) FROM gone");

/* After its 30 minutes it counts for the mails of 3 hours, and for nothing
 * then. */
DB_QUERY(recovery_prune,
    "WITH gone AS (DELETE FROM recovery"
    " WHERE created_at < now() - interval '1 day' RETURNING 1)"
    " SELECT count(*) FROM gone");

/* Confirmed within a day, and undone within a week from then. */
DB_QUERY(email_change_prune,
    "WITH gone AS (DELETE FROM email_change"
    " WHERE coalesce(undo_until, expires_at) < now() RETURNING 1)"
    " SELECT count(*) FROM gone");

DB_QUERY(outbox_prune,
    "WITH gone AS (DELETE FROM outbox WHERE state <> 'queued'"
    " AND ended_at < now() - interval '30 days' RETURNING 1)"
    " SELECT count(*) FROM gone");

/* Who chose so gets one mail a day: see migrations/notices. */
DB_QUERY(notice_digest, "SELECT notice_digests()");

DB_QUERY(notice_prune,
    "WITH gone AS (DELETE FROM notice"
    " WHERE at < now() - interval '90 days' RETURNING 1)"
    " SELECT count(*) FROM gone");

/* A request that still waits would be told of again, and so would what falls
 * due later. */
DB_QUERY(job_prune,
    "WITH gone AS (DELETE FROM job AS j"
    " WHERE j.done_at < now() - interval '90 days' AND j.due < now()"
    " AND NOT EXISTS (SELECT FROM request AS r WHERE r.id = j.subject"
    "     AND r.state = 'submitted') RETURNING 1)"
    " SELECT count(*) FROM gone");

static const struct db_query *const jobs[] = {
	&subscription_expire, &subscription_remind, &key_overlap_over,
	&request_reminder, &request_overdue,
	&seating_due, &signin_failed, &failed_signin_prune,
	&signup_prune, &session_prune, &throttle_prune, &reveal_prune,
	&pending_signin_prune, &invitation_prune, &join_ask_prune,
	&known_network_prune, &outbox_prune, &job_prune,
	&notice_digest, &notice_prune, &known_device_prune, &known_browser_prune,
	&recovery_prune, &email_change_prune, &usage_prune,
	&api_replay_prune,
};

WAITS void
jobs_run(struct db *db)
{
	const struct db_rows	*rows;
	int64_t			 done;
	size_t			 i;

	for (i = 0; i < COUNT(jobs); i++) {
		rows = db_write(db, jobs[i], DB_NONE);
		db_must(db, rows);
		assert(rows->n == 1);
		done = db_number(rows, 0, 0);
		if (done > 0)
			log_event(LOG_LEVEL_INFO, "job_done", "job",
			    jobs[i]->name, "count", LOG_NUM(done), NULL);
	}
	product_jobs_run(db);
}
