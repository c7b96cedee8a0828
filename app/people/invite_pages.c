/*
 * Behind the link of an invitation.  GET shows who asks and as what; only the
 * form's POST uses the link, since mail scanners follow links.
 */
#include "accounts/account.h"
#include "accounts/recovery.h"
#include "accounts/recovery_pages.h"
#include "base/clock.h"
#include "people/people.h"
#include "run/work.h"
#include "web/respond.h"

WAITS static bool find(struct req *, struct invite *);
static void	 show(struct req *, int status, struct view *,
		    const struct invite *);
static void	 gone(struct req *, int status);
WAITS static void create(struct req *, const struct invite *);

void
invite_page(struct req *rq)
{
	struct view	*view = view_new(rq->arena);
	struct invite	 invite;

	if (!find(rq, &invite)) {
		gone(rq, 410);
		return;
	}
	view_text(view, "name", "");
	show(rq, 200, view, &invite);
}

void
invite_page_accept(struct req *rq)
{
	struct view	*view = view_new(rq->arena);
	struct invite	 invite;

	if (!find(rq, &invite)) {
		gone(rq, 410);
		return;
	}
	switch (invite.state) {
	case INVITE_NEW:
		create(rq, &invite);
		return;
	case INVITE_JOIN:
		if (invite_db_join(rq->db, req_param(rq, "token"),
		    rq->session->account_id))
			respond_see_other(rq, "/profile");
		else
			gone(rq, 409);
		return;
	case INVITE_SIGN_IN:
	case INVITE_OTHER:
	case INVITE_SEATED:
		break;
	}
	/* The page says what is in the way. */
	view_text(view, "name", "");
	show(rq, 409, view, &invite);
}

WAITS static void
create(struct req *rq, const struct invite *invite)
{
	const char		*name = req_form_line(rq, "name"), *wrong;
	struct view		*view = view_new(rq->arena);
	struct password_job	*job;
	struct session_start	 start;

	job = password_page_job(rq, req_form(rq, "password"), name,
	    invite->email, invite->client);
	wrong = account_name_wrong(name);
	if (wrong != NULL)
		form_error(view, "name", wrong);
	/* Who holds a link has shown a mailbox: the kept slot is theirs. */
	if (!work_run(password_job_run, job, true))
		req_fail(rq, 503, "busy");
	if (job->verdict != PASSWORD_GOOD)
		form_error(view, "password", password_advice(job->verdict));
	if (form_has_errors(view)) {
		view_text(view, "name", name);
		show(rq, 422, view, invite);
		return;
	}
	if (!job->done)
		req_fail(rq, 503, "hash_memory");
	start = session_begin(rq);
	if (!invite_db_create(rq->db, req_param(rq, "token"), name, job->hash,
	    &start)) {
		gone(rq, 409);
		return;
	}
	session_set_cookies(rq, &start);
	respond_see_other(rq, "/profile");
}

WAITS static bool
find(struct req *rq, struct invite *ret_invite)
{
	return (invite_db_find(rq->db, req_param(rq, "token"),
	    rq->session == NULL ? NULL : rq->session->account_id, ret_invite));
}

static void
show(struct req *rq, int status, struct view *view,
    const struct invite *invite)
{
	view_text(view, "token", req_param(rq, "token"));
	view_text(view, "email", invite->email);
	view_text(view, "client", invite->client);
	view_text(view, "by", invite->by);
	view_text(view, "role", people_role_name(invite->role));
	view_bool(view, "is_owner", invite->role == MEMBER_OWNER);
	view_text(view, "until", clock_long(rq->arena, invite->until));
	view_bool(view, "is_new", invite->state == INVITE_NEW);
	view_bool(view, "is_join", invite->state == INVITE_JOIN);
	view_bool(view, "is_signin", invite->state == INVITE_SIGN_IN);
	view_bool(view, "is_other", invite->state == INVITE_OTHER);
	view_bool(view, "is_seated", invite->state == INVITE_SEATED);
	form_fields(view, "name", "password", NULL);
	respond_page(rq, status, "people/invite", view);
}

static void
gone(struct req *rq, int status)
{
	respond_page(rq, status, "people/invite_gone", view_new(rq->arena));
}
