/*
 * What is written down about an API user: the form that changes it.
 */
#include "apiusers/apiuser.h"
#include "base/clock.h"
#include "base/str.h"
#include "sessions/session.h"
#include "web/respond.h"

WAITS static void show(struct req *, bool is_mine);
WAITS static void edit(struct req *, bool is_mine);
static void show_form(struct req *, int status, struct view *,
    const struct api_user *, bool is_mine);
static void show_stored(struct req *, struct view *, const struct api_user *);
static void show_typed(struct req *, struct view *);

void
api_user_page_details(struct req *rq)
{
	show(rq, true);
}

void
api_user_page_edit(struct req *rq)
{
	edit(rq, true);
}

void
api_user_page_staff_details(struct req *rq)
{
	show(rq, false);
}

void
api_user_page_staff_edit(struct req *rq)
{
	edit(rq, false);
}

WAITS static void
show(struct req *rq, bool is_mine)
{
	const struct api_user *user = api_page_find(rq, is_mine);
	struct view *view = view_new(rq->arena);

	show_stored(rq, view, user);
	show_form(rq, 200, view, user, is_mine);
}

WAITS static void
edit(struct req *rq, bool is_mine)
{
	const struct api_user *user = api_page_find(rq, is_mine);
	struct view *view = view_new(rq->arena);
	struct api_user_form form = { .id = user->id };
	int64_t version = 0;

	api_page_read_details(rq, view, user->expires_at, &form);
	if (!str_to_int(req_form(rq, "version"), 1, INT32_MAX, &version))
		form_error(view, "changed",
		    "The form was not whole. Look at the details and save "
		    "them once more.");
	if (form_has_errors(view)) {
		show_typed(rq, view);
		show_form(rq, 422, view, user, is_mine);
		return;
	}
	switch (api_user_db_edit(rq->db, rq->session->account_id, user->id,
	    version, &form)) {
	case API_CHANGED:
		respond_see_other(rq,
		    arena_fmt(rq->arena, "/%sapi-users/%s?done=edited",
			is_mine ? "" : "staff/", user->id));
		return;
	case API_CHANGE_FASTER:
		break;
	case API_CHANGE_NONE:
	case API_CHANGE_AGAIN:
	case API_CHANGE_STAFF:
	case API_CHANGE_ROLES:
		req_not_found(rq);
	}
	/* As it is now. */
	user = api_page_find(rq, is_mine);
	form_error(view, "changed",
	    "Somebody else changed this user just now. This is how it is now; "
	    "nothing of yours was saved.");
	show_stored(rq, view, user);
	show_form(rq, 409, view, user, is_mine);
}

static void
show_form(struct req *rq, int status, struct view *view,
    const struct api_user *user, bool is_mine)
{
	view_bool(view, "is_mine", is_mine);
	view_text(view, "id", user->id);
	view_text(view, "username", user->username);
	view_text(view, "code", user->code);
	view_text(view, "client", user->client);
	view_int(view, "version", user->version);
	view_text(view, "today",
	    arena_strndup(rq->arena, clock_iso(rq->arena, rq->now), 10));
	form_fields(view, "vendor", "integration", "contact_name",
	    "contact_email", "note", "expires", "changed", NULL);
	respond_page(rq, status, "apiusers/edit", view);
}

static void
show_stored(struct req *rq, struct view *view, const struct api_user *user)
{
	view_text(view, "vendor", user->vendor);
	view_text(view, "integration", user->integration);
	view_text(view, "contact_name", user->contact_name);
	view_text(view, "contact_email", user->contact_email);
	view_text(view, "note", user->note);
	view_text(view, "expires",
	    api_page_last_day(rq->arena, user->expires_at));
}

static void
show_typed(struct req *rq, struct view *view)
{
	static const char *const fields[] = { "vendor", "integration",
		"contact_name", "contact_email", "note", "expires" };
	size_t i;

	for (i = 0; i < COUNT(fields); i++)
		view_text(view, fields[i], req_form(rq, fields[i]));
}
