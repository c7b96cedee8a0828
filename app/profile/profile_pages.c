/*
 * GET /profile: see profile.h.
 */
#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "keys/key.h"
#include "products/product.h"
#include "profile/profile.h"
#include "requests/request.h"
#include "sessions/session.h"
#include "tenants/tenant.h"
#include "web/respond.h"

static void	show_subscription(struct req *, struct view *,
		    const struct profile_row *);
static void	show_key(struct req *, struct view *, const char *id,
		    const char *slot, const char *label, const char *last4,
		    int64_t made_at);
static void	show_request(struct req *, struct view *,
		    const struct profile_row *, const struct profile *);
static bool	can_ask_again(const struct profile *,
		    const struct profile_row *of);
static bool	is_live(const struct profile_row *);
static void	show_clock(struct req *, struct view *,
		    const struct profile_row *);
static const char *role_word(enum member_role);

void
profile_page(struct req *rq)
{
	const struct session		*s = rq->session;
	const struct profile_row	*row;
	struct profile			 profile;
	struct view			*v;
	bool				 has_open = false, has_live = false;
	int				 i;

	if (s->kind != ACCOUNT_CONTACT) {
		respond_see_other(rq, "/staff/queue");
		return;
	}
	v = view_new(rq->arena);
	profile = profile_db_read(rq->db, s);
	view_list(v, "subscriptions");
	view_list(v, "requests");
	for (i = 0; i < profile.n; i++) {
		row = &profile.list[i];
		switch (row->kind) {
		case PROFILE_SUBSCRIPTION:
			has_live = has_live || is_live(row);
			show_subscription(rq, view_row(v, "subscriptions"),
			    row);
			break;
		case PROFILE_REQUEST:
			has_open = has_open || row->decided_at == 0;
			show_request(rq, view_row(v, "requests"), row,
			    &profile);
			break;
		}
	}
	view_text(v, "client", s->tenant_name != NULL ? s->tenant_name :
	    s->client);
	view_int(v, "sla_hours", setting->sla_hours);
	view_bool(v, "is_empty", profile.n == 0);
	view_bool(v, "is_waiting", has_open && !has_live);
	respond_page(rq, 200, "profile/profile", v);
}

static void
show_subscription(struct req *rq, struct view *v,
    const struct profile_row *row)
{
	struct tenant_badge	 badge = tenant_key_badge(row->state);
	const struct session	*s = rq->session;

	view_text(v, "id", row->id);
	view_text(v, "name", row->name);
	view_text(v, "product", row->product);
	view_bool(v, "is_pair", row->is_pair);
	view_text(v, "menu", row->menu);
	view_bool(v, "is_active", str_eq(row->state, "active"));
	view_text(v, "state_tone", badge.tone);
	view_text(v, "state_icon", badge.icon);
	view_text(v, "state_text", badge.text);
	view_bool(v, "is_suspended", str_eq(row->state, "suspended"));
	view_text(v, "tenant_name", s->tenant_name);
	view_text(v, "tenant_code", s->tenant_code);
	view_text(v, "approved_at", clock_date(rq->arena, row->at));
	view_text(v, "approved_by", row->by);
	view_text(v, "role", role_word(s->role));
	view_text(v, "limits", product_limits(rq->arena, row->calls_a_minute,
	    row->calls_a_day, row->user_calls_a_minute));
	view_text(v, "expires", row->expires_at == 0 || !is_live(row) ? "" :
	    clock_long(rq->arena, row->expires_at));
	view_text(v, "expires_in", row->expires_at == 0 || !is_live(row) ? "" :
	    clock_span(rq->arena, row->expires_at - rq->now));
	view_text(v, "changed_at", row->why_at == 0 ? "" :
	    clock_long(rq->arena, row->why_at));
	view_text(v, "why", row->why);
	view_bool(v, "is_live", is_live(row));
	view_bool(v, "can_cancel", is_live(row) && s->role == MEMBER_OWNER);
	view_list(v, "keys");
	/* The keys of what has ended open nothing any more. */
	if (!is_live(row))
		return;
	show_key(rq, v, row->id, "primary", "Primary", row->primary_last4,
	    row->primary_at);
	show_key(rq, v, row->id, "secondary", "Secondary",
	    row->secondary_last4, row->secondary_at);
}

