/*
 * Subscriptions for staff: the list, one with its history, and what may be done
 * to it; and the page on which an owner cancels it.
 */
#include "base/clock.h"
#include "base/str.h"
#include "crypto/token.h"
#include "sessions/session.h"
#include "subscriptions/change.h"
#include "tenants/tenant.h"
#include "web/respond.h"

static const struct filter {
	const char	*word, *label;
} filters[] = {
	[SUBSCRIPTION_ALL] = { "", "All" },
	[SUBSCRIPTION_ACTIVE] = { "active", "Active" },
	[SUBSCRIPTION_SUSPENDED] = { "suspended", "Suspended" },
	[SUBSCRIPTION_ENDING] = { "ending", "With an end" },
	[SUBSCRIPTION_EXPIRED] = { "expired", "Expired" },
	[SUBSCRIPTION_CANCELLED] = { "cancelled", "Cancelled" },
};

static void	 facts(struct req *, struct view *, const struct subscription *);
static const char *reason_wrong(const char *reason);
/* The reason, or, with its error added to the view, NULL. */
static const char *reason_typed(struct req *, struct view *,
		    const char *field);
WAITS static void answer(struct req *, enum subscription_result, struct view *);
WAITS static struct subscription *owned(struct req *);
WAITS static void give_up(struct req *, int status, struct view *,
		    const struct subscription *);
static const char *id_of(struct req *);

void
subscription_page_list(struct req *rq)
{
	const char		*word = req_query(rq, "state");
	const char		*after = req_query(rq, "after");
	struct view		*v = view_new(rq->arena), *row;
	enum subscription_filter filter = SUBSCRIPTION_ALL;
	struct subscription_list list;
	size_t			 n;
	int			 i;

	for (n = 0; n < COUNT(filters); n++)
		if (word != NULL && str_eq(word, filters[n].word))
			filter = (enum subscription_filter)n;
	view_list(v, "filters");
	for (n = 0; n < COUNT(filters); n++) {
		row = view_row(v, "filters");
		view_text(row, "word", filters[n].word);
		view_text(row, "label", filters[n].label);
		view_bool(row, "is_here", n == (size_t)filter);
	}
	list = subscription_db_list(rq->db, filter, after == NULL ? "" :
	    after);
	view_text(v, "state_word", filters[filter].word);
	view_bool(v, "is_all", filter == SUBSCRIPTION_ALL);
	view_bool(v, "is_first", after == NULL || *after == '\0');
	view_text(v, "next_after", list.next_after);
	view_bool(v, "has_rows", list.n > 0);
	view_list(v, "rows");
	for (i = 0; i < list.n; i++)
		facts(rq, view_row(v, "rows"), &list.list[i]);
	respond_page(rq, 200, "subscriptions/list", v);
}

void
subscription_page_show(struct req *rq)
{
	subscription_page_staff(rq, 200, view_new(rq->arena));
}

void
subscription_page_suspend(struct req *rq)
{
	struct view	*v = view_new(rq->arena);
	const char	*reason = reason_typed(rq, v, "suspend_reason");

	if (reason != NULL)
		answer(rq, subscription_db_suspend(rq->db,
		    rq->session->account_id, id_of(rq), reason), v);
	else
		subscription_page_staff(rq, 422, v);
}

void
subscription_page_reactivate(struct req *rq)
{
	struct view	*v = view_new(rq->arena);
	const char	*reason = reason_typed(rq, v, "reactivate_reason");

	if (reason != NULL)
		answer(rq, subscription_db_reactivate(rq->db,
		    rq->session->account_id, id_of(rq), reason), v);
	else
		subscription_page_staff(rq, 422, v);
}

void
subscription_page_cancel(struct req *rq)
{
	struct view	*v = view_new(rq->arena);
	const char	*reason = reason_typed(rq, v, "cancel_reason");

	if (reason != NULL)
		answer(rq, subscription_db_cancel(rq->db,
		    rq->session->account_id, id_of(rq), reason), v);
	else
		subscription_page_staff(rq, 422, v);
}

