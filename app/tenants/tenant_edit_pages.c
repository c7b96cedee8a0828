/*
 * Admins make a client, edit it, close and reopen it.
 */
#include "tenants/tenant_edit.h"

#include "accounts/account.h"
#include "web/respond.h"

WAITS static void	 show_form(struct req *, int status, struct view *,
			    const struct tenant *);
static const char	*taken_words(struct arena *,
			    const struct tenant_taken *);
static const char	*here(struct req *, const char *code);

void
tenant_page_new(struct req *rq)
{
	static const char *const names[] = { "code", "name", "slug", "hosts",
	    "domains", "designated", "notices_to", "notes" };
	struct view	*view = view_new(rq->arena);
	size_t		 i;

	for (i = 0; i < COUNT(names); i++)
		view_text(view, names[i], "");
	show_form(rq, 200, view, NULL);
}

void
tenant_page_make(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	struct tenant_change	 change;

	tenant_form_read(rq, view, true, &change);
	(void)tenant_page_taken(rq, view, NULL, &change);
	if (form_has_errors(view)) {
		show_form(rq, 422, view, NULL);
		return;
	}
	switch (tenant_db_make(rq->db, rq->session->account_id, &change)) {
	case TENANT_DONE:
		respond_see_other(rq, here(rq, change.code));
		return;
	case TENANT_TAKEN:
		if (!tenant_page_taken(rq, view, NULL, &change))
			form_error(view, "client", "Somebody made a client "
			    "like this at the same moment. Send it again.");
		show_form(rq, 409, view, NULL);
		return;
	case TENANT_NONE:
	case TENANT_STALE:
	case TENANT_HAS_KEY:
	case TENANT_HAS_REQUEST:
		break;
	}
	req_not_found(rq);
}

void
tenant_page_edit_form(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	struct tenant		*t = tenant_page_find(rq, "/edit");
	struct tenant_facts	*facts;

	if (t == NULL)
		return;
	facts = tenant_db_facts(rq->db, t->id);
	if (facts == NULL)
		req_not_found(rq);
	view_text(view, "name", t->name);
	view_text(view, "slug", t->slug);
	view_text(view, "hosts", facts->hosts);
	view_text(view, "domains", facts->domains);
	view_text(view, "designated", facts->designated);
	view_text(view, "notices_to", facts->notices_to);
	view_text(view, "notes", facts->notes);
	view_int(view, "version", facts->version);
	show_form(rq, 200, view, t);
}

void
tenant_page_edit(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	struct tenant		*t = tenant_page_find(rq, "/edit");
	struct tenant_change	 change;

	if (t == NULL)
		return;
	tenant_form_read(rq, view, false, &change);
	(void)tenant_page_taken(rq, view, t->id, &change);
	if (form_has_errors(view)) {
		view_int(view, "version", change.version);
		show_form(rq, 422, view, t);
		return;
	}
	switch (tenant_db_edit(rq->db, rq->session->account_id, t->id,
	    &change)) {
	case TENANT_DONE:
		respond_see_other(rq, here(rq, t->code));
		return;
	case TENANT_TAKEN:
		if (!tenant_page_taken(rq, view, t->id, &change))
			form_error(view, "client", "Somebody changed this "
			    "client at the same moment. Save it again.");
		show_form(rq, 409, view, t);
		return;
	case TENANT_STALE:
		form_error(view, "client", "Somebody changed this client since "
		    "you opened the form. Look at its page for what is new; "
		    "when you save now, what stands here holds.");
		show_form(rq, 409, view, t);
		return;
	case TENANT_NONE:
	case TENANT_HAS_KEY:
	case TENANT_HAS_REQUEST:
		break;
	}
	req_not_found(rq);
}

