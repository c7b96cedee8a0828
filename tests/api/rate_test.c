/*
 * The token bucket: how many come at once, when the next is let through, and
 * that several processes together get no more.
 */
#include <sys/wait.h>

#include "base/child.h"

#include "api/rate.h"
#include "base/clock.h"
#include "crypto/token.h"

#define EVERY	(SECOND_US / 10)
#define BURST	120
#define NOW	(1000 * SECOND_US)
#define WORKERS	4

static int
begin(void **state)
{
	(void)state;
	crypto_init();
	rate_setup();
	return (0);
}

static int
take(const char *key, int n, int64_t now)
{
	int	through = 0;

	while (n-- > 0)
		through += rate_take(key, EVERY, BURST, now) == 0;
	return (through);
}

static void
test_burst_then_rate(void **state)
{
	(void)state;
	assert_int_equal(take("one", 1000, NOW), BURST);
	/* When the next one is let through, to the microsecond. */
	assert_true(rate_take("one", EVERY, BURST, NOW) == EVERY);
	assert_true(rate_take("one", EVERY, BURST, NOW + EVERY / 4) ==
	    EVERY - EVERY / 4);
	assert_true(rate_take("one", EVERY, BURST, NOW + EVERY - 1) == 1);
	assert_true(rate_take("one", EVERY, BURST, NOW + EVERY) == 0);
	assert_true(rate_take("one", EVERY, BURST, NOW + EVERY) == EVERY);
	/* What is refused costs nothing; ten a second from there on. */
	assert_int_equal(take("one", 1000, NOW + EVERY + SECOND_US), 10);
	/* Who stays away gets the burst again, and no more than that. */
	assert_int_equal(take("one", 1000, NOW + 3600 * SECOND_US), BURST);
}

static void
test_each_has_its_own(void **state)
{
	(void)state;
	assert_int_equal(take("two", BURST, NOW), BURST);
	assert_int_equal(take("two", 1, NOW), 0);
	assert_int_equal(take("three", BURST, NOW), BURST);
	assert_int_equal(take("", BURST, NOW), BURST);
}

static void
test_a_burst_of_one(void **state)
{
	(void)state;
	assert_true(rate_take("four", MINUTE_US, 1, NOW) == 0);
	assert_true(rate_take("four", MINUTE_US, 1, NOW) == MINUTE_US);
	assert_true(rate_take("four", MINUTE_US, 1, NOW + MINUTE_US) == 0);
}

/* A second call of setup would forget what was taken. */
static void
test_set_up_once(void **state)
{
	(void)state;
	assert_int_equal(take("five", BURST, NOW), BURST);
	rate_setup();
	assert_int_equal(take("five", 1, NOW), 0);
}

static void
test_several_processes(void **state)
{
	int	gate[2], out[2], i, told, all = 0, status;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(pipe(out), 0);
	for (i = 0; i < WORKERS; i++) {
		if (child_fork() == 0) {
			char	c;

			(void)close(gate[1]);
			if (read(gate[0], &c, 1) != 0)
				_exit(1);
			told = take("shared", 100000, NOW);
			if (write(out[1], &told, sizeof(told)) != sizeof(told))
				_exit(1);
			_exit(0);
		}
	}
	(void)close(gate[0]);
	(void)close(gate[1]);
	for (i = 0; i < WORKERS; i++) {
		assert_int_equal(read(out[0], &told, sizeof(told)),
		    sizeof(told));
		all += told;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	(void)close(out[0]);
	(void)close(out[1]);
	assert_int_equal(all, BURST);
	assert_int_equal(take("shared", 1, NOW), 0);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_each_has_its_own),
		cmocka_unit_test(test_a_burst_of_one),
		cmocka_unit_test(test_set_up_once),
		cmocka_unit_test(test_several_processes),
	};

	return (cmocka_run_group_tests(tests, begin, NULL));
}
