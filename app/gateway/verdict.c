/*
 * See verdict.h.
 */
#include "gateway/verdict.h"

#include <assert.h>

static enum verdict	 of_key(const struct facts *);
static enum verdict	 of_issued(const struct facts *);
static enum verdict	 of_subscription(const struct facts *);
static enum verdict	 of_user(const struct facts *);
static bool		 over(const struct facts *, int64_t ends_at);

enum verdict
verdict_of(const struct facts *f)
{
	enum verdict	 verdict;

	if (f->odd_call)
		return (VERDICT_NOT_PERMITTED);
	verdict = of_key(f);
	if (verdict != VERDICT_ALLOWED)
		return (verdict);
	verdict = of_subscription(f);
	if (verdict != VERDICT_ALLOWED)
		return (verdict);
	if (f->is_issued)
		verdict = f->permitted ? VERDICT_ALLOWED :
		    VERDICT_NOT_PERMITTED;
	else
		verdict = of_user(f);
	if (verdict != VERDICT_ALLOWED)
		return (verdict);
	if (f->over_rate)
		return (VERDICT_RATE_LIMITED);
	return (f->over_quota ? VERDICT_QUOTA_EXCEEDED : VERDICT_ALLOWED);
}

const struct denial *
verdict_denial(enum verdict verdict)
{
	static const struct denial	denials[VERDICTS] = {
		/* Where nothing more is known: denial.c. */
		[VERDICT_MISSING_KEY] = { 401, "missing_key",
		    "The subscription key is missing",
		    "Send it in the header Ocp-Apim-Subscription-Key." },
		[VERDICT_UNKNOWN_KEY] = { 401, "unknown_key",
		    "The subscription key is not valid",
		    "It may have been regenerated: compare it with the one in "
		    "the portal." },
		[VERDICT_MISSING_API_USER] = { 401, "missing_api_user",
		    "The API user is missing",
		    "Send user name and password of the API user by Basic "
		    "authentication." },
		[VERDICT_BAD_API_USER] = { 401, "bad_api_user",
		    "The API user or its password is wrong",
		    "Look at both; managers of the client can make a new "
		    "password in the portal." },
		[VERDICT_SUSPENDED] = { 403, "suspended",
		    "The subscription is suspended",
		    "The portal says why, and what to do." },
		[VERDICT_EXPIRED] = { 403, "expired",
		    "The subscription has expired",
		    "Request a new one in the portal." },
		[VERDICT_CANCELLED] = { 403, "cancelled",
		    "The subscription was cancelled",
		    "Request a new one in the portal." },
		[VERDICT_API_USER_DISABLED] = { 403, "api_user_disabled",
		    "The API user is disabled",
		    "Managers of the client can enable it in the portal." },
		[VERDICT_NOT_PERMITTED] = { 403, "not_permitted",
		    "This call is not permitted",
		    "Method or path is not among what may be called." },
		[VERDICT_RATE_LIMITED] = { 429, "rate_limited",
		    "Too many calls",
		    "Retry-After says when the next one may pass." },
		[VERDICT_QUOTA_EXCEEDED] = { 429, "quota_exceeded",
		    "The quota is used up",
		    "Retry-After says when the next day or month begins." },
		[VERDICT_UNAVAILABLE] = { 503, "unavailable",
		    "The key can't be checked right now",
		    "Try again in a few seconds." },
		[VERDICT_WRONG_SECRET] = { 403, "unknown_gateway",
		    "This gateway is not known",
		    "X-Latchkey-Secret must be what LATCHKEY_GATEWAY_SECRET_"
		    "FILE holds." },
		[VERDICT_MISSING_TENANT] = { 401, "missing_tenant",
		    "The call does not say for which client it is",
		    "Send the name of your company beside the key." },
		[VERDICT_WRONG_TENANT] = { 403, "wrong_tenant",
		    "The key is not of the client that the call names",
		    "Compare the name with the one in the portal." },
		[VERDICT_KEY_PENDING] = { 403, "key_pending",
		    "The key was not fetched yet",
		    "It works once its link was opened." },
		[VERDICT_KEY_INACTIVE] = { 403, "key_inactive",
		    "The key is deactivated",
		    "It can be reactivated in the portal." },
		[VERDICT_KEY_REVOKED] = { 403, "key_revoked",
		    "The key was revoked",
		    "Make or ask for a new one in the portal." },
		[VERDICT_KEY_EXPIRED] = { 403, "key_expired",
		    "The key has expired",
		    "Make or ask for a new one in the portal." },
		[VERDICT_WRONG_ENVIRONMENT] = { 403, "wrong_environment",
		    "The key is of another environment",
		    "A key works in one environment only." },
		[VERDICT_BAD_TOKEN] = { 401, "invalid_token",
		    "The token is not valid",
		    "Exchange the key for a new one." },
		[VERDICT_TOKEN_EXPIRED] = { 401, "token_expired",
		    "The token has expired",
		    "Exchange the key for a new one." },
	};

	assert(verdict > VERDICT_ALLOWED && verdict < (int)VERDICTS);
	return (&denials[verdict]);
}

