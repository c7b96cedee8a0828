/*
 * Asks to join a client: the contact's form, and the list of staff.
 */
#include "accounts/account.h"
#include "base/clock.h"
#include "crypto/token.h"
#include "people/ask.h"
#include "people/people.h"
#include "web/respond.h"

WAITS static void list(struct req *, int status, struct view *,
		    const char *refused);

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
	list(rq, 200, view_new(rq->arena), "");
}

/* Code and reason may both be wrong for the rule; which, staff see on the
 * client's page. */
void
ask_page_share(struct req *rq)
{
	const char	*id = req_param(rq, "id");
	const char	*code = req_form_line(rq, "tenant");
	const char	*reason = req_form(rq, "reason");
	struct view	*view;

	if (!uuid_shaped(id))
		req_not_found(rq);
	if (str_chars(reason) <= ASK_REASON_MAX) {
		if (str_blank(reason))
			reason = "";
		switch (ask_db_share(rq->db, rq->session->account_id, id,
		    code, reason)) {
		case ASK_DONE:
			respond_see_other(rq, "/staff/asks?done=in");
			return;
		case ASK_NONE:
			req_not_found(rq);
		case ASK_RULE:
			break;
		}
	}
	view = view_new(rq->arena);
	form_error(view, "ask", str_chars(reason) > ASK_REASON_MAX ?
	    "The reason may have up to 1000 characters. Shorten it." :
	    "There is no open client with this code, or the address is not on "
	    "its list of mail domains and no owner agreed: then type why this contact may see its "
	    "key.");
	view_text(view, "typed_tenant", code);
	view_text(view, "typed_reason", reason);
	list(rq, 422, view, id);
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

WAITS static void
list(struct req *rq, int status, struct view *view, const char *refused)
{
	const char	*done = req_query(rq, "done");
	struct asks	 asks = ask_db_list(rq->db);
	struct view	*row;
	bool		 is_it;
	int		 i;

	view_bool(view, "is_in", done != NULL && str_eq(done, "in"));
	form_fields(view, "ask", NULL);
	if (!view_has(view, "typed_reason")) {
		view_text(view, "typed_tenant", "");
		view_text(view, "typed_reason", "");
	}
	view_bool(view, "has_rows", asks.n > 0);
	view_text(view, "count_text", asks.total == 1 ? "1 open" :
	    arena_fmt(rq->arena, "%lld open, the oldest first",
	    (long long)asks.total));
	view_list(view, "rows");
	for (i = 0; i < asks.n; i++) {
		row = view_row(view, "rows");
		is_it = str_eq(asks.list[i].id, refused);
		view_bool(row, "is_refused", is_it);
		view_text(row, "id", asks.list[i].id);
		view_text(row, "person", asks.list[i].person);
		view_text(row, "email", asks.list[i].email);
		view_text(row, "client", asks.list[i].client);
		view_text(row, "code", asks.list[i].tenant_code);
		view_text(row, "name", asks.list[i].tenant_name);
		view_bool(row, "has_domain", asks.list[i].has_domain);
		view_text(row, "request", asks.list[i].request_id);
		view_bool(row, "is_agreed", str_eq(asks.list[i].consent,
		    "yes"));
		view_bool(row, "is_declined", str_eq(asks.list[i].consent,
		    "no"));
		view_bool(row, "is_way_in", asks.list[i].has_domain ||
		    str_eq(asks.list[i].consent, "yes"));
		view_text(row, "at", clock_ago(rq->arena, asks.list[i].at,
		    rq->now));
	}
	respond_page(rq, status, "people/asks", view);
}
