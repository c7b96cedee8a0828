/*
 * The page of a subscription's keys: what they are, who looked at them, and the
 * way through a rotation; and what regenerates, ends and revokes.
 */
#include "base/clock.h"
#include "crypto/token.h"
#include "keys/issued.h"
#include "keys/rotate.h"
#include "products/key_profile.h"
#include "sessions/session.h"
#include "tenants/tenant.h"
#include "vault/vault.h"
#include "web/respond.h"

static const char *const slots[] = { "primary", "secondary" };

/* The slot whose form was refused, and why. */
struct bad {
	const char	*slot, *wrong;
};

WAITS static void page_keys(struct req *, int status, struct view *,
		    const struct bad *);
static void	 show_slot(struct req *, struct view *, const char *id,
		    const char *slot, const struct subscription_values *,
		    const char *wrong);
static void	 show_value(struct req *, struct view *,
		    const struct subscription_value *);
static void	 show_looks(struct req *, struct view *,
		    const struct key_looks *);
static void	 show_guide(struct req *, struct view *,
		    const struct subscription_values *);
static const struct subscription_value *value_of(
		    const struct subscription_values *, const char *slot,
		    bool is_old);
WAITS static void regenerate(struct req *, const char *slot);
WAITS static void late(struct req *, const char *subscription_id);
WAITS static struct subscription *mine(struct req *);
static bool	 may_rotate(const struct session *);
static const char *here(struct req *);

void
rotate_page(struct req *rq)
{
	const struct session	*s = rq->session;
	const char		*id = req_param(rq, "id");
	struct issued_place	*place = NULL;

	/* Keys that are issued have a page of their own. */
	if (uuid_shaped(id) && s->tenant_id != NULL)
		place = issued_db_place(rq->db, s->account_id, id);
	if (place != NULL)
		issued_page(rq, place);
	else
		page_keys(rq, 200, view_new(rq->arena), NULL);
}

void
rotate_page_primary(struct req *rq)
{
	regenerate(rq, "primary");
}

void
rotate_page_secondary(struct req *rq)
{
	regenerate(rq, "secondary");
}

void
rotate_page_end(struct req *rq)
{
	struct subscription	*s = mine(rq);
	const char		*key = req_form(rq, "key");

	if (!may_rotate(rq->session))
		req_not_found(rq);
	if (!uuid_shaped(key))
		req_fail(rq, 422, "key_missing");
	switch (rotate_db_end(rq->db, rq->session->account_id, s->id, key)) {
	case ROTATE_DONE:
		respond_see_other(rq, arena_fmt(rq->arena, "%s?done=ended",
		    here(rq)));
		return;
	case ROTATE_AGAIN:
	case ROTATE_LATE:
		late(rq, s->id);
		return;
	case ROTATE_NONE:
		break;
	}
	req_not_found(rq);
}

void
rotate_page_revoke(struct req *rq)
{
	const char		*id = req_param(rq, "id");
	const char		*key = req_form(rq, "key");
	const char		*reason = req_form(rq, "reason"), *wrong;
	struct view		*v = view_new(rq->arena);
	struct subscription_values values;
	int64_t			 overlap_s = 0;
	int			 i;

	if (!uuid_shaped(id) || subscription_db_find(rq->db, id) == NULL)
		req_not_found(rq);
	wrong = rotate_overlap_wrong(req_form(rq, "overlap"),
	    req_form(rq, "until"), rq->now, &overlap_s);
	if (wrong != NULL)
		form_error(v, "key", wrong);
	if (str_blank(reason) || str_chars(reason) > SUBSCRIPTION_REASON_MAX)
		form_error(v, "key_reason", "Say why, in up to 1000 "
		    "characters. The contacts of the client read it.");
	values = subscription_db_values(rq->db, id);
	for (i = 0; i < values.n && !str_eq(values.list[i].id, key); i++)
		continue;
	if (!form_has_errors(v) && i < values.n &&
	    rotate_db_revoke(rq->db, vault, rq->session->account_id, key,
	    overlap_s, reason) == ROTATE_DONE) {
		respond_see_other(rq, arena_fmt(rq->arena,
		    "/staff/subscriptions/%s", id));
		return;
	}
	view_text(v, "typed_reason", reason);
	if (form_has_errors(v)) {
		subscription_page_staff(rq, 422, v);
		return;
	}
	form_error(v, "key", "This value is not there any more: somebody was "
	    "faster. Look again, then decide.");
	subscription_page_staff(rq, 409, v);
}