static void
show_key(struct req *rq, struct view *v, const char *id, const char *slot,
    const char *label, const char *last4, int64_t made_at)
{
	struct view	*row;

	if (last4 == NULL)
		return;
	row = view_row(v, "keys");
	view_text(row, "slot", slot);
	view_text(row, "label", label);
	view_text(row, "last4", last4);
	view_text(row, "made_at", clock_date(rq->arena, made_at));
	view_text(row, "nonce", key_nonce_make(rq->arena,
	    rq->session->cookie, id, slot));
}

static void
show_request(struct req *rq, struct view *v, const struct profile_row *row,
    const struct profile *all)
{
	struct arena	*a = rq->arena;
	bool		 is_open = str_eq(row->state, "submitted");
	bool		 is_withdrawn = str_eq(row->state, "withdrawn");
	bool		 is_rejected = str_eq(row->state, "rejected");

	view_text(v, "id", row->id);
	view_text(v, "name", row->name);
	view_text(v, "product", row->product);
	view_text(v, "slug", row->product_slug);
	view_bool(v, "is_submitted", is_open);
	view_bool(v, "is_rejected", is_rejected);
	view_bool(v, "is_withdrawn", is_withdrawn);
	view_bool(v, "is_approved", str_eq(row->state, "approved"));
	view_bool(v, "is_shared", str_eq(row->state, "shared"));
	view_text(v, "sent_at", clock_day(a, row->at));
	view_text(v, "sent_iso", clock_iso(a, row->at));
	view_text(v, "sent_ago", clock_ago(a, row->at, rq->now));
	view_bool(v, "is_waiting", is_open && row->waits_on_contact);
	view_bool(v, "can_open", row->is_own ||
	    rq->session->role == MEMBER_OWNER);
	if (is_open) {
		view_bool(v, "can_withdraw", row->is_own ||
		    rq->session->role == MEMBER_OWNER);
		show_clock(rq, v, row);
		return;
	}
	view_text(v, "decided_at", clock_day(a, row->decided_at));
	view_text(v, "decided_iso", clock_iso(a, row->decided_at));
	view_text(v, "decided_by", is_withdrawn ? "" : row->by);
	view_text(v, "reason", is_rejected ? row->reason : "");
	view_bool(v, "can_ask_again", can_ask_again(all, row));
}

/* Neither a key for the product nor an open request; said at the newest answer
 * alone. */
static bool
can_ask_again(const struct profile *all, const struct profile_row *of)
{
	const struct profile_row	*row;
	int				 i;

	for (i = 0; i < all->n; i++) {
		row = &all->list[i];
		if (row->kind == PROFILE_REQUEST && row->decided_at == 0)
			return (false);
		if (!str_eq(row->product_slug, of->product_slug))
			continue;
		if (row->kind == PROFILE_REQUEST ? row->at > of->at :
		    is_live(row))
			return (false);
	}
	return (true);
}

static bool
is_live(const struct profile_row *row)
{
	return (str_eq(row->state, "active") ||
	    str_eq(row->state, "suspended"));
}

static void
show_clock(struct req *rq, struct view *v, const struct profile_row *row)
{
	struct arena	*a = rq->arena;
	int64_t		 left = clock_left(row->due_at, rq->now);
	int64_t		 hours = left / HOUR_US;
	bool		 is_late = left < 0;

	view_text(v, "due_at", clock_day(a, row->due_at));
	view_text(v, "due_iso", clock_iso(a, row->due_at));
	view_bool(v, "is_late", is_late);
	view_text(v, "left_text", clock_span(a, is_late ? -left : left));
	view_text(v, "ring_text", is_late ? "late" : hours > 0 ?
	    arena_fmt(a, "%lld h", (long long)hours) :
	    arena_fmt(a, "%lld min", (long long)(left / MINUTE_US)));
	view_text(v, "ring_tone", is_late ? "is-bad" :
	    left < REQUEST_WARN_US ? "is-warn" : "is-info");
	/* A ring of sla_hours; late, all of it. */
	view_int(v, "ring_hours", is_late || hours > setting->sla_hours ?
	    setting->sla_hours : hours);
}

static const char *
role_word(enum member_role role)
{
	switch (role) {
	case MEMBER_OWNER:
		return ("Owner");
	case MEMBER_MANAGER:
		return ("Manager");
	case MEMBER_MEMBER:
		return ("Member");
	case MEMBER_NONE:
		break;
	}
	return ("");
}