void
subscription_page_expiry(struct req *rq)
{
	struct view	*v = view_new(rq->arena);
	const char	*reason = reason_typed(rq, v, "expiry_reason");
	const char	*day = str_squeeze(rq->arena, req_form(rq, "day"));
	const char	*wrong = NULL;
	int64_t		 was = 0, expires_at = 0;

	view_text(v, "typed_day", day);
	if (*day != '\0')
		wrong = subscription_day_wrong(day, rq->now, &expires_at);
	if (wrong != NULL)
		form_error(v, "day", wrong);
	if (reason == NULL || wrong != NULL) {
		subscription_page_staff(rq, 422, v);
		return;
	}
	if (!str_to_int(req_form(rq, "was"), 0, INT64_C(1) << 52, &was))
		was = -1;		/* nobody's: it says so below */
	answer(rq, subscription_db_set_expiry(rq->db,
	    rq->session->account_id, id_of(rq), reason, was, expires_at), v);
}

void
subscription_page_give_up(struct req *rq)
{
	struct subscription	*s = owned(rq);

	give_up(rq, s->is_live ? 200 : 409, view_new(rq->arena), s);
}

void
subscription_page_give_up_done(struct req *rq)
{
	struct subscription	*s = owned(rq);
	struct view		*v = view_new(rq->arena);
	const char		*name = req_form(rq, "name");
	const char		*reason = req_form(rq, "reason");
	const char		*wrong = reason_wrong(reason);

	if (!s->is_live) {
		give_up(rq, 409, v, s);
		return;
	}
	if (!str_eq(str_squeeze(rq->arena, name), s->name))
		form_error(v, "name", arena_fmt(rq->arena, "Type the name as "
		    "it stands here: %s", s->name));
	if (wrong != NULL && !str_blank(reason))
		form_error(v, "reason", wrong);
	view_text(v, "typed_name", name);
	view_text(v, "typed_reason", reason);
	if (form_has_errors(v)) {
		give_up(rq, 422, v, s);
		return;
	}
	switch (subscription_db_give_up(rq->db, rq->session->account_id, s->id,
	    s->name, str_blank(reason) ? "" : reason)) {
	case SUBSCRIPTION_DONE:
		respond_see_other(rq, "/profile");
		return;
	case SUBSCRIPTION_NOT:
		break;
	}
	s = owned(rq);
	give_up(rq, 409, v, s);
}

WAITS void
subscription_page_staff(struct req *rq, int status, struct view *v)
{
	struct subscription		*s;
	struct subscription_values	 values;
	struct subscription_changes	 changes;

	s = subscription_db_find(rq->db, id_of(rq));
	if (s == NULL)
		req_not_found(rq);
	facts(rq, v, s);
	view_bool(v, "is_pair", s->is_pair);
	view_bool(v, "is_live", s->is_live);
	view_bool(v, "is_active", str_eq(s->state, "active"));
	view_bool(v, "is_suspended", str_eq(s->state, "suspended"));
	view_text(v, "was", arena_fmt(rq->arena, "%lld",
	    (long long)s->expires_at));
	if (!view_has(v, "typed_day"))
		view_text(v, "typed_day", s->expires_at == 0 ? "" :
		    clock_input_date(rq->arena, s->expires_at - 1));
	view_text(v, "first_day", clock_input_date(rq->arena, rq->now));
	values = subscription_db_values(rq->db, s->id);
	subscription_view_values(rq, v, &values);
	changes = subscription_db_changes(rq->db, s->id);
	subscription_view_changes(rq, v, &changes);
	form_fields(v, "suspend_reason", "reactivate_reason", "cancel_reason",
	    "expiry_reason", "day", "subscription", "key", "key_reason", NULL);
	if (!view_has(v, "typed_reason"))
		view_text(v, "typed_reason", "");
	respond_page(rq, status, "subscriptions/staff", v);
}

