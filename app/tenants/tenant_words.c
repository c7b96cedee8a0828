/*
 * Words for what a client's page shows: states, roles, what was done.
 */
#include "tenants/tenant.h"

#include <assert.h>

struct tenant_badge
tenant_key_badge(const char *state)
{
	if (state == NULL)
		return ((struct tenant_badge){ "is-calm", "minus", "No key" });
	if (str_eq(state, "active"))
		return ((struct tenant_badge){ "is-good", "check-circle",
		    "Active" });
	if (str_eq(state, "suspended"))
		return ((struct tenant_badge){ "is-warn", "pause",
		    "Suspended" });
	if (str_eq(state, "expired"))
		return ((struct tenant_badge){ "is-calm", "clock", "Expired" });
	assert(str_eq(state, "cancelled"));
	return ((struct tenant_badge){ "is-calm", "ban", "Cancelled" });
}

struct tenant_badge
tenant_request_badge(const char *state)
{
	if (str_eq(state, "submitted"))
		return ((struct tenant_badge){ "is-info", "clock",
		    "Submitted" });
	if (str_eq(state, "approved"))
		return ((struct tenant_badge){ "is-good", "check-circle",
		    "Approved" });
	if (str_eq(state, "shared"))
		return ((struct tenant_badge){ "is-good", "share", "Shared" });
	if (str_eq(state, "rejected"))
		return ((struct tenant_badge){ "is-bad", "x-circle",
		    "Rejected" });
	assert(str_eq(state, "withdrawn"));
	return ((struct tenant_badge){ "is-calm", "ban", "Withdrawn" });
}

const char *
tenant_role_word(const char *role)
{
	if (str_eq(role, "owner"))
		return ("Owner");
	return (str_eq(role, "manager") ? "Manager" : "Member");
}

/* Where the action's own words would puzzle; all others are "key.shown". */
static const struct {
	const char	*action, *words;
} events[] = {
	{ "tenant.created", "Client made" },
	{ "tenant.imported", "Client imported" },
	{ "tenant.import_changed", "Client changed by an import" },
	{ "tenant.changed", "Client edited" },
	{ "tenant.limits", "Limits set" },
	{ "tenant.closed", "Client closed" },
	{ "tenant.reopened", "Client reopened" },
	{ "tenant.merged", "Merged into another client" },
	{ "tenant.absorbed", "Another client merged into this one" },
	{ "membership.created", "Let in" },
	{ "membership.changed", "Role changed" },
	{ "membership.removed", "Removed" },
	{ "membership.left", "Left" },
	{ "seat.planned", "Owner planned" },
	{ "seat.done", "Made owner" },
	{ "seat.cancelled", "Planned owner cancelled" },
	{ "seat.void", "Planned owner came to nothing" },
};

const char *
tenant_event_words(struct arena *a, const char *action)
{
	char	*words;
	size_t	 i;

	for (i = 0; i < COUNT(events); i++) {
		if (str_eq(events[i].action, action))
			return (events[i].words);
	}
	words = arena_strdup(a, action);
	for (i = 0; words[i] != '\0'; i++) {
		if (words[i] == '.' || words[i] == '_')
			words[i] = ' ';
	}
	if (words[0] >= 'a' && words[0] <= 'z')
		words[0] = (char)(words[0] - 'a' + 'A');
	if (str_starts(words, "Api "))
		words[1] = 'P', words[2] = 'I';
	return (words);
}

const char *
tenant_event_actor(const struct tenant_event *event)
{
	if (*event->person != '\0')
		return (event->person);
	if (str_eq(event->actor_kind, "system"))
		return ("The system");
	if (str_eq(event->actor_kind, "operator"))
		return ("An operator");
	if (str_eq(event->actor_kind, "visitor"))
		return ("A visitor");
	return ("Somebody whose account is closed");
}
