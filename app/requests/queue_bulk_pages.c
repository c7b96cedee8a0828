/*
 * Several requests decided at once: each by a statement of its own, in the
 * order in which they stand in the form, and each with its result.  What needs
 * more than a yes (which client, which code, another's key) is left as it is,
 * with a link to its page.  Sent again it changes nothing: what is decided is
 * told as decided.
 */
#include "requests/queue.h"

#include "crypto/token.h"
#include "requests/reason.h"
#include "sessions/session.h"
#include "vault/vault.h"
#include "web/respond.h"

struct result {
	bool		 is_done;
	const char	*text;
};

static int	 chosen(struct req *, const char *ids[QUEUE_PAGE_ROWS]);
static const char *wrong(int n, const char *deed, const char *reason,
		    const char **ret_field);
WAITS static struct result approve(struct req *, const struct request *,
		    const char *reason);
WAITS static struct result reject(struct req *, const struct request *,
		    const char *reason);
WAITS static struct result late(struct req *, const char *id);
static const char *decided(struct req *, const struct request *);

void
queue_page_decide(struct req *rq)
{
	const char		*ids[QUEUE_PAGE_ROWS];
	const char		*deed = req_form(rq, "do");
	const char		*typed = req_form(rq, "reason");
	const char		*canned = req_form(rq, "canned");
	const char		*reason = typed, *field, *error;
	struct view		*v = view_new(rq->arena), *row;
	struct queue_filter	 f;
	struct result		 result;
	struct request		*r;
	int			 i, n = chosen(rq, ids), done = 0;

	/* Those that are often given are for rejecting. */
	if (str_eq(deed, "reject"))
		reason = reason_db_compose(rq->db, canned, typed);
	error = wrong(n, deed, reason, &field);
	if (error != NULL) {
		form_error(v, field, error);
		view_text(v, "reason", typed);
		reason_view(rq, v, canned);
		queue_page_respond(rq, 422, v, req_form);
		return;
	}
	reason = str_blank(reason) ? "" : reason;
	view_list(v, "rows");
	for (i = 0; i < n; i++) {
		r = request_db_find(rq->db, ids[i]);
		if (r == NULL)
			continue;
		if (r->state != REQUEST_SUBMITTED)
			result = (struct result){ false, decided(rq, r) };
		else if (str_eq(deed, "approve"))
			result = approve(rq, r, reason);
		else
			result = reject(rq, r, reason);
		done += result.is_done ? 1 : 0;
		row = view_row(v, "rows");
		view_text(row, "id", r->id);
		view_text(row, "request", r->name);
		view_text(row, "person", r->person);
		view_bool(row, "is_done", result.is_done);
		view_text(row, "text", result.text);
	}
	(void)queue_filter_read(rq->arena, rq, req_form, &f);
	view_bool(v, "is_approval", str_eq(deed, "approve"));
	view_int(v, "done", done);
	view_int(v, "left", n - done);
	view_text(v, "back", queue_filter_path(rq->arena, &f) +
	    strlen("/staff/queue"));
	respond_page(rq, 200, "requests/queue_results", v);
}

/* Each once, in order; at most a page of them. */
static int
chosen(struct req *rq, const char *ids[QUEUE_PAGE_ROWS])
{
	const char	*id;
	size_t		 i;
	int		 j, n = 0;

	for (i = 0; i < rq->form.n && n < QUEUE_PAGE_ROWS; i++) {
		id = rq->form.list[i].value;
		if (!str_eq(rq->form.list[i].name, "id") || !uuid_shaped(id))
			continue;
		id = str_lower(rq->arena, id);
		for (j = 0; j < n && !str_eq(ids[j], id); j++)
			continue;
		if (j == n)
			ids[n++] = id;
	}
	return (n);
}

