/*
 * How long decisions took, for staff.
 */
#include "requests/times.h"

#include "base/clock.h"
#include "base/setting.h"
#include "web/respond.h"

void
times_page(struct req *rq)
{
	struct view			*v = view_new(rq->arena), *row;
	const struct times_month	*m;
	struct times			 times;
	int				 i;

	times_db_read(rq->db, &times);
	view_int(v, "sla_hours", setting->sla_hours);
	view_list(v, "rows");
	for (i = 0; i < times.n; i++) {
		m = &times.list[i];
		/* "2026-11" of "2026-11-01T00:00Z" */
		row = view_row(v, "rows");
		view_text(row, "month", arena_strndup(rq->arena,
		    clock_iso(rq->arena, m->begins_at), 7));
		view_int(row, "decided", m->decided);
		view_text(row, "median", m->decided == 0 ? "" :
		    clock_span(rq->arena, m->median));
		view_text(row, "p95", m->decided == 0 ? "" :
		    clock_span(rq->arena, m->p95));
		view_int(row, "late", m->late);
	}
	respond_page(rq, 200, "requests/times", v);
}