WAITS static void
page_keys(struct req *rq, int status, struct view *v, const struct bad *bad)
{
	const struct session		*s = rq->session;
	const char			*done = req_query(rq, "done");
	struct subscription		*sub = mine(rq);
	struct subscription_values	 values;
	struct subscription_changes	 changes;
	struct key_looks		 looks = { NULL, 0 };
	struct key_try			 try;
	struct key_profile		 pair;
	struct tenant_badge		 badge = tenant_key_badge(sub->state);
	bool				 may = may_rotate(s) && sub->is_live;
	size_t				 i;

	view_text(v, "id", sub->id);
	view_text(v, "name", sub->name);
	view_text(v, "product", sub->product);
	view_text(v, "client", sub->tenant_name);
	view_text(v, "tone", badge.tone);
	view_text(v, "icon", badge.icon);
	view_text(v, "state", badge.text);
	view_bool(v, "is_live", sub->is_live);
	view_text(v, "expires", sub->expires_at == 0 || !sub->is_live ? "" :
	    clock_long(rq->arena, sub->expires_at));
	view_bool(v, "may_rotate", may);
	view_bool(v, "can_cancel", sub->is_live && s->role == MEMBER_OWNER);
	view_bool(v, "is_ended", done != NULL && str_eq(done, "ended"));
	if (!view_has(v, "typed_until"))
		view_text(v, "typed_until", "");
	values = subscription_db_values(rq->db, sub->id);
	view_list(v, "slots");
	for (i = 0; i < COUNT(slots) && sub->is_live; i++)
		show_slot(rq, view_row(v, "slots"), sub->id, slots[i],
		    &values, bad != NULL && str_eq(bad->slot, slots[i]) ?
		    bad->wrong : "");
	show_guide(rq, v, &values);
	view_bool(v, "sees_looks", may_rotate(s));
	if (may_rotate(s))
		looks = rotate_db_looks(rq->db, sub->id);
	show_looks(rq, v, &looks);
	changes = subscription_db_changes(rq->db, sub->id);
	subscription_view_changes(rq, v, &changes);
	try = rotate_db_try(rq->db, sub->id);
	view_text(v, "base_url", try.base_url);
	pair = key_profile_db_pair(rq->db);
	key_profile_snippets(rq->arena, v, &pair, try.base_url);
	view_text(v, "example_path", try.example_path);
	view_bool(v, "needs_api_user", try.needs_api_user);
	view_text(v, "key_sample", values.n == 0 ? "$KEY" : arena_fmt(
	    rq->arena, "••••••••••••%s", values.list[0].last4));
	view_text(v, "api_user", arena_fmt(rq->arena, "FORTAPI@%s",
	    sub->tenant_code));
	form_fields(v, "primary", "secondary", "key", NULL);
	respond_page(rq, status, "keys/keys", v);
}

static void
show_slot(struct req *rq, struct view *v, const char *id, const char *slot,
    const struct subscription_values *values, const char *wrong)
{
	const struct subscription_value	*now = value_of(values, slot, false);
	const struct subscription_value	*old = value_of(values, slot, true);
	struct arena			*a = rq->arena;
	const char			*cookie = rq->session->cookie;

	view_text(v, "slot", slot);
	view_text(v, "label", str_eq(slot, "primary") ? "Primary" :
	    "Secondary");
	view_text(v, "slot_error", wrong);
	if (now == NULL) {
		view_bool(v, "has_value", false);
		view_bool(v, "has_old", false);
		return;
	}
	view_bool(v, "has_value", true);
	show_value(rq, v, now);
	view_text(v, "nonce", key_nonce_make(a, cookie, id, slot));
	view_text(v, "rotate_nonce", key_nonce_make(a, cookie, id,
	    rotate_context(a, slot, now->id)));
	view_bool(v, "has_old", old != NULL);
	if (old != NULL)
		show_value(rq, view_map(v, "old"), old);
}

static void
show_value(struct req *rq, struct view *v,
    const struct subscription_value *value)
{
	struct arena	*a = rq->arena;

	view_text(v, "key_id", value->id);
	view_text(v, "last4", value->last4);
	view_text(v, "made_at", clock_date(a, value->made_at));
	view_text(v, "made_ago", clock_ago(a, value->made_at, rq->now));
	view_text(v, "made_by", value->made_by);
	view_text(v, "ends_at", value->ends_at == 0 ? "" :
	    clock_long(a, value->ends_at));
	view_text(v, "ends_in", value->ends_at == 0 ? "" :
	    clock_span(a, value->ends_at - rq->now));
	view_text(v, "used_at", value->used_at == 0 ? "" :
	    clock_long(a, value->used_at));
	view_text(v, "used_ago", value->used_at == 0 ? "" :
	    clock_ago(a, value->used_at, rq->now));
	view_text(v, "used_address", value->used_address);
	/* Within a day: somebody still calls with it. */
	view_bool(v, "is_in_use", value->used_at != 0 &&
	    value->used_at > rq->now - DAY_US);
}