static enum verdict
of_key(const struct facts *f)
{
	if (!f->has_key)
		return (VERDICT_MISSING_KEY);
	if (!f->knows_key || !f->key_fits || over(f, f->key_ends_at))
		return (f->over_failures ? VERDICT_RATE_LIMITED :
		    f->is_token ? VERDICT_BAD_TOKEN : VERDICT_UNKNOWN_KEY);
	if (f->is_token && over(f, f->token_ends_at))
		return (VERDICT_TOKEN_EXPIRED);
	switch (f->tenant) {
	case FACT_TENANT_RIGHT:
		break;
	case FACT_TENANT_MISSING:
		return (VERDICT_MISSING_TENANT);
	case FACT_TENANT_WRONG:
		return (f->over_failures ? VERDICT_RATE_LIMITED :
		    VERDICT_WRONG_TENANT);
	}
	return (f->is_issued ? of_issued(f) : VERDICT_ALLOWED);
}

static enum verdict
of_issued(const struct facts *f)
{
	switch (f->issued) {
	case FACT_KEY_ACTIVE:
		break;
	case FACT_KEY_PENDING:
		return (VERDICT_KEY_PENDING);
	case FACT_KEY_INACTIVE:
		return (VERDICT_KEY_INACTIVE);
	case FACT_KEY_REVOKED:
		return (VERDICT_KEY_REVOKED);
	}
	return (over(f, f->issued_ends_at) ? VERDICT_KEY_EXPIRED :
	    VERDICT_ALLOWED);
}

static enum verdict
of_subscription(const struct facts *f)
{
	if (f->other_product)
		return (VERDICT_NOT_PERMITTED);
	if (f->other_environment)
		return (VERDICT_WRONG_ENVIRONMENT);
	switch (f->subscription) {
	case FACT_ACTIVE:
		break;
	case FACT_SUSPENDED:
		return (VERDICT_SUSPENDED);
	case FACT_EXPIRED:
		return (VERDICT_EXPIRED);
	case FACT_CANCELLED:
		return (VERDICT_CANCELLED);
	}
	return (over(f, f->subscription_ends_at) ? VERDICT_EXPIRED :
	    VERDICT_ALLOWED);
}

static enum verdict
of_user(const struct facts *f)
{
	switch (f->user) {
	case FACT_USER_NONE:
		if (f->needs_user)
			return (VERDICT_MISSING_API_USER);
		break;
	case FACT_USER_WRONG:
		return (f->over_failures ? VERDICT_RATE_LIMITED :
		    VERDICT_BAD_API_USER);
	case FACT_USER_RIGHT:
		if (!f->user_enabled || over(f, f->user_ends_at))
			return (VERDICT_API_USER_DISABLED);
		if (!f->permitted)
			return (VERDICT_NOT_PERMITTED);
		break;
	}
	return (VERDICT_ALLOWED);
}

static bool
over(const struct facts *f, int64_t ends_at)
{
	return (ends_at != 0 && ends_at <= f->now);
}
