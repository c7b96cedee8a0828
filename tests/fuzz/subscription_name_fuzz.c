/*
 * Names of subscriptions: what is accepted keeps the rule however it was
 * typed, every refusal has a sentence, and what is proposed is accepted.
 */
#include <assert.h>

#include "subscriptions/subscription.h"
#include "tenants/tenant.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena			*a = arena_new(64u << 20, NULL, NULL);
	struct subscription_name	 name, again;
	enum subscription_name_verdict	 verdict;
	const char			*typed, *proposed, *said;

	typed = arena_strndup(a, (const char *)data, n);
	proposed = subscription_name_propose(a, typed);
	if (*proposed != '\0')
		assert(subscription_name_check(a, proposed, &again) ==
		    SUBSCRIPTION_NAME_GOOD);
	verdict = subscription_name_check(a, typed, &name);
	said = subscription_name_advice(a, verdict, &name, proposed);
	assert(str_utf8(said, strlen(said)));
	assert(!str_has_control(said));
	assert((*said == '\0') == (verdict == SUBSCRIPTION_NAME_GOOD));
	if (verdict == SUBSCRIPTION_NAME_GOOD) {
		assert(str_utf8(name.name, strlen(name.name)));
		assert(!str_has_control(name.name));
		assert(str_ends(name.name, "-KEY"));
		assert(str_chars(name.client) >= 2);
		assert(str_chars(name.client) <= 64);
		assert(name.client[0] != ' ' && !str_ends(name.client, " "));
		assert(strpbrk(name.client, "<>\"\\/") == NULL);
		/* A good name stays what it is. */
		assert(subscription_name_check(a, name.name, &again) ==
		    SUBSCRIPTION_NAME_GOOD);
		assert(str_eq(name.name, again.name));
		assert(tenant_name_advice(name.client) == NULL);
	}
	(void)tenant_fold(a, typed);
	said = tenant_code_propose(a, typed);
	assert(*said == '\0' || tenant_code_valid(said));
	arena_free(a);
	return (0);
}
