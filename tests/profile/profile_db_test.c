/*
 * The profile's one statement, against LATCHKEY_TEST_DATABASE_URL: whose rows
 * it shows, and in which order.
 */
#include "requests/world.h"

#include "products/product.h"
#include "profile/profile.h"
#include "requests/request.h"

static int
begin(void **state)
{
	(void)state;
	world_clear();
	return (0);
}

static const char *
tenant_of(const char *account)
{
	const char	*id;

	id = text(db, "SELECT tenant_id FROM membership WHERE account_id = $1",
	    DB_ARGS(account));
	return (*id == '\0' ? NULL : id);
}

static struct profile
profile_of(const char *account, const char *tenant)
{
	struct session	s = { .account_id = account, .tenant_id = tenant };

	return (profile_db_read(db, &s));
}

static enum product_ask
standing(const char *account)
{
	struct product	p = { .id = product, .one_key_per_tenant = true };

	return (product_db_standing(db, &p, account, "live").ask);
}

static void
test_profile(void **state)
{
	const char	*ada = contact("Ada", "a.example", "A Co");
	const char	*bob = contact("Bob", "a.example", "A Co");
	const char	*keeper = staff("Tomas");
	struct request_decision	 d = { NULL, keeper, "known" };
	struct request_tenant	 t = { NULL, "ACO", "A Co", false };
	struct profile	 p;

	(void)state;
	assert_int_equal(profile_of(ada, NULL).n, 0);
	assert_int_equal(standing(ada), PRODUCT_ASK_NEW);
	assert_int_equal(request_db_submit(db, ada, product, "A Co-KEY",
	    "A Co", 48, 0, "live"), REQUEST_SUBMIT_DONE);
	p = profile_of(ada, NULL);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.list[0].kind, PROFILE_REQUEST);
	assert_string_equal(p.list[0].state, "submitted");
	assert_true(p.list[0].is_own);
	assert_int_equal(p.list[0].decided_at, 0);
	assert_int_equal(p.list[0].due_at - p.list[0].at,
	    INT64_C(48) * 3600 * 1000000);
	assert_int_equal(standing(ada), PRODUCT_ASK_WAITING);
	assert_int_equal(standing(bob), PRODUCT_ASK_NEW);
	assert_int_equal(profile_of(bob, NULL).n, 0);

	d.request_id = p.list[0].id;
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_DONE);
	p = profile_of(ada, tenant_of(ada));
	assert_int_equal(p.n, 2);
	assert_int_equal(p.list[0].kind, PROFILE_SUBSCRIPTION);
	assert_string_equal(p.list[0].state, "active");
	assert_string_equal(p.list[0].by, "Tomas");
	assert_int_equal(strlen(p.list[0].primary_last4), 4);
	assert_int_equal(strlen(p.list[0].secondary_last4), 4);
	assert_true(p.list[0].primary_at > 0);
	assert_string_equal(p.list[1].state, "approved");
	assert_int_equal(standing(ada), PRODUCT_ASK_HAS_KEY);

	/* A colleague sees the key, not what others asked for before. */
	assert_int_equal(request_db_submit(db, bob, product, "A Co-KEY",
	    "A Co", 48, 0, "live"), REQUEST_SUBMIT_DONE);
	d.request_id = profile_of(bob, NULL).list[0].id;
	assert_int_equal(request_db_share(db, &d, "ACO"),
	    REQUEST_DECIDE_DONE);
	p = profile_of(bob, tenant_of(bob));
	assert_int_equal(p.n, 2);
	assert_string_equal(p.list[1].state, "shared");
	assert_true(p.list[1].is_own);

	/* An open request of a colleague is seen by all of the tenant. */
	run(db, "UPDATE subscription SET state = 'expired'", DB_NONE);
	assert_int_equal(request_db_submit(db, bob, product, "A Co-KEY",
	    "A Co", 48, 0, "live"), REQUEST_SUBMIT_DONE);
	p = profile_of(ada, tenant_of(ada));
	assert_int_equal(p.n, 3);
	assert_string_equal(p.list[0].state, "expired");
	assert_string_equal(p.list[1].state, "submitted");
	assert_false(p.list[1].is_own);
	assert_int_equal(standing(ada), PRODUCT_ASK_WAITING);
}

/* The newest ten of the contact's own. */
static void
test_many(void **state)
{
	const char	*ada = contact("Ada", "a.example", "A Co");
	struct profile	 p;
	int		 i;

	(void)state;
	for (i = 0; i < 13; i++) {
		assert_int_equal(request_db_submit(db, ada, product,
		    arena_fmt(arena, "A %d-KEY", i), "A", 48, 0, "live"),
		    REQUEST_SUBMIT_DONE);
		assert_int_equal(request_db_withdraw(db, ada, text(db,
		    "SELECT id FROM request WHERE state = 'submitted'",
		    DB_NONE)), REQUEST_WITHDRAW_DONE);
	}
	p = profile_of(ada, NULL);
	assert_int_equal(p.n, 10);
	assert_string_equal(p.list[0].name, "A 12-KEY");
	assert_string_equal(p.list[9].name, "A 3-KEY");
	/* Those that were answered long ago are not shown. */
	run(owner, "UPDATE request SET decided_at = now() - interval '31 days' "
	    "WHERE name <> 'A 5-KEY'", DB_NONE);
	p = profile_of(ada, NULL);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.list[0].name, "A 5-KEY");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_profile, begin),
		cmocka_unit_test_setup(test_many, begin),
	};

	return (cmocka_run_group_tests(tests, world_setup, world_teardown));
}
