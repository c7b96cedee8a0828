/*
 * Closing one's account, and one's own data as a file.
 */
#include "accounts/close_pages.h"

#include "accounts/account_pages.h"
#include "accounts/close.h"
#include "accounts/recovery.h"
#include "run/work.h"
#include "web/respond.h"

static void	 close_form(struct req *, int status, struct view *);

void
close_page(struct req *rq)
{
	close_form(rq, 200, view_new(rq->arena));
}

void
close_page_close(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	struct visitor		 visitor = session_visitor(rq);
	struct password_job	*job;
	struct credential	 credential;

	if (req_form(rq, "password")[0] == '\0') {
		form_error(view, "password", "Type your password.");
		close_form(rq, 422, view);
		return;
	}
	credential =
	    account_db_credential_of(rq->db, rq->session->account_id, &visitor);
	if (!account_page_try(rq, &credential.tries, "tries"))
		return;
	job = arena_calloc(rq->arena, 1, sizeof(*job));
	job->present = password_normalise(rq->arena, req_form(rq, "password"));
	job->present_hash = credential.hash;
	if (!work_run(password_job_run, job, true))
		req_fail(rq, 503, "busy");
	if (!job->is_right) {
		account_db_failed(rq->db, &credential);
		form_error(view, "password", "This is not your password. Look "
		    "at it and try again.");
		close_form(rq, 422, view);
		return;
	}
	tries_db_right(rq->db, &credential.tries);
	switch (close_db_account(rq->db, &credential)) {
	case CLOSE_DONE:
		session_end_cookie(rq);
		respond_see_other(rq, "/signin?done=closed");
		return;
	case CLOSE_CHANGED:
		req_fail(rq, 409, "password_changed");
	case CLOSE_LAST_OWNER:
		form_error(view, "password", "You are the only owner, and the "
		    "key is in use. Make a colleague an owner first, or write "
		    "to us to end the key.");
		break;
	case CLOSE_LAST_ADMIN:
		form_error(view, "password", "You are the only admin. Make "
		    "somebody else an admin first.");
		break;
	}
	close_form(rq, 422, view);
}

void
close_page_data(struct req *rq)
{
	const char	*json = close_db_data(rq->db,
			    rq->session->account_id);

	respond_header(rq, "content-disposition",
	    "attachment; filename=\"latchkey-data.json\"");
	respond_json(rq, 200, json);
}

static void
close_form(struct req *rq, int status, struct view *view)
{
	const struct session	*s = rq->session;

	view_text(view, "client", s->tenant_name != NULL ? s->tenant_name : "");
	form_fields(view, "password", NULL);
	respond_page(rq, status, "accounts/close", view);
}