static void
show_looks(struct req *rq, struct view *v, const struct key_looks *looks)
{
	struct view	*row;
	int		 i;

	view_bool(v, "has_looks", looks->n > 0);
	view_list(v, "looks");
	for (i = 0; i < looks->n; i++) {
		row = view_row(v, "looks");
		view_text(row, "person", *looks->list[i].person == '\0' ?
		    "Somebody whose account is closed" :
		    looks->list[i].person);
		view_text(row, "which", looks->list[i].slot);
		view_text(row, "at", clock_long(rq->arena, looks->list[i].at));
		view_text(row, "iso", clock_iso(rq->arena, looks->list[i].at));
	}
}

/*
 * Where a rotation without an outage stands, from what was used last: while
 * calls with the primary key come, they have to move; then it can be
 * regenerated without anybody noticing; then they move back.
 */
static void
show_guide(struct req *rq, struct view *v,
    const struct subscription_values *values)
{
	const struct subscription_value	*one, *two;
	int64_t				 since = rq->now - DAY_US;
	bool				 one_used, two_used;

	one = value_of(values, "primary", false);
	two = value_of(values, "secondary", false);
	one_used = one != NULL && one->used_at > since;
	two_used = two != NULL && two->used_at > since;
	view_bool(v, "one_used", one_used);
	view_bool(v, "two_used", two_used);
	view_bool(v, "can_regenerate", !one_used && two_used);
}

static const struct subscription_value *
value_of(const struct subscription_values *values, const char *slot,
    bool is_old)
{
	int	i;

	for (i = 0; i < values->n; i++)
		if (str_eq(values->list[i].slot, slot) &&
		    values->list[i].is_old == is_old)
			return (&values->list[i]);
	return (NULL);
}

WAITS static void
regenerate(struct req *rq, const char *slot)
{
	const struct session	*session = rq->session;
	struct subscription	*s = mine(rq);
	const char		*nonce = req_form(rq, "nonce"), *wrong;
	const char		*key = req_form(rq, "key");
	struct key_revealed	 revealed;
	struct view		*v;
	int64_t			 overlap_s = 0;

	if (!may_rotate(session) || !s->is_live)
		req_not_found(rq);
	if (*nonce == '\0' || !uuid_shaped(key))
		req_fail(rq, 422, "nonce_missing");
	if (!key_nonce_valid(rq->arena, nonce, session->form_cookie, s->id,
	    rotate_context(rq->arena, slot, key))) {
		respond_see_other(rq, here(rq));
		return;
	}
	v = view_new(rq->arena);
	wrong = rotate_overlap_wrong(req_form(rq, "overlap"),
	    req_form(rq, "until"), rq->now, &overlap_s);
	if (wrong != NULL) {
		form_error(v, slot, wrong);
		view_text(v, "typed_until", req_form(rq, "until"));
		page_keys(rq, 422, v, &(struct bad){ slot, wrong });
		return;
	}
	switch (rotate_db_regenerate(rq->db, vault, session->account_id, s->id,
	    slot, key, overlap_s, nonce, &revealed)) {
	case ROTATE_DONE:
		key_page_shown(rq, s->id, &revealed, true, overlap_s == 0 ?
		    0 : rq->now + overlap_s * SECOND_US);
		return;
	case ROTATE_AGAIN:
		view_text(v, "slot", slot);
		view_text(v, "name", s->name);
		respond_page(rq, 200, "keys/shown_already", v);
		return;
	case ROTATE_LATE:
		late(rq, s->id);
		return;
	case ROTATE_NONE:
		break;
	}
	req_not_found(rq);
}

/* 409: what somebody else did in between, and the page as it is now. */
WAITS static void
late(struct req *rq, const char *subscription_id)
{
	struct subscription_changes	 changes;
	const struct subscription_change *last;
	struct view			*v = view_new(rq->arena);

	changes = subscription_db_changes(rq->db, subscription_id);
	if (changes.n > 0) {
		last = &changes.list[0];
		form_error(v, "key", arena_fmt(rq->arena, "%s %s %s. Nothing "
		    "was done twice.", *last->by == '\0' ? "The portal" :
		    last->by, subscription_did(rq->arena, last),
		    clock_ago(rq->arena, last->at, rq->now)));
	} else {
		form_error(v, "key", "The key has changed since you opened "
		    "this page. Look again.");
	}
	page_keys(rq, 409, v, NULL);
}

/* Of the client of who asks; else 404. */
WAITS static struct subscription *
mine(struct req *rq)
{
	const char		*id = req_param(rq, "id");
	const struct session	*session = rq->session;
	struct subscription	*s = NULL;

	if (uuid_shaped(id) && session->tenant_id != NULL)
		s = subscription_db_find(rq->db, id);
	if (s == NULL || !s->is_pair ||
	    !str_eq(s->tenant_id, session->tenant_id))
		req_not_found(rq);
	return (s);
}

static bool
may_rotate(const struct session *s)
{
	return (s->role == MEMBER_MANAGER || s->role == MEMBER_OWNER);
}

static const char *
here(struct req *rq)
{
	return (arena_fmt(rq->arena, "/subscriptions/%s", req_param(rq,
	    "id")));
}
