/*
 * What was done, in words; typed days; keys and history as views.
 */
#include "subscriptions/change.h"

#include "base/clock.h"
#include "base/str.h"
#include "web/respond.h"

static const struct did {
	const char	*what, *words;	/* %s: the slot */
	const char	*tone, *icon;
} dids[] = {
	{ "imported", "imported it", "is-calm", "download" },
	{ "suspended", "suspended it", "is-warn", "pause" },
	{ "reactivated", "made it active again", "is-good", "check-circle" },
	{ "cancelled", "cancelled it", "is-bad", "ban" },
	{ "expired", "ended it when its time had come", "is-calm", "clock" },
	{ "expiry", "set when it ends", "is-info", "clock" },
	{ "key_regenerated", "regenerated the %s key", "is-info", "refresh" },
	{ "key_revoked", "revoked a value of the %s key", "is-bad", "ban" },
	{ "overlap_ended", "ended the old value of the %s key", "is-calm",
	    "x" },
};

static const struct did *did_find(const char *what);

const char *
subscription_day_wrong(const char *typed, int64_t now,
    int64_t *ret_expires_at)
{
	int64_t	at;

	if (strlen(typed) != strlen("2026-11-22") || !clock_parse(typed, &at))
		return ("Write the day as year, month, day, for example "
		    "2027-03-31.");
	at += DAY_US;
	if (at <= now)
		return ("This day has passed. To end it now, cancel it.");
	if (at > now + SUBSCRIPTION_EXPIRY_MAX_DAYS * DAY_US)
		return ("An end lies at most ten years ahead.");
	*ret_expires_at = at;
	return (NULL);
}

const char *
subscription_did(struct arena *a, const struct subscription_change *change)
{
	const struct did	*did = did_find(change->what);
	const char		*mark;

	if (did == NULL)
		return ("changed it");
	if (str_eq(did->what, "expiry") && change->expires_at == 0)
		return ("took its end away");
	mark = strstr(did->words, "%s");
	if (mark == NULL)
		return (did->words);
	return (arena_fmt(a, "%.*s%s%s", (int)(mark - did->words), did->words,
	    change->slot, mark + 2));
}

void
subscription_view_values(struct req *rq, struct view *v,
    const struct subscription_values *values)
{
	const struct subscription_value	*value;
	struct arena			*a = rq->arena;
	struct view			*row;
	int				 i;

	view_bool(v, "has_values", values->n > 0);
	view_list(v, "values");
	for (i = 0; i < values->n; i++) {
		value = &values->list[i];
		row = view_row(v, "values");
		view_text(row, "key_id", value->id);
		view_text(row, "slot", value->slot);
		view_text(row, "label", str_eq(value->slot, "primary") ?
		    "Primary" : "Secondary");
		view_text(row, "last4", value->last4);
		view_bool(row, "is_old", value->is_old);
		view_text(row, "made_at", clock_date(a, value->made_at));
		view_text(row, "made_ago", clock_ago(a, value->made_at,
		    rq->now));
		view_text(row, "made_by", value->made_by);
		view_text(row, "ends_at", value->ends_at == 0 ? "" :
		    clock_long(a, value->ends_at));
		view_text(row, "ends_in", value->ends_at == 0 ? "" :
		    clock_span(a, value->ends_at - rq->now));
		view_text(row, "used_at", value->used_at == 0 ? "" :
		    clock_long(a, value->used_at));
		view_text(row, "used_ago", value->used_at == 0 ? "" :
		    clock_ago(a, value->used_at, rq->now));
		view_text(row, "used_address", value->used_address);
	}
}

void
subscription_view_changes(struct req *rq, struct view *v,
    const struct subscription_changes *changes)
{
	const struct subscription_change	*change;
	const struct did			*did;
	struct view				*row;
	int					 i;

	view_bool(v, "has_changes", changes->n > 0);
	view_list(v, "changes");
	for (i = 0; i < changes->n; i++) {
		change = &changes->list[i];
		did = did_find(change->what);
		row = view_row(v, "changes");
		view_text(row, "by", *change->by == '\0' ? "The portal" :
		    change->by);
		view_text(row, "did", subscription_did(rq->arena, change));
		view_text(row, "change_tone", did == NULL ? "is-calm" :
		    did->tone);
		view_text(row, "change_icon", did == NULL ? "info" :
		    did->icon);
		view_text(row, "at", clock_long(rq->arena, change->at));
		view_text(row, "iso", clock_iso(rq->arena, change->at));
		view_text(row, "until", change->expires_at == 0 ||
		    !str_eq(change->what, "expiry") ? "" :
		    clock_long(rq->arena, change->expires_at));
		view_text(row, "reason", change->reason);
	}
}

static const struct did *
did_find(const char *what)
{
	size_t	i;

	for (i = 0; i < COUNT(dids); i++)
		if (str_eq(dids[i].what, what))
			return (&dids[i]);
	return (NULL);
}
