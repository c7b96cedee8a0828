/*
 * Views of issued keys: see issued_view.h.
 */
#include "keys/issued_view.h"

#include "base/clock.h"
#include "base/str.h"
#include "sessions/session.h"
#include "tenants/tenant.h"
#include "web/respond.h"

static const struct badge {
	const char	*state, *label, *tone, *icon;
} badges[] = {
	{ "active", "Active", "is-good", "check-circle" },
	{ "inactive", "Deactivated", "is-warn", "pause" },
	{ "pending", "Not fetched yet", "is-info", "clock" },
	{ "expired", "Expired", "is-calm", "clock" },
	{ "revoked", "REVOKED", "is-bad", "ban" },
	{ "deleted", "Deleted", "is-calm", "x" },
};
static const struct done {
	const char	*word, *title, *text;
} dones[] = {
	{ "changed", "Saved", "It counts from the next call on." },
	{ "ended", "The old value has ended", "Calls with it are refused from "
	    "now on. The current value goes on." },
	{ "deactivate", "Deactivated", "Calls with it are refused until it is "
	    "activated again. The key stays the same." },
	{ "activate", "Active again", "Calls with it pass from now on." },
	{ "revoke", "Revoked", "It can authenticate no request any more. It "
	    "stays in the list, labelled REVOKED." },
	{ "delete", "Deleted", "It is gone for good, and calls with it are "
	    "refused." },
};

static const char *overlap_words(struct arena *, int64_t seconds);

void
issued_view_place(struct req *rq, struct view *v,
    const struct issued_place *p)
{
	struct tenant_badge	 badge = tenant_key_badge(p->state);
	const char		*at = p->menu;
	size_t			 n;

	view_text(v, "subscription_id", p->subscription_id);
	view_text(v, "subscription", p->subscription);
	view_text(v, "product", p->product);
	view_text(v, "client", p->client);
	view_text(v, "tenant_slug", p->tenant_slug);
	environment_view(rq, v, p->environment);
	view_text(v, "state_tone", badge.tone);
	view_text(v, "state_icon", badge.icon);
	view_text(v, "state_text", badge.text);
	view_bool(v, "is_live", p->is_live);
	view_text(v, "summary", p->summary);
	view_list(v, "menu");
	for (;; at += n + 1) {
		n = strcspn(at, "\n");
		if (at[n] == '\0')
			break;
		view_row_text(v, "menu", arena_strndup(rq->arena, at, n));
	}
	view_text(v, "menu_last", at);
	view_bool(v, "may_make", p->may_make && p->is_live);
	view_bool(v, "is_full", p->living >= ISSUED_LIVING_MAX);
	view_bool(v, "for_granted", str_eq(p->makers, "granted"));
	view_bool(v, "for_administrators", str_eq(p->makers,
	    "administrators"));
	view_bool(v, "for_staff", str_eq(p->makers, "staff"));
	view_bool(v, "picks", str_eq(p->scopes, "picked"));
	view_bool(v, "carries_maker", str_eq(p->scopes, "maker"));
	view_bool(v, "within_maker", p->within_maker);
	view_bool(v, "sees_all", p->sees_all);
	view_bool(v, "can_expire", p->can_expire);
	view_bool(v, "can_pause", p->can_pause);
	view_bool(v, "can_revoke", p->can_revoke);
	view_bool(v, "can_delete", p->can_delete);
	view_int(v, "shows_first", p->shows_first);
	view_int(v, "calls_a_minute", p->calls_a_minute);
	view_bool(v, "has_limit", p->calls_a_minute > 0);
	view_text(v, "key_header", p->key_header);
	view_text(v, "tenant_header", p->tenant_header);
	view_bool(v, "tenant_by_slug", str_eq(p->tenant_by, "slug"));
	view_text(v, "base_url", p->base_url);
	view_text(v, "example_path", p->example_path);
	view_text(v, "first_day", clock_input_date(rq->arena, rq->now));
	view_bool(v, "is_done", false);
	form_fields(v, "name", "scopes", "expires", "key", NULL);
}

void
issued_view_done(struct req *rq, struct view *v)
{
	const char	*done = req_query(rq, "done");
	size_t		 i;

	view_text(v, "done_title", "");
	view_text(v, "done_text", "");
	for (i = 0; done != NULL && i < COUNT(dones); i++) {
		if (!str_eq(done, dones[i].word))
			continue;
		view_bool(v, "is_done", true);
		view_text(v, "done_title", dones[i].title);
		view_text(v, "done_text", dones[i].text);
	}
}

