/*
 * The decision as a table.  Each row changes some facts of a call that may
 * pass; what stands higher in the order decides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "gateway/verdict.h"

#define NOW	INT64_C(1000000)

static const struct facts	 good = {
	.now = NOW, .has_key = true, .knows_key = true, .key_fits = true,
	.subscription = FACT_ACTIVE, .needs_user = true,
	.user = FACT_USER_RIGHT, .user_enabled = true, .permitted = true,
};

static enum verdict
with(void (*change)(struct facts *))
{
	struct facts	 f = good;

	change(&f);
	return (verdict_of(&f));
}

/* From the last question to the first: each leaves what was wrong before. */
static void
test_order(void **state)
{
	struct facts	 f = good;

	(void)state;
	assert_int_equal(verdict_of(&f), VERDICT_ALLOWED);
	f.over_failures = true;		/* of others at that address */
	assert_int_equal(verdict_of(&f), VERDICT_ALLOWED);
	f.over_failures = false;
	f.over_quota = true;
	assert_int_equal(verdict_of(&f), VERDICT_QUOTA_EXCEEDED);
	f.over_rate = true;
	assert_int_equal(verdict_of(&f), VERDICT_RATE_LIMITED);
	f.permitted = false;
	assert_int_equal(verdict_of(&f), VERDICT_NOT_PERMITTED);
	f.user_ends_at = NOW;
	assert_int_equal(verdict_of(&f), VERDICT_API_USER_DISABLED);
	f.user_enabled = false;
	assert_int_equal(verdict_of(&f), VERDICT_API_USER_DISABLED);
	f.user = FACT_USER_WRONG;
	assert_int_equal(verdict_of(&f), VERDICT_BAD_API_USER);
	f.user = FACT_USER_NONE;
	assert_int_equal(verdict_of(&f), VERDICT_MISSING_API_USER);
	f.subscription_ends_at = NOW;
	assert_int_equal(verdict_of(&f), VERDICT_EXPIRED);
	f.subscription = FACT_EXPIRED;
	assert_int_equal(verdict_of(&f), VERDICT_EXPIRED);
	f.subscription = FACT_CANCELLED;
	assert_int_equal(verdict_of(&f), VERDICT_CANCELLED);
	f.subscription = FACT_SUSPENDED;
	assert_int_equal(verdict_of(&f), VERDICT_SUSPENDED);
	f.other_environment = true;
	assert_int_equal(verdict_of(&f), VERDICT_WRONG_ENVIRONMENT);
	f.other_product = true;
	assert_int_equal(verdict_of(&f), VERDICT_NOT_PERMITTED);
	f.tenant = FACT_TENANT_WRONG;
	assert_int_equal(verdict_of(&f), VERDICT_WRONG_TENANT);
	f.tenant = FACT_TENANT_MISSING;
	assert_int_equal(verdict_of(&f), VERDICT_MISSING_TENANT);
	f.key_ends_at = NOW;
	assert_int_equal(verdict_of(&f), VERDICT_UNKNOWN_KEY);
	f.key_ends_at = 0;
	f.key_fits = false;
	assert_int_equal(verdict_of(&f), VERDICT_UNKNOWN_KEY);
	f.key_fits = true;
	f.knows_key = false;
	assert_int_equal(verdict_of(&f), VERDICT_UNKNOWN_KEY);
	f.has_key = false;
	assert_int_equal(verdict_of(&f), VERDICT_MISSING_KEY);
	f.odd_call = true;
	assert_int_equal(verdict_of(&f), VERDICT_NOT_PERMITTED);
	/* Nothing is known of a call by default. */
	f = (struct facts){ 0 };
	assert_int_equal(verdict_of(&f), VERDICT_MISSING_KEY);
}

/* The same of an issued key, which says itself what it may; no API user is
 * asked for, nor asked. */