static void
facts(struct req *rq, struct view *v, const struct subscription *s)
{
	struct tenant_badge	 badge = tenant_key_badge(s->state);
	struct arena		*a = rq->arena;

	view_text(v, "id", s->id);
	view_text(v, "title", s->name);
	view_text(v, "product", s->product);
	view_text(v, "environment", s->environment);
	view_text(v, "code", s->tenant_code);
	view_text(v, "client", s->tenant_name);
	view_text(v, "tone", badge.tone);
	view_text(v, "icon", badge.icon);
	view_text(v, "state", badge.text);
	view_text(v, "since", clock_date(a, s->created_at));
	view_text(v, "approved_by", s->approved_by);
	view_text(v, "last4s", s->last4s);
	view_text(v, "expires", s->expires_at == 0 || !s->is_live ? "" :
	    clock_long(a, s->expires_at));
	view_text(v, "expires_in", s->expires_at == 0 || !s->is_live ? "" :
	    clock_span(a, s->expires_at - rq->now));
	view_text(v, "ended", s->ended_at == 0 || s->is_live ? "" :
	    clock_long(a, s->ended_at));
}

static const char *
reason_wrong(const char *reason)
{
	if (str_blank(reason))
		return ("Say why. The contacts of the client read it.");
	if (str_chars(reason) > SUBSCRIPTION_REASON_MAX)
		return ("The reason may have up to 1000 characters. Shorten "
		    "it.");
	return (NULL);
}

static const char *
reason_typed(struct req *rq, struct view *v, const char *field)
{
	const char	*reason = req_form(rq, "reason");
	const char	*wrong = reason_wrong(reason);

	view_text(v, "typed_reason", reason);
	if (wrong == NULL)
		return (reason);
	form_error(v, field, wrong);
	return (NULL);
}

/* Done, or 409 with the page as it is now. */
WAITS static void
answer(struct req *rq, enum subscription_result result, struct view *v)
{
	struct subscription_changes	 changes;
	const struct subscription_change *last;

	switch (result) {
	case SUBSCRIPTION_DONE:
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/subscriptions/%s", id_of(rq)));
		return;
	case SUBSCRIPTION_NOT:
		break;
	}
	changes = subscription_db_changes(rq->db, id_of(rq));
	if (changes.n > 0) {
		last = &changes.list[0];
		form_error(v, "subscription", arena_fmt(rq->arena, "%s %s %s. "
		    "Nothing was done twice: look again, then decide.",
		    *last->by == '\0' ? "The portal" : last->by,
		    subscription_did(rq->arena, last), clock_ago(rq->arena,
		    last->at, rq->now)));
	} else {
		form_error(v, "subscription", "It has changed since you "
		    "opened this page. Look again, then decide.");
	}
	subscription_page_staff(rq, 409, v);
}

/* Of the client that the session's account owns; else 404. */
WAITS static struct subscription *
owned(struct req *rq)
{
	const struct session	*session = rq->session;
	struct subscription	*s = NULL;

	if (session->tenant_id != NULL && session->role == MEMBER_OWNER)
		s = subscription_db_find(rq->db, id_of(rq));
	if (s == NULL || !str_eq(s->tenant_id, session->tenant_id))
		req_not_found(rq);
	return (s);
}

WAITS static void
give_up(struct req *rq, int status, struct view *v,
    const struct subscription *s)
{
	struct subscription_values	values;

	facts(rq, v, s);
	view_bool(v, "is_live", s->is_live);
	values = subscription_db_values(rq->db, s->id);
	subscription_view_values(rq, v, &values);
	form_fields(v, "name", "reason", NULL);
	if (!view_has(v, "typed_name")) {
		view_text(v, "typed_name", "");
		view_text(v, "typed_reason", "");
	}
	respond_page(rq, status, "subscriptions/cancel", v);
}

static const char *
id_of(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id))
		req_not_found(rq);
	return (id);
}
