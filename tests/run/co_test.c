/*
 * Coroutines: order of running, waiting, ending from deep down, their number,
 * reuse of stacks, and that a stack that overflows hits its guard page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "run/co.h"

static char		 trace[64];
static unsigned		 traced;
static struct co	*waiting[CO_MAX];
static unsigned		 n_waiting;

static void
note(char c)
{
	assert_true(traced < sizeof(trace) - 1);
	trace[traced++] = c;
	trace[traced] = '\0';
}

static void
wait_here(void)
{
	assert_true(n_waiting < CO_MAX);
	waiting[n_waiting++] = co_current();
	co_wait();
}

static int
reset(void **state)
{
	(void)state;
	traced = n_waiting = 0;
	trace[0] = '\0';
	assert_int_equal(co_count(), 0);
	return (0);
}

static void
two_steps(void *arg)
{
	const char	*names = arg;
	struct co	*me = co_current();

	assert_non_null(me);
	note(names[0]);
	wait_here();
	assert_ptr_equal(co_current(), me);
	note(names[1]);
	wait_here();
	note(names[2]);
}

static void
test_order(void **state)
{
	char	 a[] = "abc", b[] = "xyz";

	(void)state;
	assert_null(co_current());
	assert_true(co_start(two_steps, a));
	assert_string_equal(trace, "a");
	assert_true(co_start(two_steps, b));
	assert_null(co_current());
	assert_int_equal(co_count(), 2);
	co_resume(waiting[1]);
	co_resume(waiting[0]);
	assert_string_equal(trace, "axyb");
	co_resume(waiting[3]);
	assert_int_equal(co_count(), 1);
	co_resume(waiting[2]);
	assert_string_equal(trace, "axybcz");
	assert_int_equal(co_count(), 0);
}

/* Volatile, so that the compiler can't see that the last one never returns. */
static void		(*volatile end)(void) = co_exit;

static void
deep(unsigned depth)
{
	volatile char	 frame[512];

	frame[0] = (char)depth;
	if (depth > 0)
		deep(depth - 1);
	else
		end();
	/* Keeps the call above from becoming a jump; never reached. */
	note(frame[0]);
}

static void
ends_deep(void *arg)
{
	(void)arg;
	note('d');
	wait_here();
	deep(40);
}

static void
test_exit(void **state)
{
	char	 a[] = "abc";

	(void)state;
	assert_true(co_start(ends_deep, NULL));
	co_resume(waiting[0]);
	assert_string_equal(trace, "d");
	assert_int_equal(co_count(), 0);
	assert_null(co_current());
	/* The same stack, from its beginning. */
	assert_true(co_start(two_steps, a));
	co_resume(waiting[1]);
	co_resume(waiting[2]);
	assert_string_equal(trace, "dabc");
}

static void
waits_once(void *arg)
{
	unsigned	*sum = arg;
	unsigned	 mine = n_waiting;

	wait_here();
	/* Its own stack, untouched by a thousand others. */
	*sum += mine;
}

static void
test_maximum(void **state)
{
	unsigned	 sum = 0, i, turn;

	(void)state;
	/* The second turn takes stacks from the pool and makes the rest. */
	for (turn = 0; turn < 2; turn++) {
		sum = n_waiting = 0;
		for (i = 0; i < CO_MAX; i++)
			assert_true(co_start(waits_once, &sum));
		assert_int_equal(co_count(), CO_MAX);
		assert_false(co_start(waits_once, &sum));
		for (i = CO_MAX; i > 0; i--)
			co_resume(waiting[i - 1]);
		assert_int_equal(sum, CO_MAX * (CO_MAX - 1) / 2);
		assert_int_equal(co_count(), 0);
	}
}

static volatile double	 third = 1.0 / 3;

static void
keeps_numbers(void *arg)
{
	double	 before = third * 3;

	wait_here();
	*(bool *)arg = before == third * 3;
}

static void
test_floating_point(void **state)
{
	bool	 kept = false;

	(void)state;
	assert_true(co_start(keeps_numbers, &kept));
	assert_true(third * 7 > 2.3);
	co_resume(waiting[0]);
	assert_true(kept);
}

static void
overflows(void *arg)
{
	(void)arg;
	deep(CO_STACK * 16 / 512);
}

static void
test_guard(void **state)
{
	pid_t	 child;
	int	 status;

	(void)state;
	child = child_fork();
	if (child == 0) {
		/* A sanitizer would tell of it at length. */
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		_exit(co_start(overflows, NULL) ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* SIGSEGV, or a sanitizer that caught it. */
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 1);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_order, reset),
		cmocka_unit_test_setup(test_exit, reset),
		cmocka_unit_test_setup(test_maximum, reset),
		cmocka_unit_test_setup(test_floating_point, reset),
		cmocka_unit_test_setup(test_guard, reset),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
