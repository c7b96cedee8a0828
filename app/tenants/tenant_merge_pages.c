/*
 * Admins merge two clients: first the other's code is asked for, then the page
 * says what would happen or what stands against it, then it is done.
 */
#include "tenants/tenant_merge.h"

#include "accounts/account.h"
#include "tenants/tenant_edit.h"
#include "web/respond.h"

WAITS static struct tenant_merge *look(struct req *, struct view *,
		    const struct tenant *, const char *typed);
static bool	 show_obstacles(struct req *, struct view *,
		    const struct tenant_merge *);
static void	 obstacle(struct view *, const char *title, const char *text);
static void	 respond(struct req *, int status, struct view *,
		    const struct tenant *, const struct tenant_merge *);

void
tenant_page_merge_form(struct req *rq)
{
	const char		*typed = req_query(rq, "into");
	struct view		*view = view_new(rq->arena);
	struct tenant		*t = tenant_page_find(rq, "/merge");
	struct tenant_merge	*m = NULL;

	if (t == NULL)
		return;
	typed = typed == NULL ? "" : str_squeeze(rq->arena, typed);
	if (*typed != '\0')
		m = look(rq, view, t, typed);
	view_text(view, "into", typed);
	view_text(view, "reason", "");
	respond(rq, form_has_errors(view) ? 422 : 200, view, t, m);
}

void
tenant_page_merge(struct req *rq)
{
	const char		*typed = req_form_line(rq, "into");
	const char		*reason = req_form(rq, "reason");
	struct view		*view = view_new(rq->arena);
	struct tenant		*t = tenant_page_find(rq, "/merge");
	struct tenant_merge	*m;
	int			 status = 422;

	if (t == NULL)
		return;
	m = look(rq, view, t, typed);
	if (str_blank(reason) || str_chars(reason) > TENANT_REASON_MAX)
		form_error(view, "reason", "Say why they are one, in up to "
		    "1000 characters. The owners of both read it.");
	if (m != NULL && !form_has_errors(view)) {
		switch (tenant_db_merge(rq->db, rq->session->account_id,
		    t->id, m->id, reason)) {
		case TENANT_MERGE_DONE:
			respond_see_other(rq, arena_fmt(rq->arena,
			    "/staff/tenants/%s", m->code));
			return;
		case TENANT_MERGE_KEYS:
		case TENANT_MERGE_REQUESTS:
		case TENANT_MERGE_USERS:
			/* Read again: the page says what stands against it. */
			m = look(rq, view, t, typed);
			break;
		case TENANT_MERGE_OTHER:
			form_error(view, "into", "Both have something of the "
			    "same name, for example a role of their API users. "
			    "Rename one of them, then merge again.");
			break;
		case TENANT_MERGE_NONE:
			form_error(view, "into", "Somebody changed one of these "
			    "clients at the same moment. Look at them, then "
			    "merge again.");
			break;
		}
		status = 409;
	}
	view_text(view, "into", typed);
	view_text(view, "reason", reason);
	respond(rq, status, view, t, m);
}

/* NULL, and a sentence at the field, when it can't be that one. */
WAITS static struct tenant_merge *
look(struct req *rq, struct view *view, const struct tenant *t,
    const char *typed)
{
	const char		*code = str_upper(rq->arena, typed);
	struct tenant_merge	*m = NULL;

	if (tenant_code_valid(code))
		m = tenant_db_merge_look(rq->db, t->id, code);
	if (m != NULL && !m->is_same && !m->is_closed)
		return (m);
	if (*typed == '\0')
		form_error(view, "into", "Type the code of the client that "
		    "stays, for example ALTWORX.");
	else if (m == NULL)
		form_error(view, "into", "No client has this code.");
	else if (m->is_same)
		form_error(view, "into", "That is this client. Type the code "
		    "of the other one.");
	else
		form_error(view, "into", arena_fmt(rq->arena, "%s is closed. "
		    "Reopen it first, or merge it into this one.", m->code));
	return (NULL);
}

/* True when something stands against it. */
static bool
show_obstacles(struct req *rq, struct view *view,
    const struct tenant_merge *m)
{
	view_list(view, "obstacles");
	if (m->both_keys)
		obstacle(view, "Both have a live key", "Ask the clients which "
		    "key goes on, and cancel the other’s subscription.");
	if (m->both_requests)
		obstacle(view, "Both wait for a decision", "Decide on the "
		    "request of one of them.");
	if (*m->both_users != '\0')
		obstacle(view, "API users of the same name", arena_fmt(
		    rq->arena, "Both have %s. Delete one of each name; its "
		    "integration gets a user of another name first.",
		    m->both_users));
	return (m->both_keys || m->both_requests || *m->both_users != '\0');
}

static void
obstacle(struct view *view, const char *title, const char *text)
{
	struct view	*row = view_row(view, "obstacles");

	view_text(row, "what", title);
	view_text(row, "todo", text);
}

static void
respond(struct req *rq, int status, struct view *view, const struct tenant *t,
    const struct tenant_merge *m)
{
	bool	is_stopped = false;

	view_text(view, "code", t->code);
	view_text(view, "name", t->name);
	view_bool(view, "is_chosen", m != NULL);
	view_list(view, "obstacles");
	if (m != NULL) {
		is_stopped = show_obstacles(rq, view, m);
		view_text(view, "into_code", m->code);
		view_text(view, "into_name", m->name);
		view_int(view, "contacts", m->contacts);
		view_int(view, "users", m->users);
		view_text(view, "key_name", m->key_name);
	}
	view_bool(view, "is_stopped", is_stopped);
	view_bool(view, "can_merge", m != NULL && !is_stopped);
	form_fields(view, "into", "reason", NULL);
	respond_page(rq, status, "tenants/merge", view);
}