static void
test_order_of_issued(void **state)
{
	static const struct {
		enum fact_issued	 is;
		enum verdict		 said;
	} states[] = {
		{ FACT_KEY_INACTIVE, VERDICT_KEY_INACTIVE },
		{ FACT_KEY_PENDING, VERDICT_KEY_PENDING },
		{ FACT_KEY_REVOKED, VERDICT_KEY_REVOKED },
	};
	struct facts	 f = good;
	size_t		 i;

	(void)state;
	f.is_issued = true;
	assert_int_equal(verdict_of(&f), VERDICT_ALLOWED);
	f.user = FACT_USER_NONE;
	assert_int_equal(verdict_of(&f), VERDICT_ALLOWED);
	f.user = FACT_USER_WRONG;
	assert_int_equal(verdict_of(&f), VERDICT_ALLOWED);
	f.over_quota = true;
	assert_int_equal(verdict_of(&f), VERDICT_QUOTA_EXCEEDED);
	f.over_rate = true;
	assert_int_equal(verdict_of(&f), VERDICT_RATE_LIMITED);
	f.permitted = false;
	assert_int_equal(verdict_of(&f), VERDICT_NOT_PERMITTED);
	f.subscription = FACT_SUSPENDED;
	assert_int_equal(verdict_of(&f), VERDICT_SUSPENDED);
	f.other_environment = true;
	assert_int_equal(verdict_of(&f), VERDICT_WRONG_ENVIRONMENT);
	f.other_product = true;
	assert_int_equal(verdict_of(&f), VERDICT_NOT_PERMITTED);
	f.issued_ends_at = NOW + 1;
	assert_int_equal(verdict_of(&f), VERDICT_NOT_PERMITTED);
	f.issued_ends_at = NOW;
	assert_int_equal(verdict_of(&f), VERDICT_KEY_EXPIRED);
	for (i = 0; i < COUNT(states); i++) {
		f.issued = states[i].is;
		assert_int_equal(verdict_of(&f), states[i].said);
	}
	f.over_failures = true;
	assert_int_equal(verdict_of(&f), VERDICT_KEY_REVOKED);
	f.tenant = FACT_TENANT_WRONG;
	assert_int_equal(verdict_of(&f), VERDICT_RATE_LIMITED);
	f.over_failures = false;
	assert_int_equal(verdict_of(&f), VERDICT_WRONG_TENANT);
	f.tenant = FACT_TENANT_MISSING;
	assert_int_equal(verdict_of(&f), VERDICT_MISSING_TENANT);
	f.key_fits = false;
	assert_int_equal(verdict_of(&f), VERDICT_UNKNOWN_KEY);
	f.odd_call = true;
	assert_int_equal(verdict_of(&f), VERDICT_NOT_PERMITTED);
	/* Known and nothing more: it may nothing. */
	f = (struct facts){ .has_key = true, .knows_key = true,
	    .key_fits = true, .is_issued = true };
	assert_int_equal(verdict_of(&f), VERDICT_NOT_PERMITTED);
}

static void
optional_user(struct facts *f)
{
	f->needs_user = false;
	f->user = FACT_USER_NONE;
	f->permitted = false;
}

static void
optional_wrong(struct facts *f)
{
	f->needs_user = false;
	f->user = FACT_USER_WRONG;
}

static void
optional_unpermitted(struct facts *f)
{
	f->needs_user = false;
	f->permitted = false;
}

static void
unknown_often(struct facts *f)
{
	f->knows_key = false;
	f->over_failures = true;
}

static void
wrong_often(struct facts *f)
{
	f->user = FACT_USER_WRONG;
	f->over_failures = true;
}

static void
optional_full(struct facts *f)
{
	optional_user(f);
	f->over_rate = true;
}

static void
ends_later(struct facts *f)
{
	f->key_ends_at = f->subscription_ends_at = f->user_ends_at = NOW + 1;
}