void
tenant_page_close(struct req *rq)
{
	const char	*reason = req_form(rq, "reason");
	struct view	*view = view_new(rq->arena);
	struct tenant	*t = tenant_page_find(rq, "");
	int		 status = 422;

	if (t == NULL)
		return;
	if (str_blank(reason) || str_chars(reason) > TENANT_REASON_MAX)
		form_error(view, "reason", "Say why, in up to 1000 characters. "
		    "The client’s owners read it.");
	if (!form_has_errors(view)) {
		switch (tenant_db_close(rq->db, rq->session->account_id, t->id,
		    reason)) {
		case TENANT_DONE:
			respond_see_other(rq, here(rq, t->code));
			return;
		case TENANT_HAS_KEY:
			form_error(view, "subscriptions", "The client has a "
			    "live key. Cancel its subscription first, then "
			    "close the client.");
			break;
		case TENANT_HAS_REQUEST:
			form_error(view, "requests", "A request of the client "
			    "waits for a decision. Decide on it first, then "
			    "close the client.");
			break;
		case TENANT_NONE:
		case TENANT_STALE:
		case TENANT_TAKEN:
			/* Closed already, or who asks is no admin any more. */
			respond_see_other(rq, here(rq, t->code));
			return;
		}
		status = 409;
	}
	view_text(view, "reason", reason);
	tenant_page_respond(rq, status, view, t->code);
}

void
tenant_page_reopen(struct req *rq)
{
	struct tenant	*t = tenant_page_find(rq, "");

	if (t == NULL)
		return;
	/* Twice is once. */
	(void)tenant_db_reopen(rq->db, rq->session->account_id, t->id);
	respond_see_other(rq, here(rq, t->code));
}

/* Of a client that is there, or, without one, of a new one. */
WAITS static void
show_form(struct req *rq, int status, struct view *view,
    const struct tenant *t)
{
	struct tenant_facts	*facts = NULL;

	view_bool(view, "is_new", t == NULL);
	view_text(view, "was", t == NULL ? "" : t->name);
	if (t != NULL) {
		view_text(view, "code", t->code);
		if (!view_has(view, "version"))
			facts = tenant_db_facts(rq->db, t->id);
	}
	if (!view_has(view, "version"))
		view_int(view, "version", facts == NULL ? 0 : facts->version);
	form_fields(view, "code", "name", "slug", "hosts", "domains",
	    "designated", "notices_to", "notes", "client", NULL);
	respond_page(rq, status, "tenants/edit", view);
}

WAITS bool
tenant_page_taken(struct req *rq, struct view *view, const char *id,
    const struct tenant_change *change)
{
	const struct tenant_takens takens = tenant_db_taken(rq->db, id,
					    change);
	const struct tenant_taken *one;
	const char		*field, *last = "";
	int			 i;

	for (i = 0; i < takens.n; i++) {
		one = &takens.list[i];
		field = str_eq(one->what, "host") ? "hosts" :
		    str_eq(one->what, "public") ? "domains" : one->what;
		/* One sentence a field. */
		if (!str_eq(field, last))
			form_error(view, field, taken_words(rq->arena, one));
		last = field;
	}
	return (takens.n > 0);
}

static const char *
taken_words(struct arena *a, const struct tenant_taken *one)
{
	if (str_eq(one->what, "public"))
		return (arena_fmt(a, "Anybody can have an address at %s, so "
		    "it can’t let people in. Leave it out.", one->value));
	if (str_eq(one->what, "host"))
		return (arena_fmt(a, "%s is a host of %s (%s). A host belongs "
		    "to one client.", one->value, one->name, one->code));
	if (str_eq(one->what, "slug"))
		return (arena_fmt(a, "%s is the short name of %s (%s). Choose "
		    "another.", one->value, one->name, one->code));
	if (one->is_former)
		return (arena_fmt(a, "%s is a former code of %s, which is %s "
		    "now. A code is given once.", one->value, one->name,
		    one->code));
	return (arena_fmt(a, "%s is the code of %s. A code is given once; "
	    "capital and small letters make no difference.", one->value,
	    one->name));
}

static const char *
here(struct req *rq, const char *code)
{
	return (arena_fmt(rq->arena, "/staff/tenants/%s", code));
}
