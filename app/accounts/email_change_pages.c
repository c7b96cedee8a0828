/*
 * Changing the address: asking, confirming from the new mailbox while signed
 * in, and undoing from the old one.
 */
#include "accounts/email_change_pages.h"

#include "accounts/account_pages.h"
#include "accounts/email_change.h"
#include "base/clock.h"
#include "web/respond.h"

static void	email_form(struct req *, int status, struct view *);
static void	link_form(struct req *, const struct email_change *,
		    bool is_undo);
static void	link_gone(struct req *, int status, enum email_result,
		    bool is_undo);

void
email_change_page(struct req *rq)
{
	struct view	*view = view_new(rq->arena);

	view_text(view, "email", "");
	email_form(rq, 200, view);
}

void
email_change_page_ask(struct req *rq)
{
	const char		*email = req_form(rq, "email");
	struct view		*view = view_new(rq->arena);
	struct address		 address, present;
	struct signup_answer	 answer;
	enum address_verdict	 verdict;

	verdict = address_parse(rq->arena, email, &address);
	if (verdict != ADDRESS_GOOD)
		form_error(view, "email", address_advice(verdict));
	else if (address_parse(rq->arena, rq->session->email, &present) ==
	    ADDRESS_GOOD && str_eq(address.folded, present.folded))
		form_error(view, "email", "This is the address that you have. "
		    "Type the new one.");
	if (form_has_errors(view)) {
		view_text(view, "email", email);
		email_form(rq, 422, view);
		return;
	}
	answer = email_change_db_ask(rq->db, rq->session->account_id, &address,
	    session_network(rq));
	switch (answer.result) {
	case SIGNUP_QUEUED:
		respond_see_other(rq, "/account?done=email-asked");
		return;
	case SIGNUP_ADDRESS_BUSY:
		account_page_wait(rq, "changes of address",
		    (answer.next_at - rq->now) / SECOND_US + 1);
		return;
	case SIGNUP_NETWORK_BUSY:
		account_page_wait(rq, "mails", answer.wait_s);
		return;
	}
}

void
email_change_page_form(struct req *rq)
{
	struct email_change	change;

	if (email_change_db_find(rq->db, req_param(rq, "token"),
	    rq->session->account_id, &change))
		link_form(rq, &change, false);
	else
		link_gone(rq, 410, EMAIL_GONE, false);
}

void
email_change_page_confirm(struct req *rq)
{
	const char		*token = req_param(rq, "token");
	struct email_change	 change;
	enum email_result	 result;

	if (!email_change_db_find(rq->db, token, rq->session->account_id,
	    &change)) {
		link_gone(rq, 410, EMAIL_GONE, false);
		return;
	}
	result = email_change_db_confirm(rq->db, token,
	    rq->session->account_id);
	if (result == EMAIL_DONE)
		respond_see_other(rq, "/account?done=email");
	else
		link_gone(rq, 409, result, false);
}

void
email_change_page_undo_form(struct req *rq)
{
	struct email_change	change;

	if (email_change_db_find_undo(rq->db, req_param(rq, "token"), &change))
		link_form(rq, &change, true);
	else
		link_gone(rq, 410, EMAIL_GONE, true);
}

void
email_change_page_undo(struct req *rq)
{
	const char		*token = req_param(rq, "token");
	struct email_change	 change;
	enum email_result	 result;

	if (!email_change_db_find_undo(rq->db, token, &change)) {
		link_gone(rq, 410, EMAIL_GONE, true);
		return;
	}
	result = email_change_db_undo(rq->db, token);
	if (result == EMAIL_DONE)
		respond_see_other(rq, "/signin?done=email-undone");
	else
		link_gone(rq, 409, result, true);
}

static void
email_form(struct req *rq, int status, struct view *view)
{
	form_fields(view, "email", NULL);
	respond_page(rq, status, "accounts/email", view);
}

static void
link_form(struct req *rq, const struct email_change *change, bool is_undo)
{
	struct view	*view = view_new(rq->arena);

	view_text(view, "token", req_param(rq, "token"));
	view_text(view, "email", change->email);
	view_text(view, "present", change->present);
	view_bool(view, "is_undo", is_undo);
	respond_page(rq, 200, "accounts/email_link", view);
}

static void
link_gone(struct req *rq, int status, enum email_result result, bool is_undo)
{
	struct view	*view = view_new(rq->arena);

	view_bool(view, "is_undo", is_undo);
	view_bool(view, "is_taken", result == EMAIL_TAKEN);
	respond_page(rq, status, "accounts/email_gone", view);
}
