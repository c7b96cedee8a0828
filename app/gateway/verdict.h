/*
 * May this call pass?  One pure function: facts in, verdict out; no clock, no
 * I/O inside.  And what is answered for each verdict.
 *
 * The order is fixed.  Whoever has no key learns nothing but that; about the
 * subscription and its API users one learns only with its key, and about what
 * a user may do only with that user's password:
 *
 *	the call can be understood in one way	not_permitted
 *	there is a key				missing_key
 *	it is one, and its time is not over,	unknown_key, or rate_limited
 *	and came as its product's profile has	for who has tried too often
 *	it
 *	a token in a key's place is one, and	invalid_token, or rate_limited;
 *	its time is not over			token_expired
 *	the client is named, where it must be,	missing_tenant wrong_tenant,
 *	and is the key's			or rate_limited for who has
 *						tried too often
 *	an issued key is in use			key_revoked key_pending
 *						key_inactive key_expired
 *	it is of what is behind the gateway	not_permitted
 *	and of the environment there		wrong_environment
 *	its subscription is live		suspended expired cancelled
 *	of pairs:
 *	an API user is given where one must be	missing_api_user
 *	of this tenant, with its password	bad_api_user, or rate_limited
 *						for who has tried too often
 *	enabled, and its time is not over	api_user_disabled
 *	method and path are its to call, or	not_permitted
 *	an issued key's
 *	there is room in every rate		rate_limited
 *	and in the quotas			quota_exceeded
 *
 * Rates and quotas are asked, and the call counted, only when all else says
 * that it may pass (check.c).
 */
#ifndef GATEWAY_VERDICT_H
#define GATEWAY_VERDICT_H

#include "base/base.h"

enum verdict {
	VERDICT_ALLOWED,
	VERDICT_MISSING_KEY,
	VERDICT_UNKNOWN_KEY,
	VERDICT_MISSING_API_USER,
	VERDICT_BAD_API_USER,
	VERDICT_SUSPENDED,
	VERDICT_EXPIRED,
	VERDICT_CANCELLED,
	VERDICT_API_USER_DISABLED,
	VERDICT_NOT_PERMITTED,
	VERDICT_RATE_LIMITED,
	VERDICT_QUOTA_EXCEEDED,
	VERDICT_UNAVAILABLE,
	VERDICT_WRONG_SECRET,	/* the gateway itself is not known */
	VERDICT_MISSING_TENANT,
	VERDICT_WRONG_TENANT,
	VERDICT_KEY_PENDING,
	VERDICT_KEY_INACTIVE,
	VERDICT_KEY_REVOKED,
	VERDICT_KEY_EXPIRED,
	VERDICT_WRONG_ENVIRONMENT,
	VERDICT_BAD_TOKEN,
	VERDICT_TOKEN_EXPIRED,
};
#define VERDICTS	(VERDICT_TOKEN_EXPIRED + 1)

enum fact_subscription { FACT_ACTIVE, FACT_SUSPENDED, FACT_EXPIRED,
	FACT_CANCELLED };
enum fact_issued { FACT_KEY_ACTIVE, FACT_KEY_PENDING, FACT_KEY_INACTIVE,
	FACT_KEY_REVOKED };
enum fact_tenant {
	FACT_TENANT_RIGHT,	/* or not asked for */
	FACT_TENANT_MISSING,
	FACT_TENANT_WRONG,
};
enum fact_user {
	FACT_USER_NONE,		/* none was given */
	FACT_USER_WRONG,	/* not one, of another tenant, or its password
				 * is another */
	FACT_USER_RIGHT,
};

/* Times are microseconds since 1970, 0: none. */
struct facts {
	int64_t		 now;
	bool		 odd_call;
	bool		 has_key;
	bool		 knows_key;
	bool		 key_fits;		/* came in its own header */
	int64_t		 key_ends_at;		/* of an old value */
	bool		 is_token;		/* in place of a key */
	int64_t		 token_ends_at;
	enum fact_tenant tenant;
	bool		 is_issued;		/* else of a pair */
	enum fact_issued issued;
	int64_t		 issued_ends_at;
	bool		 other_product, other_environment;
	enum fact_subscription subscription;
	int64_t		 subscription_ends_at;
	bool		 needs_user;
	enum fact_user	 user;
	bool		 user_enabled;
	int64_t		 user_ends_at;
	bool		 permitted;	/* asked with a user or issued key */
	bool		 over_failures;		/* of keys, clients and users, by
						 * address */
	bool		 over_rate, over_quota;
};

enum verdict	 verdict_of(const struct facts *);

/* What is said of a verdict: RFC 9457's members, our code. */
struct denial {
	int		 status;
	const char	*code, *title, *detail;
};
const struct denial *verdict_denial(enum verdict);

#endif
