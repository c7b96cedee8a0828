/*
 * Forgotten passwords: asking for a mail, and the form behind its link.  The
 * answers are the same for every address; only the mailbox learns more.
 */
#include "accounts/recovery_pages.h"

#include "accounts/account_pages.h"
#include "accounts/recovery.h"
#include "base/clock.h"
#include "base/setting.h"
#include "run/work.h"
#include "web/respond.h"

static void	ask_form(struct req *, int status, struct view *);
static void	reset_form(struct req *, int status, struct view *,
		    const struct recovery *);
static void	reset_gone(struct req *, int status);

void
recovery_page(struct req *rq)
{
	struct view	*view = view_new(rq->arena);

	view_text(view, "email", rq->session == NULL ? "" :
	    rq->session->email);
	ask_form(rq, 200, view);
}

void
recovery_page_ask(struct req *rq)
{
	const char		*email = req_form(rq, "email");
	struct view		*view = view_new(rq->arena);
	struct signup_answer	 answer;
	enum address_verdict	 verdict;
	struct address		 address;

	verdict = address_parse(rq->arena, email, &address);
	if (verdict != ADDRESS_GOOD) {
		form_error(view, "email", address_advice(verdict));
		view_text(view, "email", email);
		ask_form(rq, 422, view);
		return;
	}
	answer = recovery_db_ask(rq->db, &address, session_network(rq));
	switch (answer.result) {
	case SIGNUP_QUEUED:
		respond_see_other(rq, "/forgot/sent");
		return;
	case SIGNUP_ADDRESS_BUSY:
		account_page_wait(rq, "mails to this address",
		    (answer.next_at - rq->now) / SECOND_US + 1);
		return;
	case SIGNUP_NETWORK_BUSY:
		account_page_wait(rq, "mails", answer.wait_s);
		return;
	}
}

void
recovery_page_sent(struct req *rq)
{
	static const char	 maildir[] = "maildir:";
	bool			 is_folder = !setting->production &&
				    str_starts(setting->smtp_url, maildir);
	struct view		*view = view_new(rq->arena);

	view_bool(view, "is_development", is_folder);
	view_text(view, "mail_folder", is_folder ?
	    setting->smtp_url + strlen(maildir) : "");
	respond_page(rq, 200, "accounts/forgot_sent", view);
}

void
recovery_page_form(struct req *rq)
{
	struct view	*view = view_new(rq->arena);
	struct recovery	 recovery;

	if (!recovery_db_find(rq->db, req_param(rq, "token"), &recovery)) {
		reset_gone(rq, 410);
		return;
	}
	(void)recovery_page_asks(rq, view, recovery.account_id);
	reset_form(rq, 200, view, &recovery);
}

void
recovery_page_reset(struct req *rq)
{
	const char		*token = req_param(rq, "token"), *browser;
	struct view		*view = view_new(rq->arena);
	struct password_job	*job;
	struct recovery		 recovery;

	if (!recovery_db_find(rq->db, token, &recovery)) {
		reset_gone(rq, 410);
		return;
	}
	job = password_page_job(rq, req_form(rq, "password"), recovery.name,
	    recovery.email, recovery.client);
	/* Who holds a link has shown a mailbox: the kept slot is theirs. */
	if (!work_run(password_job_run, job, true))
		req_fail(rq, 503, "busy");
	if (job->verdict != PASSWORD_GOOD)
		form_error(view, "password", password_advice(job->verdict));
	if (!form_has_errors(view) && !job->done)
		req_fail(rq, 503, "hash_memory");
	/* Last, since a code counts once: it is not used up by a password
	 * that is refused. */
	if (recovery_page_asks(rq, view, recovery.account_id) &&
	    !form_has_errors(view) &&
	    recovery_page_factor(rq, view, recovery.account_id) == SECOND_WAIT)
		return;
	if (form_has_errors(view)) {
		reset_form(rq, 422, view, &recovery);
		return;
	}
	browser = session_browser(rq);
	if (!recovery_db_reset(rq->db, token, job->hash, browser)) {
		reset_gone(rq, 409);
		return;
	}
	session_set_browser(rq, browser);
	respond_see_other(rq, "/signin?done=reset");
}

static void
ask_form(struct req *rq, int status, struct view *view)
{
	form_fields(view, "email", NULL);
	respond_page(rq, status, "accounts/forgot", view);
}

static void
reset_form(struct req *rq, int status, struct view *view,
    const struct recovery *recovery)
{
	view_text(view, "token", req_param(rq, "token"));
	view_text(view, "email", recovery->email);
	form_fields(view, "password", "code", NULL);
	respond_page(rq, status, "accounts/reset", view);
}

static void
reset_gone(struct req *rq, int status)
{
	respond_page(rq, status, "accounts/reset_gone", view_new(rq->arena));
}
