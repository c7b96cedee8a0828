/*
 * How long decisions took: an index has all that is asked of a month.
 */
#include "requests/times.h"

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

void
times_db_read(struct db *db, struct times *ret_times)
{
	const struct db_rows	*rows;
	int			 i;

	DB_QUERY(times_read,
	    "SELECT " MICROS("m.month") ", x.decided, "
	    "coalesce(" MICROS("x.median") ", 0), "
	    "coalesce(" MICROS("x.p95") ", 0), x.late "
	    "FROM (SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') "
	    "  - make_interval(months => n)) AT TIME ZONE 'UTC' AS month, "
	    "  (date_trunc('month', now() AT TIME ZONE 'UTC') "
	    "  - make_interval(months => n - 1)) AT TIME ZONE 'UTC' AS ends "
	    "  FROM generate_series(0, 11) n) m "
	    "CROSS JOIN LATERAL (SELECT count(*) AS decided, "
	    "  percentile_disc(0.5) WITHIN GROUP (ORDER BY took) AS median, "
	    "  percentile_disc(0.95) WITHIN GROUP (ORDER BY took) AS p95, "
	    "  count(*) FILTER (WHERE decided_at > due_at) AS late "
	    "  FROM (SELECT r.decided_at - r.submitted_at - r.waited AS took, "
	    "    r.decided_at, r.due_at FROM request r "
	    "    WHERE r.decided_at >= m.month AND r.decided_at < m.ends "
	    "    AND r.state IN ('approved', 'shared', 'rejected')) d) x "
	    "ORDER BY m.month DESC");
	_Static_assert(TIMES_MONTHS == 12, "the series above");

	rows = db_read(db, &times_read, DB_NONE);
	ret_times->n = rows->n;
	for (i = 0; i < rows->n; i++)
		ret_times->list[i] = (struct times_month){
			.begins_at = db_number(rows, i, 0),
			.decided = db_number(rows, i, 1),
			.median = db_number(rows, i, 2),
			.p95 = db_number(rows, i, 3),
			.late = db_number(rows, i, 4),
		};
}

void
times_db_recent(struct db *db, struct times_recent *ret_recent)
{
	const struct db_rows	*rows;

	DB_QUERY(times_recent,
	    "SELECT d.decided, coalesce(" MICROS("d.median") ", 0), "
	    "coalesce(" MICROS("d.p95") ", 0), d.late, w.waiting, w.overdue "
	    "FROM (SELECT count(*) AS decided, "
	    "  percentile_disc(0.5) WITHIN GROUP (ORDER BY r.decided_at "
	    "    - r.submitted_at - r.waited) AS median, "
	    "  percentile_disc(0.95) WITHIN GROUP (ORDER BY r.decided_at "
	    "    - r.submitted_at - r.waited) AS p95, "
	    "  count(*) FILTER (WHERE r.decided_at > r.due_at) AS late "
	    "  FROM request r WHERE r.decided_at >= now() - interval '30 days' "
	    "  AND r.state IN ('approved', 'shared', 'rejected')) d "
	    "CROSS JOIN (SELECT count(*) AS waiting, "
	    "  count(*) FILTER (WHERE x.due_at < now()) AS overdue "
	    "  FROM (SELECT due_at FROM request WHERE standing = 'us' "
	    "  ORDER BY due_at, id LIMIT 100000) x) w");
	_Static_assert(TIMES_WAITING_MAX == 100000, "the limit above");

	rows = db_read(db, &times_recent, DB_NONE);
	*ret_recent = (struct times_recent){
		.decided = db_number(rows, 0, 0),
		.median = db_number(rows, 0, 1),
		.p95 = db_number(rows, 0, 2),
		.late = db_number(rows, 0, 3),
		.waiting = db_number(rows, 0, 4),
		.overdue = db_number(rows, 0, 5),
	};
}
