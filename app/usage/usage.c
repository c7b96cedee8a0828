/*
 * Spans of time, and words for what became of calls.
 */
#include "usage/usage.h"

#include "base/str.h"

const struct usage_span	 usage_spans[4] = {
	{ "24h", "24 hours", "hour", 24 },
	{ "7d", "7 days", "day", 7 },
	{ "30d", "30 days", "day", 30 },
	{ "12m", "12 months", "month", 12 },
};

const struct usage_span *
usage_span(const char *word)
{
	size_t	 i;

	for (i = 0; word != NULL && i < COUNT(usage_spans); i++)
		if (str_eq(word, usage_spans[i].word))
			return (&usage_spans[i]);
	return (&usage_spans[2]);
}

const char *
usage_words(const char *outcome)
{
	static const struct {
		const char	*code, *words;
	} rows[] = {
		{ "allowed", "Allowed" },
		{ "missing_key", "No key was sent" },
		{ "unknown_key", "The key is not known" },
		{ "missing_api_user", "No API user was sent" },
		{ "bad_api_user", "Wrong API user or password" },
		{ "suspended", "The subscription was suspended" },
		{ "expired", "The subscription had expired" },
		{ "cancelled", "The subscription was cancelled" },
		{ "api_user_disabled", "The API user was disabled" },
		{ "missing_tenant", "The call did not name the client" },
		{ "wrong_tenant", "The call named another client" },
		{ "key_pending", "The key had not been fetched" },
		{ "key_inactive", "The key was deactivated" },
		{ "key_revoked", "The key was revoked" },
		{ "key_expired", "The key had expired" },
		{ "invalid_token", "Unknown token" },
		{ "token_expired", "The token had expired" },
		{ "not_permitted", "Not permitted for this API user or key" },
		{ "rate_limited", "Too many at once" },
		{ "quota_exceeded", "The quota was used up" },
		{ "wrong_environment", "Key of another environment" },
		{ "unavailable", "The portal could not check" },
	};
	size_t	 i;

	for (i = 0; i < COUNT(rows); i++)
		if (str_eq(outcome, rows[i].code))
			return (rows[i].words);
	return (outcome);
}
