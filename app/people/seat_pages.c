/*
 * Seating an owner: the form of staff on a person's page, and cancelling.
 */
#include "people/seat.h"

#include "base/clock.h"
#include "crypto/token.h"
#include "people/staff.h"
#include "web/respond.h"

void
seat_view(struct req *rq, struct view *view, const struct seats *seats)
{
	struct view	*row;
	int		 i;

	view_list(view, "seats");
	for (i = 0; i < seats->n; i++) {
		row = view_row(view, "seats");
		view_text(row, "id", seats->list[i].id);
		view_text(row, "person", seats->list[i].person);
		view_text(row, "client", seats->list[i].client);
		view_text(row, "by", seats->list[i].by);
		view_text(row, "reason", seats->list[i].reason);
		view_text(row, "due", clock_long(rq->arena,
		    seats->list[i].due_at));
	}
}

void
seat_page_plan(struct req *rq)
{
	const char	*id = req_param(rq, "id");
	const char	*code = str_upper(rq->arena, req_form_line(rq,
			    "tenant"));
	const char	*reason = req_form(rq, "reason");
	struct view	*view = view_new(rq->arena);

	if (!uuid_shaped(id))
		req_not_found(rq);
	if (str_blank(reason) || str_chars(reason) > STAFF_REASON_MAX)
		form_error(view, "seat_reason", "Say why, in up to 1000 "
		    "characters. All owners and admins read it.");
	if (*code == '\0')
		form_error(view, "tenant", "Type the client’s code, for "
		    "example ALTWORX.");
	if (!form_has_errors(view)) {
		switch (seat_db_plan(rq->db, rq->session->account_id, id, code,
		    reason)) {
		case SEAT_PLANNED:
		case SEAT_DONE:
			respond_see_other(rq, arena_fmt(rq->arena,
			    "/staff/people/%s", id));
			return;
		case SEAT_NO_CLIENT:
			form_error(view, "tenant", arena_fmt(rq->arena,
			    "No client has the code %s, or it is closed.",
			    code));
			break;
		case SEAT_NOT:
			form_error(view, "tenant", "This person can’t become "
			    "owner there: only a contact without a client, or "
			    "of that client and not its owner yet.");
			break;
		case SEAT_OPEN:
			form_error(view, "tenant", "It is planned for this "
			    "person already.");
			break;
		}
	}
	view_text(view, "typed_tenant", code);
	view_text(view, "typed_seat_reason", reason);
	staff_page_person(rq, 422, view);
}

void
seat_page_cancel(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id) ||
	    !seat_db_cancel(rq->db, rq->session->account_id, id))
		req_not_found(rq);
	respond_see_other(rq, "/people");
}

void
seat_page_cancel_staff(struct req *rq)
{
	const char	*id = req_param(rq, "id");
	const char	*seat = req_param(rq, "seat");

	if (!uuid_shaped(id) || !uuid_shaped(seat) ||
	    !seat_db_cancel(rq->db, rq->session->account_id, seat))
		req_not_found(rq);
	respond_see_other(rq, arena_fmt(rq->arena, "/staff/people/%s", id));
}
