/*
 * Children of tests.  A failed assertion or a signal that cmocka catches would
 * have a child go on with the tests of its parent, which waits for it: here it
 * ends the child.  Who kills the test kills its children too.
 */
#ifndef TESTS_BASE_CHILD_H
#define TESTS_BASE_CHILD_H

#include <sys/prctl.h>
#include <sys/types.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* As fork(), which must not fail. */
static inline pid_t
child_fork(void)
{
	/* Those that cmocka's exception handler takes. */
	static const int	signals[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS,
					SIGSYS };
	pid_t			parent = getpid(), pid = fork();
	unsigned		i;

	assert_true(pid >= 0);
	if (pid != 0)
		return (pid);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	/* cmocka's own way to have an assertion abort. */
	if (setenv("CMOCKA_TEST_ABORT", "1", 1) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(125);
	return (0);
}

#endif
