/*
 * Asks to join a client: the contact's form, and the list of staff.
 */
#include "accounts/account.h"
#include "base/clock.h"
#include "crypto/token.h"
#include "people/ask.h"
#include "people/people.h"
#include "web/respond.h"

void
ask_page_make(struct req *rq)
{
	const char	*client = req_form_line(rq, "client");
	const char	*wrong = client_name_wrong(client);
	struct view	*view;

	if (rq->session->tenant_id != NULL)
		req_not_found(rq);
	if (wrong != NULL) {
		view = view_new(rq->arena);
		form_error(view, "client", wrong);
		view_text(view, "asked", client);
		people_page_show(rq, 422, view);
		return;
	}
	ask_db_make(rq->db, rq->session->account_id, client);
	respond_see_other(rq, "/people?done=asked");
}

void
ask_page_list(struct req *rq)
{
	struct view	*view = view_new(rq->arena), *row;
	struct asks	 asks = ask_db_list(rq->db);
	int		 i;

	view_bool(view, "has_rows", asks.n > 0);
	view_text(view, "count_text", asks.total == 1 ? "1 open" :
	    arena_fmt(rq->arena, "%lld open, the oldest first",
	    (long long)asks.total));
	view_list(view, "rows");
	for (i = 0; i < asks.n; i++) {
		row = view_row(view, "rows");
		view_text(row, "id", asks.list[i].id);
		view_text(row, "person", asks.list[i].person);
		view_text(row, "email", asks.list[i].email);
		view_text(row, "client", asks.list[i].client);
		view_text(row, "code", asks.list[i].tenant_code);
		view_text(row, "name", asks.list[i].tenant_name);
		view_bool(row, "has_domain", asks.list[i].has_domain);
		view_text(row, "at", clock_ago(rq->arena, asks.list[i].at,
		    rq->now));
	}
	respond_page(rq, 200, "people/asks", view);
}

void
ask_page_end(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id) ||
	    !ask_db_end(rq->db, rq->session->account_id, id))
		req_not_found(rq);
	respond_see_other(rq, "/staff/asks");
}
