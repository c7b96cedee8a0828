/*
 * Pages of what was called.  The chart is SVG that is drawn here: bars of
 * whole numbers in a box of 720 by 154, so that it needs neither script nor
 * style; the table beside it holds the same numbers.
 */
#include "usage/usage.h"

#include "base/clock.h"
#include "crypto/token.h"
#include "products/product.h"
#include "sessions/session.h"
#include "web/respond.h"

#define CHART_WIDTH	720
#define CHART_TOP	1
#define CHART_BOTTOM	153

static void	 show_spans(struct view *, const struct usage_span *);
static void	 show_bars(struct req *, struct view *,
		    const struct usage_span *, const struct usage_bars *);
static const char *bar_label(struct req *, const struct usage_span *,
		    int64_t at);
static void	 show_parts(struct req *, struct view *, const char *list,
		    const struct usage_parts *, bool are_outcomes);
static void	 show_quotas(struct req *, struct view *,
		    const struct usage_quotas *);
static void	 show_quota(struct req *, struct view *, const char *name,
		    const char *period, int64_t calls, int64_t quota);
static void	 show_clients(struct req *, struct view *, const char *list,
		    const struct usage_clients *);
static const char *tenant_of(struct req *);

WAITS void
usage_show(struct req *rq, struct view *view, const char *tenant_id,
    const char *user_id)
{
	const struct usage_span	*span = usage_span(req_query(rq, "span"));
	struct usage_bars	 bars;
	struct usage_parts	 outcomes;

	bars = usage_db_bars(rq->db, tenant_id, user_id, span);
	outcomes = usage_db_outcomes(rq->db, tenant_id, user_id, span);
	show_spans(view, span);
	show_bars(rq, view, span, &bars);
	show_parts(rq, view, "outcomes", &outcomes, true);
}

void
usage_page(struct req *rq)
{
	const struct usage_span	*span = usage_span(req_query(rq, "span"));
	const char		*tenant = tenant_of(rq);
	struct view		*view = view_new(rq->arena);
	struct usage_parts	 users = usage_db_users(rq->db, tenant, span);
	struct usage_quotas	 quotas;

	quotas = usage_db_quotas(rq->db, tenant);
	view_text(view, "client", rq->session->tenant_name);
	usage_show(rq, view, tenant, NULL);
	show_parts(rq, view, "users", &users, false);
	show_quotas(rq, view, &quotas);
	respond_page(rq, 200, "usage/usage", view);
}

void
usage_page_export(struct req *rq)
{
	const struct usage_span	*span = usage_span(req_query(rq, "span"));
	const struct buf	*out;

	out = usage_db_export(rq->db, tenant_of(rq), span);
	respond_header(rq, "cache-control", "no-store");
	respond_header(rq, "content-disposition", arena_fmt(rq->arena,
	    "attachment; filename=\"usage-%s-%.10s.csv\"", span->word,
	    clock_iso(rq->arena, rq->now)));
	respond_bytes(rq, 200, "text/csv; charset=utf-8", buf_text(out), out->n);
}

void
usage_page_staff(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	const char		*calls = req_query(rq, "calls");
	const char		*after = req_query(rq, "top");
	const char		*unused_after = req_query(rq, "unused");
	struct usage_clients	 top, unused;
	struct usage_parts	 refusals;
	int64_t			 number;

	/* An odd address is that of the first page. */
	if (calls == NULL || after == NULL || !uuid_shaped(after) ||
	    !str_to_int(calls, 1, INT64_MAX, &number))
		calls = after = NULL;
	if (unused_after != NULL && !uuid_shaped(unused_after))
		unused_after = NULL;
	top = usage_db_top(rq->db, calls, after);
	unused = usage_db_unused(rq->db, unused_after);
	refusals = usage_db_refusals(rq->db);
	show_clients(rq, view, "top", &top);
	show_clients(rq, view, "unused", &unused);
	view_text(view, "top_after", top.next_after);
	view_text(view, "top_calls", arena_fmt(rq->arena, "%lld",
	    (long long)top.next_calls));
	view_text(view, "unused_after", unused.next_after);
	view_bool(view, "top_is_first", after == NULL);
	view_bool(view, "unused_is_first", unused_after == NULL);
	show_parts(rq, view, "outcomes", &refusals, true);
	respond_page(rq, 200, "usage/staff", view);
}

static const char *
tenant_of(struct req *rq)
{
	if (rq->session->tenant_id == NULL)
		req_not_found(rq);
	return (rq->session->tenant_id);
}

static void
show_spans(struct view *view, const struct usage_span *span)
{
	struct view	*row;
	size_t		 i;

	for (i = 0; i < COUNT(usage_spans); i++) {
		row = view_row(view, "spans");
		view_text(row, "word", usage_spans[i].word);
		view_text(row, "label", usage_spans[i].label);
		view_bool(row, "is_here", span == &usage_spans[i]);
	}
	view_text(view, "span_word", span->word);
	view_text(view, "span_label", span->label);
	view_text(view, "step", span->step);
	view_text(view, "article", str_eq(span->step, "hour") ? "an" : "a");
}

