/*
 * Metrics of what waits: requests, and mail.  Asked of the database each
 * WATCH_DB_EVERY_US by the worker that has the lease; the others say 0, and the
 * largest counts.
 */
#include "base/metric.h"
#include "gateway/watch.h"
#include "requests/times.h"

static unsigned	 waiting, overdue, median, p95, queued, failed, late;

void
watch_db_setup(void)
{
	waiting = metric_new(METRIC_LARGEST, "latchkey_requests_waiting",
	    "Requests that wait for staff.", "");
	overdue = metric_new(METRIC_LARGEST, "latchkey_requests_overdue",
	    "Of them, those after the promised time.", "");
	median = metric_new(METRIC_LARGEST,
	    "latchkey_request_decision_median_seconds",
	    "Time to decision in the last 30 days, the median.", "");
	p95 = metric_new(METRIC_LARGEST,
	    "latchkey_request_decision_p95_seconds",
	    "Time to decision in the last 30 days, the 95th percentile.", "");
	queued = metric_new(METRIC_LARGEST, "latchkey_outbox_queued",
	    "Mails that are not sent yet.", "");
	failed = metric_new(METRIC_LARGEST, "latchkey_outbox_failed",
	    "Mails that were given up in the last 24 hours.", "");
	late = metric_new(METRIC_LARGEST, "latchkey_outbox_late_seconds",
	    "For how long a mail that is due has waited.", "");
}

WAITS void
watch_db_read(struct db *db)
{
	const struct db_rows	*rows;
	struct times_recent	 times;

	DB_QUERY(watch_outbox,
	    "SELECT q.n, q.late, (SELECT count(*) FROM outbox "
	    "WHERE state = 'failed' AND ended_at > now() - interval '1 day') "
	    "FROM (SELECT count(*) AS n, coalesce((extract(epoch FROM now() "
	    "- min(next_at) FILTER (WHERE next_at <= now())) "
	    "* 1000000)::bigint, 0) AS late FROM outbox "
	    "WHERE state = 'queued') q");

	times_db_recent(db, &times);
	rows = db_read(db, &watch_outbox, DB_NONE);
	metric_set(waiting, times.waiting);
	metric_set(overdue, times.overdue);
	metric_set(median, times.median);
	metric_set(p95, times.p95);
	metric_set(queued, db_number(rows, 0, 0));
	metric_set(late, db_number(rows, 0, 1));
	metric_set(failed, db_number(rows, 0, 2));
}

void
watch_db_none(void)
{
	metric_set(waiting, 0);
	metric_set(overdue, 0);
	metric_set(median, 0);
	metric_set(p95, 0);
	metric_set(queued, 0);
	metric_set(late, 0);
	metric_set(failed, 0);
}