void
issued_view_key(struct req *rq, struct view *v, const struct issued_place *p,
    const struct issued_key *k)
{
	const struct badge	*badge = &badges[0];
	struct arena		*a = rq->arena;
	size_t			 i;
	bool			 lives;

	for (i = 0; i < COUNT(badges); i++)
		if (str_eq(badges[i].state, k->state))
			badge = &badges[i];
	lives = !str_eq(k->state, "revoked") && !str_eq(k->state, "deleted");
	view_text(v, "key_id", k->id);
	view_text(v, "label", k->name);
	view_text(v, "tone", badge->tone);
	view_text(v, "icon", badge->icon);
	view_text(v, "state", badge->label);
	view_text(v, "shown", *k->last4 == '\0' ? "" : arena_fmt(a, "%s…%s",
	    k->first, k->last4));
	view_text(v, "value_id", k->value_id);
	view_text(v, "old_id", k->old_id);
	view_text(v, "old_last4", k->old_last4);
	view_text(v, "old_until", k->old_ends_at == 0 ? "" : clock_long(a,
	    k->old_ends_at));
	view_text(v, "maker", *k->maker == '\0' ?
	    "Somebody whose account is closed" : k->maker);
	view_text(v, "may", k->scopes);
	view_text(v, "made", clock_date(a, k->made_at));
	view_text(v, "ends", k->expires_at == 0 ? "" : clock_date(a,
	    k->expires_at - 1));
	view_text(v, "used", k->used_at == 0 ? "" : clock_ago(a, k->used_at,
	    rq->now));
	view_text(v, "address", k->address);
	view_text(v, "state_by", lives && !str_eq(k->state, "inactive") ? "" :
	    k->state_by);
	view_text(v, "reason", k->state_reason);
	view_bool(v, "is_own", k->is_own);
	/* What its maker may no more, the key may no more either. */
	view_bool(v, "maker_gone", lives && k->maker_gone);
	view_bool(v, "stops_with_maker", p->within_maker);
	view_bool(v, "maker_lost", lives && k->maker_lost);
	view_bool(v, "lives", lives);
	view_bool(v, "can_deactivate", p->can_pause && str_eq(k->state,
	    "active"));
	view_bool(v, "can_activate", p->can_pause && k->may_activate &&
	    p->is_live && str_eq(k->state, "inactive"));
	view_bool(v, "can_revoke", p->can_revoke && lives);
	view_bool(v, "can_delete", p->can_delete && lives);
}

void
issued_view_keys(struct req *rq, struct view *v, const struct issued_place *p,
    const struct issued_keys *keys)
{
	int	i;

	view_bool(v, "has_keys", keys->n > 0);
	view_text(v, "next_after", keys->next_after);
	view_list(v, "keys");
	for (i = 0; i < keys->n; i++)
		issued_view_key(rq, view_row(v, "keys"), p, &keys->list[i]);
}

void
issued_view_scopes(struct req *rq, struct view *v,
    const struct issued_scopes *scopes, bool is_typed)
{
	const struct issued_scope	*scope;
	struct view			*row;
	bool				 picked;
	int				 i, offered = 0, n = 0;
	size_t				 j;

	view_list(v, "choices");
	for (i = 0; i < scopes->n; i++) {
		scope = &scopes->list[i];
		if (!scope->may)
			continue;
		picked = !is_typed && scope->is_picked;
		for (j = 0; is_typed && j < rq->form.n; j++)
			picked = picked || (str_eq(rq->form.list[j].name,
			    "scope") && str_eq(rq->form.list[j].value,
			    scope->word));
		row = view_row(v, "choices");
		view_int(row, "number", offered++);
		view_text(row, "word", scope->word);
		view_text(row, "description", scope->description);
		view_bool(row, "is_picked", picked);
		n += picked ? 1 : 0;
	}
	view_bool(v, "has_choices", offered > 0);
	view_bool(v, "has_more_scopes", offered < scopes->n);
	view_bool(v, "picks_all", offered > 1 && n == offered);
}

void
issued_view_overlaps(struct req *rq, struct view *v,
    const struct issued_place *p)
{
	const char	*at = p->overlaps;
	struct view	*row;
	int64_t		 seconds;
	size_t		 n;

	view_list(v, "overlaps");
	for (; *at != '\0'; at += n + (at[n] == ',')) {
		n = strcspn(at, ",");
		if (!str_to_int(arena_strndup(rq->arena, at, n), 0, INT32_MAX,
		    &seconds))
			continue;
		row = view_row(v, "overlaps");
		view_int(row, "seconds", seconds);
		view_text(row, "words", overlap_words(rq->arena, seconds));
		view_bool(row, "is_none", seconds == 0);
	}
}

void
environment_view(struct req *rq, struct view *v, const char *environment)
{
	bool	live = str_eq(environment, "live");
	char	*word = arena_strdup(rq->arena, environment);

	if (*word >= 'a' && *word <= 'z')
		*word = (char)(*word - 'a' + 'A');
	view_text(v, "environment", word);
	view_text(v, "environment_tone", live ? "is-good" : "is-info");
	view_text(v, "environment_icon", live ? "dot" : "code");
}

bool
issued_overlap_parse(const struct issued_place *p, const char *typed,
    int64_t *ret_seconds)
{
	const char	*at = p->overlaps;
	size_t		 n;

	for (; *at != '\0'; at += n + (at[n] == ',')) {
		n = strcspn(at, ",");
		if (strlen(typed) == n && strncmp(at, typed, n) == 0)
			return (str_to_int(typed, 0, INT32_MAX, ret_seconds));
	}
	return (false);
}

static const char *
overlap_words(struct arena *a, int64_t seconds)
{
	if (seconds == 0)
		return ("Not at all: it stops now");
	return (seconds % 3600 == 0 ? arena_fmt(a, "%lld hours",
	    (long long)(seconds / 3600)) : arena_fmt(a, "%lld seconds",
	    (long long)seconds));
}