static void
test_rows(void **state)
{
	(void)state;
	/* A product that asks no user; one that is given must be right. */
	assert_int_equal(with(optional_user), VERDICT_ALLOWED);
	assert_int_equal(with(optional_wrong), VERDICT_BAD_API_USER);
	assert_int_equal(with(optional_unpermitted), VERDICT_NOT_PERMITTED);
	assert_int_equal(with(ends_later), VERDICT_ALLOWED);
	assert_int_equal(with(unknown_often), VERDICT_RATE_LIMITED);
	assert_int_equal(with(wrong_often), VERDICT_RATE_LIMITED);
	assert_int_equal(with(optional_full), VERDICT_RATE_LIMITED);
}

/* In a key's place, with what is said of it first. */
static void
test_tokens(void **state)
{
	struct facts	 f = { .now = NOW, .has_key = true, .is_token = true };

	(void)state;
	assert_int_equal(verdict_of(&f), VERDICT_BAD_TOKEN);
	f.over_failures = true;
	assert_int_equal(verdict_of(&f), VERDICT_RATE_LIMITED);
	f.knows_key = f.key_fits = f.is_issued = true;
	f.issued = FACT_KEY_REVOKED;
	f.token_ends_at = NOW;
	assert_int_equal(verdict_of(&f), VERDICT_TOKEN_EXPIRED);
	f.token_ends_at = NOW + 1;
	assert_int_equal(verdict_of(&f), VERDICT_KEY_REVOKED);
	f.issued = FACT_KEY_ACTIVE;
	assert_int_equal(verdict_of(&f), VERDICT_NOT_PERMITTED);
	f.permitted = true;
	assert_int_equal(verdict_of(&f), VERDICT_ALLOWED);
}

/* Section 5 of the contract. */
static void
test_denials(void **state)
{
	static const struct {
		enum verdict	 verdict;
		int		 status;
		const char	*code;
	} rows[] = {
		{ VERDICT_MISSING_KEY, 401, "missing_key" },
		{ VERDICT_UNKNOWN_KEY, 401, "unknown_key" },
		{ VERDICT_MISSING_API_USER, 401, "missing_api_user" },
		{ VERDICT_BAD_API_USER, 401, "bad_api_user" },
		{ VERDICT_SUSPENDED, 403, "suspended" },
		{ VERDICT_EXPIRED, 403, "expired" },
		{ VERDICT_CANCELLED, 403, "cancelled" },
		{ VERDICT_API_USER_DISABLED, 403, "api_user_disabled" },
		{ VERDICT_NOT_PERMITTED, 403, "not_permitted" },
		{ VERDICT_RATE_LIMITED, 429, "rate_limited" },
		{ VERDICT_QUOTA_EXCEEDED, 429, "quota_exceeded" },
		{ VERDICT_UNAVAILABLE, 503, "unavailable" },
		{ VERDICT_WRONG_SECRET, 403, "unknown_gateway" },
		{ VERDICT_MISSING_TENANT, 401, "missing_tenant" },
		{ VERDICT_WRONG_TENANT, 403, "wrong_tenant" },
		{ VERDICT_KEY_PENDING, 403, "key_pending" },
		{ VERDICT_KEY_INACTIVE, 403, "key_inactive" },
		{ VERDICT_KEY_REVOKED, 403, "key_revoked" },
		{ VERDICT_KEY_EXPIRED, 403, "key_expired" },
		{ VERDICT_WRONG_ENVIRONMENT, 403, "wrong_environment" },
		{ VERDICT_BAD_TOKEN, 401, "invalid_token" },
		{ VERDICT_TOKEN_EXPIRED, 401, "token_expired" },
	};
	const struct denial	*d;
	size_t			 i;

	(void)state;
	assert_int_equal(COUNT(rows), VERDICTS - 1);
	for (i = 0; i < COUNT(rows); i++) {
		d = verdict_denial(rows[i].verdict);
		assert_int_equal(d->status, rows[i].status);
		assert_string_equal(d->code, rows[i].code);
		/* They stand in JSON as they are. */
		assert_null(strpbrk(d->title, "\"\\\n"));
		assert_null(strpbrk(d->detail, "\"\\\n"));
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_order_of_issued),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_denials),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
