/*
 * The names of scopes: see scope.h.
 */
#include "web/scope.h"

#include "base/str.h"

const struct scope_words scope_words[SCOPES_MAX] = {
	{ SCOPE_READ, "read", "Read: your company, products, requests, keys "
	    "by their last 4 characters, API users", true, false, false },
	{ SCOPE_REQUESTS_WRITE, "requests:write", "Ask for a subscription, "
	    "and withdraw a request", true, false, false },
	{ SCOPE_KEYS_REVEAL, "keys:reveal", "Show keys", true, false, true },
	{ SCOPE_KEYS_ROTATE, "keys:rotate", "Regenerate keys, which shows the "
	    "new ones, and end overlaps", true, false, true },
	{ SCOPE_API_USERS_WRITE, "api-users:write", "Enable, disable and "
	    "delete API users, and change what they may do", true, false,
	    true },
	{ SCOPE_API_USERS_SECRET, "api-users:secret", "Make API users, give "
	    "them new passwords, and hand them over", true, false, true },
	{ SCOPE_QUEUE_READ, "queue:read", "Read the queue and requests",
	    false, false, false },
	{ SCOPE_QUEUE_DECIDE, "queue:decide", "Decide on requests, and ask "
	    "back", false, false, true },
	{ SCOPE_TENANTS_READ, "tenants:read", "Read clients and their "
	    "subscriptions", false, false, false },
	{ SCOPE_TENANTS_WRITE, "tenants:write", "Make clients", false, true,
	    true },
	{ SCOPE_KEYS_FIND, "keys:find", "Find whose a key is", false, false,
	    false },
	{ SCOPE_KEYS_REVOKE, "keys:revoke", "Revoke keys", false, false,
	    true },
	{ SCOPE_AUDIT_READ, "audit:read", "Read the audit", false, false,
	    false },
};

unsigned
scope_parse(const char *name)
{
	size_t	i;

	for (i = 0; i < COUNT(scope_words); i++) {
		if (str_eq(scope_words[i].name, name))
			return (scope_words[i].bit);
	}
	return (0);
}

const char *
scope_name(unsigned bit)
{
	size_t	i;

	for (i = 0; i < COUNT(scope_words); i++) {
		if (scope_words[i].bit == bit)
			return (scope_words[i].name);
	}
	return (NULL);
}
