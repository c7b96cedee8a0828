/*
 * Typed overlaps: see rotate.h.
 */
#include "keys/rotate.h"

#include "base/clock.h"
#include "base/str.h"

const char *
rotate_overlap_wrong(const char *overlap, const char *until, int64_t now,
    int64_t *ret_seconds)
{
	int64_t	seconds = 0, at;

	if (str_eq(overlap, "until")) {
		if (!clock_parse(until, &at) ||
		    strlen(until) != strlen("2026-11-22T14:05"))
			return ("Write the time as in 2026-11-22T14:05, in "
			    "UTC.");
		seconds = (at - now) / SECOND_US;
		if (seconds <= 0)
			return ("This time has passed. Choose one that lies "
			    "ahead, or “now”.");
	} else if (*overlap != '\0' && !str_to_int(overlap, 0, INT32_MAX,
	    &seconds)) {
		return ("Choose how long the old value goes on.");
	}
	if (seconds > KEY_OVERLAP_MAX_S)
		return ("An old value goes on for 30 days at most.");
	*ret_seconds = seconds;
	return (NULL);
}

const char *
rotate_context(struct arena *a, const char *slot, const char *key_id)
{
	return (arena_fmt(a, "%s:regenerate:%s", slot, key_id));
}
