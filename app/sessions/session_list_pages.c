/*
 * The page of one's sessions.
 */
#include "sessions/session_list.h"

#include "base/clock.h"
#include "web/agent.h"
#include "web/respond.h"

void
session_page_list(struct req *rq)
{
	struct view			*v = view_new(rq->arena), *row;
	const char			*done = req_query(rq, "done");
	struct session_list		 list;
	const struct session_row	*s;
	int				 i;

	list = session_db_list(rq->db, rq->session->account_id,
	    rq->session->cookie);
	view_bool(v, "is_ended", done != NULL && str_eq(done, "ended"));
	view_bool(v, "has_others", list.n > 1);
	view_list(v, "rows");
	for (i = 0; i < list.n; i++) {
		s = &list.list[i];
		row = view_row(v, "rows");
		view_text(row, "id", s->id);
		view_text(row, "device", agent_words(rq->arena, s->agent));
		view_text(row, "address", s->address);
		view_text(row, "began", clock_long(rq->arena, s->created_at));
		view_text(row, "used_at", clock_long(rq->arena,
		    s->last_used_at));
		view_text(row, "used_ago", clock_ago(rq->arena,
		    s->last_used_at, rq->now));
		view_bool(row, "is_mine", s->is_mine);
	}
	respond_page(rq, 200, "sessions/list", v);
}

void
session_page_end(struct req *rq)
{
	switch (session_db_end_one(rq->db, rq->session->account_id,
	    req_param(rq, "id"), rq->session->cookie)) {
	case SESSION_ENDED_NONE:
		req_not_found(rq);
	case SESSION_ENDED_OTHER:
		respond_see_other(rq, "/account/sessions?done=ended");
		return;
	case SESSION_ENDED_MINE:
		session_end_cookie(rq);
		respond_see_other(rq, "/");
		return;
	}
}

void
session_page_end_others(struct req *rq)
{
	(void)session_db_end_others(rq->db, rq->session->account_id,
	    rq->session->cookie);
	respond_see_other(rq, "/account/sessions?done=ended");
}