/* NULL, or what is wrong with the form, and where. */
static const char *
wrong(int n, const char *deed, const char *reason, const char **ret_field)
{
	*ret_field = "reason";
	if (str_chars(reason) > REQUEST_REASON_MAX)
		return ("The reason may have up to 1000 characters, with the "
		    "one chosen. Shorten it.");
	if (str_eq(deed, "reject") && str_blank(reason))
		return ("Say why, by choosing or by writing. The contacts read it in the mail and in the "
		    "profile.");
	*ret_field = "rows";
	if (n == 0)
		return ("Tick the requests that you decide on.");
	if (!str_eq(deed, "approve") && !str_eq(deed, "reject"))
		return ("Choose whether to approve or to reject.");
	return (NULL);
}

/*
 * Into the client that the contact is of, or the only one of that name or
 * code.  A new client gets a code that never changes, so somebody looks at it.
 */
WAITS static struct result
approve(struct req *rq, const struct request *r, const char *reason)
{
	const struct request_candidate	*c = &r->candidates[0], *d = c + 1;
	struct request_decision		 decision = { r->id,
		rq->session->account_id, reason };
	struct request_tenant		 tenant = { NULL, "", "", false };

	if (r->candidates_n == 0 || !(c->is_own || c->by_name || c->by_code))
		return ((struct result){ false, "The client is not known: say "
		    "on its page which it is, or make a new one." });
	if (!c->is_own && r->candidates_n > 1 && (d->by_name || d->by_code))
		return ((struct result){ false, "More than one client has that "
		    "name or code: choose on its page." });
	if (!request_approvable(r))
		return ((struct result){ false, arena_fmt(rq->arena,
		    "%s has a key already: share it on its page.", c->code) });
	if (request_needs_reason(c) && *reason == '\0')
		return ((struct result){ false, arena_fmt(rq->arena,
		    "The mail domain is not on the list of %s: that needs a "
		    "reason.", c->code) });
	tenant.code = c->code;
	switch (request_db_approve(rq->db, vault, &decision, &tenant)) {
	case REQUEST_DECIDE_DONE:
		return ((struct result){ true, arena_fmt(rq->arena,
		    "Approved for %s; the contact is told by mail.",
		    c->code) });
	case REQUEST_DECIDE_HAS_KEY:
		return ((struct result){ false, arena_fmt(rq->arena,
		    "%s has a key already: share it on its page.", c->code) });
	case REQUEST_DECIDE_CLOSED:
		return ((struct result){ false, arena_fmt(rq->arena,
		    "%s was closed: no key for it can be issued.",
		    r->product) });
	case REQUEST_DECIDE_CODE:
	case REQUEST_DECIDE_SEATED:
	case REQUEST_DECIDE_NOT:
		break;
	}
	return (late(rq, r->id));
}

WAITS static struct result
reject(struct req *rq, const struct request *r, const char *reason)
{
	struct request_decision	decision = { r->id, rq->session->account_id,
		reason };

	if (request_db_reject(rq->db, &decision) == REQUEST_DECIDE_DONE)
		return ((struct result){ true,
		    "Rejected; the contact reads the reason in the mail." });
	return (late(rq, r->id));
}

/* The statement did nothing: why. */
WAITS static struct result
late(struct req *rq, const char *id)
{
	struct request	*r = request_db_find(rq->db, id);

	if (r != NULL && r->state != REQUEST_SUBMITTED)
		return ((struct result){ false, decided(rq, r) });
	return ((struct result){ false, "The request or the client has changed "
	    "meanwhile: look at its page." });
}

static const char *
decided(struct req *rq, const struct request *r)
{
	const char	*who = *r->decided_by == '\0' ? "Somebody" :
			    r->decided_by;
	const char	*what = "";

	switch (r->state) {
	case REQUEST_APPROVED:
		what = "approved it";
		break;
	case REQUEST_SHARED:
		what = "shared the existing key";
		break;
	case REQUEST_REJECTED:
		what = "rejected it";
		break;
	case REQUEST_WITHDRAWN:
		what = "withdrew it";
		break;
	case REQUEST_SUBMITTED:
		break;
	}
	return (arena_fmt(rq->arena, "%s was faster and %s.", who, what));
}
