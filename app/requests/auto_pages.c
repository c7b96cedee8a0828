/*
 * Staff stop the approval by checks.
 */
#include "requests/auto.h"

#include "crypto/token.h"
#include "requests/request_view_pages.h"
#include "sessions/session.h"

void
auto_page_stop(struct req *rq)
{
	const char	*id = req_param(rq, "id");
	struct request	*r = NULL;
	bool		 done = false;

	if (uuid_shaped(id)) {
		done = auto_db_stop(rq->db, rq->session->account_id, id);
		r = request_db_find(rq->db, id);
	}
	if (r == NULL)
		req_not_found(rq);
	if (done || (r->state == REQUEST_SUBMITTED &&
	    r->auto_stopped_at != 0))
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/requests/%s", r->id));
	else if (r->state != REQUEST_SUBMITTED)
		request_view_decided(rq, r);
	else
		req_fail(rq, 409, "no_approval_by_checks");
}
