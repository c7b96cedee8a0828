/*
 * What goes wrong in a child of a test ends the child, and nothing else.
 */
#include "base/child.h"

#include <sys/wait.h>

#include <stdio.h>

static int
status_of(void (*what)(void))
{
	pid_t	pid = child_fork();
	int	status;

	if (pid == 0) {
		/* What is told of it is no output of this test. */
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return (status);
}

static void
nothing(void)
{
}

static void
asserts(void)
{
	assert_int_equal(1, 2);
}

static void
strays(void)
{
	(void)raise(SIGSEGV);
}

static void
test_ends(void **state)
{
	int	status;

	(void)state;
	assert_int_equal(status_of(nothing), 0);
	status = status_of(asserts);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	status = status_of(strays);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	assert_null(getenv("CMOCKA_TEST_ABORT"));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_ends),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