static void
show_bars(struct req *rq, struct view *view, const struct usage_span *span,
    const struct usage_bars *bars)
{
	const struct usage_bar	*bar;
	struct view		*row;
	int64_t			 most = 1, allowed = 0, refused = 0, up, down;
	int			 i, width;

	for (i = 0; i < bars->n; i++) {
		bar = &bars->list[i];
		if (bar->allowed + bar->refused > most)
			most = bar->allowed + bar->refused;
		allowed += bar->allowed;
		refused += bar->refused;
	}
	width = CHART_WIDTH / (bars->n > 0 ? bars->n : 1);
	view_list(view, "bars");
	for (i = 0; i < bars->n; i++) {
		bar = &bars->list[i];
		/* What is there is seen, however little it is. */
		up = (bar->allowed * (CHART_BOTTOM - CHART_TOP) + most - 1) /
		    most;
		down = (bar->refused * (CHART_BOTTOM - CHART_TOP) + most - 1) /
		    most;
		row = view_row(view, "bars");
		view_int(row, "x", i * width + 1);
		view_int(row, "width", width - 2);
		view_int(row, "allowed_y", CHART_BOTTOM - up);
		view_int(row, "allowed_height", up);
		view_int(row, "refused_y", CHART_BOTTOM - up - down);
		view_int(row, "refused_height", down);
		view_text(row, "when", bar_label(rq, span, bar->at));
		view_text(row, "allowed", product_number(rq->arena,
		    bar->allowed));
		view_text(row, "refused", product_number(rq->arena,
		    bar->refused));
	}
	view_text(view, "most", product_number(rq->arena, most));
	view_text(view, "first", bars->n == 0 ? "" : bar_label(rq, span,
	    bars->list[0].at));
	view_text(view, "last", bars->n == 0 ? "" : bar_label(rq, span,
	    bars->list[bars->n - 1].at));
	view_text(view, "allowed_sum", product_number(rq->arena, allowed));
	view_text(view, "refused_sum", product_number(rq->arena, refused));
	view_bool(view, "has_calls", allowed + refused > 0);
}

/* "14:00", "22 November", "November 2026" */
static const char *
bar_label(struct req *rq, const struct usage_span *span, int64_t at)
{
	const char	*day = clock_date(rq->arena, at);
	const char	*space = strchr(day, ' ');

	if (str_eq(span->step, "hour"))
		return (arena_fmt(rq->arena, "%.5s",
		    clock_iso(rq->arena, at) + 11));
	if (space == NULL)
		return (day);
	if (str_eq(span->step, "month"))
		return (space + 1);
	return (arena_strndup(rq->arena, day,
	    (size_t)(strchrnul(space + 1, ' ') - day)));
}

static void
show_parts(struct req *rq, struct view *view, const char *list,
    const struct usage_parts *parts, bool are_outcomes)
{
	const struct usage_part	*part;
	struct view		*row;
	int			 i;

	view_list(view, list);
	for (i = 0; i < parts->n; i++) {
		part = &parts->list[i];
		row = view_row(view, list);
		view_text(row, "part", are_outcomes ? usage_words(part->name) :
		    part->name);
		view_text(row, "code", are_outcomes ? part->name : "");
		view_text(row, "allowed", product_number(rq->arena,
		    part->allowed));
		view_text(row, "refused", product_number(rq->arena,
		    part->refused));
	}
}

static void
show_quotas(struct req *rq, struct view *view,
    const struct usage_quotas *quotas)
{
	const struct usage_quota	*q;
	int				 i;

	view_list(view, "quotas");
	for (i = 0; i < quotas->n; i++) {
		q = &quotas->list[i];
		show_quota(rq, view, q->name, "today", q->day_calls, q->day);
		show_quota(rq, view, q->name, "this month", q->month_calls,
		    q->month);
	}
}

static void
show_quota(struct req *rq, struct view *view, const char *name,
    const char *period, int64_t calls, int64_t quota)
{
	struct view	*row;

	if (quota == 0)
		return;
	row = view_row(view, "quotas");
	view_text(row, "title", name);
	view_text(row, "period", period);
	view_text(row, "calls", product_number(rq->arena, calls));
	view_text(row, "quota", product_number(rq->arena, quota));
	view_int(row, "width", calls >= quota ? CHART_WIDTH :
	    calls * CHART_WIDTH / quota);
	view_int(row, "percent", calls >= quota ? 100 : calls * 100 / quota);
	view_bool(row, "is_full", calls >= quota);
}

static void
show_clients(struct req *rq, struct view *view, const char *list,
    const struct usage_clients *clients)
{
	const struct usage_client	*c;
	struct view			*row;
	int				 i;

	view_list(view, list);
	for (i = 0; i < clients->n; i++) {
		c = &clients->list[i];
		row = view_row(view, list);
		view_text(row, "code", c->code);
		view_text(row, "client", c->name);
		view_text(row, "subscription", c->subscription);
		view_text(row, "allowed", product_number(rq->arena,
		    c->allowed));
		view_text(row, "refused", product_number(rq->arena,
		    c->refused));
		view_text(row, "used", c->used_at == 0 ? "" :
		    clock_ago(rq->arena, c->used_at, rq->now));
	}
}
