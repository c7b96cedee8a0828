/*
 * From "Sign up" to the account: asking for a mail, asking for it again, and
 * the form behind its link.
 *
 * The address that a mail went to is shown on a page of its own (a POST answers
 * 303), to which it travels in a cookie of the browser that typed it: there is
 * nothing on our side that it could be read from.
 */
#include "accounts/account_pages.h"

#include "accounts/account.h"
#include "accounts/recovery.h"
#include "accounts/recovery_pages.h"
#include "base/clock.h"
#include "base/setting.h"
#include "run/work.h"
#include "web/respond.h"

#define SENT_COOKIE_S	3600

static void	 signup_form(struct req *, int status, struct view *);
static void	 sent_remember(struct req *, const char *email, bool again);
static void	 sent_page(struct req *, int status, const char *email,
		    bool again, int64_t next_at);
static void	 answer_asked(struct req *, const struct address *,
		    struct signup_answer, bool again);
static void	 verify_form(struct req *, int status, struct view *,
		    const struct signup *);
static void	 verify_gone(struct req *, int status, struct view *);

void
signup_page(struct req *rq)
{
	struct view	*view;

	if (rq->session != NULL) {
		respond_see_other(rq, account_home(rq->session->kind));
		return;
	}
	view = view_new(rq->arena);
	view_text(view, "email", "");
	view_text(view, "name", "");
	view_text(view, "client", "");
	signup_form(rq, 200, view);
}

void
signup_page_ask(struct req *rq)
{
	const char		*email = req_form(rq, "email");
	const char		*name = req_form_line(rq, "name");
	const char		*client = req_form_line(rq, "client");
	struct view		*view = view_new(rq->arena);
	enum address_verdict	 verdict;
	struct address		 address;
	const char		*wrong;

	if (rq->session != NULL) {
		respond_see_other(rq, account_home(rq->session->kind));
		return;
	}
	verdict = address_parse(rq->arena, email, &address);
	if (verdict != ADDRESS_GOOD)
		form_error(view, "email", address_advice(verdict));
	wrong = account_name_wrong(name);
	if (wrong != NULL)
		form_error(view, "name", wrong);
	wrong = client_name_wrong(client);
	if (wrong != NULL)
		form_error(view, "client", wrong);
	if (form_has_errors(view)) {
		view_text(view, "email", email);
		view_text(view, "name", name);
		view_text(view, "client", client);
		signup_form(rq, 422, view);
		return;
	}
	answer_asked(rq, &address, signup_db_ask(rq->db, &address, name,
	    client, session_network(rq)), false);
}

void
signup_page_sent(struct req *rq)
{
	const char	*cookie;
	char		 text[ADDRESS_MAX + 2] = { 0 };
	size_t		 n;

	/* Two hexadecimal digits a byte: "1" or "2", then the address. */
	cookie = req_cookie(rq, session_cookie_name(rq, "sent"));
	n = cookie == NULL ? 0 : strlen(cookie) / 2;
	if (n < 2 || n > sizeof(text) - 1 || !hex_decode(text, n, cookie) ||
	    !str_utf8(text, n) || str_has_control(text)) {
		respond_see_other(rq, "/signup");
		return;
	}
	sent_page(rq, 200, arena_strdup(rq->arena, text + 1), text[0] == '2',
	    0);
}

void
signup_page_resend(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	enum address_verdict	 verdict;
	struct address		 address;

	verdict = address_parse(rq->arena, req_form(rq, "email"), &address);
	if (verdict != ADDRESS_GOOD) {
		form_error(view, "email", address_advice(verdict));
		view_text(view, "email", req_form(rq, "email"));
		verify_gone(rq, 422, view);
		return;
	}
	answer_asked(rq, &address, signup_db_ask(rq->db, &address, NULL, NULL,
	    session_network(rq)), true);
}

void
signup_page_verify(struct req *rq)
{
	struct view	*view = view_new(rq->arena);
	struct signup	 signup;

	if (!signup_db_find(rq->db, req_param(rq, "token"), &signup)) {
		verify_gone(rq, 410, view);
		return;
	}
	view_text(view, "name", signup.name);
	view_text(view, "client", signup.client);
	verify_form(rq, 200, view, &signup);
}

