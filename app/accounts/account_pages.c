/*
 * The account page, and the page that asks to wait.
 */
#include "accounts/account_pages.h"

#include "accounts/account.h"
#include "base/clock.h"
#include "web/respond.h"

void
account_page(struct req *rq)
{
	const struct session	*s = rq->session;
	struct view		*view = view_new(rq->arena);

	view_text(view, "client", s->tenant_name != NULL ? s->tenant_name :
	    s->client);
	view_text(view, "role", account_role(s->kind, s->role));
	view_text(view, "since", clock_date(rq->arena,
	    account_db_since(rq->db, s->account_id)));
	account_page_done(rq, view);
	respond_page(rq, 200, "accounts/account", view);
}

void
account_page_done(struct req *rq, struct view *view)
{
	static const char	*const done[][3] = {
		{ "reset", "Your password is set anew",
		    "All your sessions have ended. Sign in with the new "
		    "password." },
		{ "password", "Your password is changed",
		    "You stay signed in here; your sessions on other devices "
		    "have ended." },
		{ "closed", "Your account is closed",
		    "Your name and address are erased. A last mail tells you "
		    "of it." },
		{ "email-asked", "Look into your new mailbox",
		    "We wrote to the new address. Open the link there within "
		    "24 hours, in a browser where you are signed in." },
		{ "email", "Your e-mail address is changed",
		    "The address from before was told and can undo it for 7 "
		    "days." },
		{ "email-undone", "Your account has its old address again",
		    "All its sessions have ended. If you did not make the "
		    "change, choose a new password by “Password forgotten?” "
		    "below." },
	};
	const char		*word = req_query(rq, "done");
	struct view		*note;
	size_t			 i;

	view_bool(view, "done", false);
	for (i = 0; word != NULL && i < COUNT(done); i++) {
		if (!str_eq(word, done[i][0]))
			continue;
		note = view_map(view, "done");
		view_text(note, "title", done[i][1]);
		view_text(note, "text", done[i][2]);
	}
}

bool
account_page_try(struct req *rq, const struct tries *tries, const char *what)
{
	int64_t	wait_s = tries_db_begin(rq->db, tries);

	if (wait_s > 0)
		account_page_wait(rq, what, wait_s);
	return (wait_s <= 0);
}

void
account_page_wait(struct req *rq, const char *what, int64_t wait_s)
{
	struct view	*view = view_new(rq->arena);

	view_text(view, "what", what);
	view_text(view, "when", account_wait_words(rq->arena, wait_s));
	/* A minute is whole when it is over. */
	view_text(view, "at", clock_long(rq->arena,
	    rq->now + wait_s * SECOND_US + MINUTE_US - 1));
	view_bool(view, "by_mail", str_eq(what, "sign-ins"));
	respond_header(rq, "retry-after", arena_fmt(rq->arena, "%lld",
	    (long long)(wait_s < 1 ? 1 : wait_s)));
	respond_page(rq, 429, "errors/too_many", view);
}
