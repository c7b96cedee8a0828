/*
 * Tries at passwords and codes against a real PostgreSQL
 * (LATCHKEY_TEST_DATABASE_URL).  Time passes by moving what is stored back.
 * Every test has accounts and networks of its own.
 */
#include "accounts/people.h"

#define DAY_S	(24 * 3600)

static void
pass(int64_t s)
{
	DB_QUERY(time_passes, "UPDATE throttle SET "
	    "tat = tat - make_interval(secs => $1::integer), "
	    "open_at = open_at - make_interval(secs => $1::integer)");
	const struct db_rows	*rows;

	rows = db_write(owner, &time_passes, DB_ARGS(db_int(owner, s)));
	assert_int_equal(rows->outcome, DB_OK);
}

static int64_t
try(enum try_kind kind, const char *who, const char *network,
    const char *browser)
{
	const struct tries	tries = tries_of(arena, kind, who, network,
				    browser);

	return (tries_db_begin(db, &tries));
}

/* A network that nobody had before. */
static const char *
network(void)
{
	static int	n;

	n++;
	return (arena_fmt(arena, "10.%d.%d.%d", n / 65536, n / 256 % 256,
	    n % 256));
}

static void
test_delays_grow(void **state)
{
	/* By the second 512 one of the failures is forgotten. */
	static const int64_t	waits[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256,
				    512, 512, 900, 900, 900 };
	size_t			i;

	(void)state;
	for (i = 0; i < TRIES_ACCOUNT; i++)
		assert_int_equal(try(TRY_PASSWORD, "grow", network(), NULL),
		    0);
	for (i = 0; i < COUNT(waits); i++) {
		/* A minute more, since time goes on by itself, too. */
		pass(-60);
		assert_in_range(try(TRY_PASSWORD, "grow", network(), NULL),
		    waits[i] + 55, waits[i] + 60);
		pass(waits[i] + 60);
		assert_int_equal(try(TRY_PASSWORD, "grow", network(), NULL),
		    0);
	}
	/* Refused ones do not make it longer, and a quiet day ends it. */
	for (i = 0; i < 20; i++)
		assert_in_range(try(TRY_PASSWORD, "grow", network(), NULL),
		    890, 900);
	pass(DAY_S);
	for (i = 0; i < TRIES_ACCOUNT; i++)
		assert_int_equal(try(TRY_PASSWORD, "grow", network(), NULL),
		    0);
}

static void
test_right_ones_are_given_back(void **state)
{
	struct tries	tries = tries_of(arena, TRY_PASSWORD, "right",
			    network(), NULL);
	int		i;

	(void)state;
	for (i = 0; i < 50; i++) {
		assert_int_equal(tries_db_begin(db, &tries), 0);
		tries_db_right(db, &tries);
	}
	/* Behind failures it is right once more at once. */
	for (i = 0; i < TRIES_ACCOUNT; i++)
		assert_int_equal(tries_db_begin(db, &tries), 0);
	pass(-60);
	assert_in_range(tries_db_begin(db, &tries), 1, 61);
	pass(61);
	for (i = 0; i < 3; i++) {
		assert_int_equal(tries_db_begin(db, &tries), 0);
		tries_db_right(db, &tries);
	}
	/* But the failures are not forgotten by it. */
	assert_int_equal(tries_db_begin(db, &tries), 0);
	pass(-60);
	assert_in_range(tries_db_begin(db, &tries), 55, 62);
}

static void
test_a_network(void **state)
{
	const char	*here = "198.51.100.7";
	int		 i;

	(void)state;
	for (i = 0; i < TRIES_NETWORK; i++)
		assert_int_equal(try(TRY_PASSWORD, arena_fmt(arena, "many%d",
		    i), here, NULL), 0);
	pass(-60);
	assert_in_range(try(TRY_PASSWORD, "many", here, NULL), 55, 61);
	assert_in_range(try(TRY_CODE, "many", here, NULL), 55, 61);
	assert_int_equal(try(TRY_PASSWORD, "many", "198.51.100.8", NULL), 0);
	/* Who has signed in with this browser before does not care. */
	assert_int_equal(try(TRY_PASSWORD, "many", here, "cookie"), 0);
	/* What was refused counted in no lane. */
	assert_string_equal(people_ask("SELECT count(*) FROM throttle WHERE "
	    "bucket = 'code'"), "0");
}

static void
test_nobody_is_locked_out(void **state)
{
	int	i;

	(void)state;
	/* A stranger holds the account's lane, and that of one browser. */
	for (i = 0; i < 100; i++) {
		(void)try(TRY_PASSWORD, "held", network(), NULL);
		(void)try(TRY_PASSWORD, "held", network(), "stolen");
		(void)try(TRY_CODE, "held", network(), NULL);
		pass(1);
	}
	assert_true(try(TRY_PASSWORD, "held", network(), NULL) > 0);
	assert_true(try(TRY_PASSWORD, "held", network(), "stolen") > 0);
	assert_int_equal(try(TRY_PASSWORD, "held", network(), "mine"), 0);
	assert_true(try(TRY_CODE, "held", network(), NULL) > 0);
	assert_int_equal(try(TRY_CODE, "held", network(), "mine"), 0);
	assert_int_equal(try(TRY_RECOVERY_CODE, "held", network(), NULL), 0);
	assert_int_equal(try(TRY_LINK_CODE, "held", network(), NULL), 0);
	/* Nor does that browser hold anything up elsewhere. */
	assert_int_equal(try(TRY_PASSWORD, "other", network(), "stolen"), 0);
}

static void
test_ten_thousand_wrong_codes(void **state)
{
	int64_t	wait, seconds = 0;
	int	i, looked_at = 0;

	(void)state;
	/* As fast as they can be sent, each from a network of its own. */
	for (i = 0; i < 10000; i++)
		looked_at += try(TRY_CODE, "mallory", network(), NULL) == 0;
	assert_in_range(looked_at, TRIES_ACCOUNT, TRIES_ACCOUNT + 4);
	/* And by somebody with patience, who comes when it is said: from the
	 * first minutes on it is 96 a day, 10 000 in 104 days. */
	for (i = 0; i < 400; i++) {
		while ((wait = try(TRY_CODE, "eve", network(), NULL)) > 0) {
			pass(wait);
			seconds += wait;
		}
	}
	assert_in_range(seconds, 380 * TRY_CLOSED_MAX_S,
	    400 * TRY_CLOSED_MAX_S);
	/* Or who waits longer, for failures to be forgotten: not one more. */
	for (i = 0, seconds = 0; i < 400; i++) {
		while (try(TRY_CODE, "oscar", network(), NULL) > 0) {
			pass(3600);
			seconds += 3600;
		}
	}
	assert_true(seconds >= (400 - 2 * TRIES_ACCOUNT) * TRY_CLOSED_MAX_S);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_delays_grow),
		cmocka_unit_test(test_right_ones_are_given_back),
		cmocka_unit_test(test_a_network),
		cmocka_unit_test(test_nobody_is_locked_out),
		cmocka_unit_test(test_ten_thousand_wrong_codes),
	};

	return (cmocka_run_group_tests(tests, people_setup, people_teardown));
}