void
signup_page_create(struct req *rq)
{
	const char		*token = req_param(rq, "token");
	const char		*name = req_form_line(rq, "name");
	const char		*client = req_form_line(rq, "client");
	struct view		*view = view_new(rq->arena);
	struct password_job	*job;
	struct session_start	 start;
	struct signup		 signup;
	enum account_kind	 kind;
	const char		*wrong;

	if (!signup_db_find(rq->db, token, &signup)) {
		verify_gone(rq, 410, view);
		return;
	}
	if (signup.is_staff)
		client = "";
	job = password_page_job(rq, req_form(rq, "password"), name,
	    signup.email, client);
	wrong = account_name_wrong(name);
	if (wrong != NULL)
		form_error(view, "name", wrong);
	wrong = signup.is_staff ? NULL : client_name_wrong(client);
	if (wrong != NULL)
		form_error(view, "client", wrong);
	/* Who holds a link has shown a mailbox: the kept slot is theirs. */
	if (!work_run(password_job_run, job, true))
		req_fail(rq, 503, "busy");
	if (job->verdict != PASSWORD_GOOD)
		form_error(view, "password", password_advice(job->verdict));
	if (form_has_errors(view)) {
		view_text(view, "name", name);
		view_text(view, "client", client);
		verify_form(rq, 422, view, &signup);
		return;
	}
	if (!job->done)
		req_fail(rq, 503, "hash_memory");
	start = session_begin(rq);
	if (!account_db_create(rq->db, token, &(struct account_new){ .name =
	    name, .client = client, .password_hash = job->hash }, &start,
	    &kind)) {
		verify_gone(rq, 409, view_new(rq->arena));
		return;
	}
	session_set_cookies(rq, &start);
	if (req_cookie(rq, session_cookie_name(rq, "sent")) != NULL)
		respond_cookie(rq, session_cookie_name(rq, "sent"), "", 0);
	respond_see_other(rq, account_home(kind));
}

static void
signup_form(struct req *rq, int status, struct view *view)
{
	form_fields(view, "email", "name", "client", NULL);
	respond_page(rq, status, "accounts/signup", view);
}

static void
answer_asked(struct req *rq, const struct address *address,
    struct signup_answer answer, bool again)
{
	int64_t	wait_s;

	switch (answer.result) {
	case SIGNUP_QUEUED:
		sent_remember(rq, address->text, again);
		respond_see_other(rq, "/signup/sent");
		return;
	case SIGNUP_ADDRESS_BUSY:
		wait_s = (answer.next_at - rq->now) / SECOND_US + 1;
		respond_header(rq, "retry-after", arena_fmt(rq->arena, "%lld",
		    (long long)(wait_s < 1 ? 1 : wait_s)));
		sent_page(rq, 429, address->text, false, answer.next_at);
		return;
	case SIGNUP_NETWORK_BUSY:
		account_page_wait(rq, "mails", answer.wait_s);
		return;
	}
}

static void
sent_remember(struct req *rq, const char *email, bool again)
{
	const char	*text = arena_fmt(rq->arena, "%s%s", again ? "2" : "1",
			    email);
	char		*value = arena_alloc(rq->arena, 2 * strlen(text) + 1);

	hex_encode(value, text, strlen(text));
	respond_cookie(rq, session_cookie_name(rq, "sent"), value,
	    SENT_COOKIE_S);
}

/* next_at 0: not too soon. */
static void
sent_page(struct req *rq, int status, const char *email, bool again,
    int64_t next_at)
{
	static const char	 maildir[] = "maildir:";
	struct view		*view = view_new(rq->arena);
	const char		*at;

	view_text(view, "email", email);
	view_bool(view, "is_resent", again);
	view_bool(view, "is_too_soon", next_at != 0);
	/* A minute is added since the words have no seconds: at that minute
	 * it is not too soon any more. */
	at = strrchr(clock_long(rq->arena, next_at + MINUTE_US), ',');
	view_text(view, "next_at", at == NULL ? "" : at + 2);
	view_bool(view, "is_development", !setting->production &&
	    str_starts(setting->smtp_url, maildir));
	view_text(view, "mail_folder",
	    str_starts(setting->smtp_url, maildir) ?
	    setting->smtp_url + strlen(maildir) : "");
	respond_page(rq, status, "accounts/signup_sent", view);
}

static void
verify_form(struct req *rq, int status, struct view *view,
    const struct signup *signup)
{
	view_text(view, "token", req_param(rq, "token"));
	view_text(view, "email", signup->email);
	view_bool(view, "is_staff_invite", signup->is_staff);
	form_fields(view, "name", "client", "password", NULL);
	respond_page(rq, status, "accounts/verify", view);
}

static void
verify_gone(struct req *rq, int status, struct view *view)
{
	if (status != 422)
		view_text(view, "email", "");
	form_fields(view, "email", NULL);
	respond_page(rq, status, "accounts/verify_gone", view);
}
