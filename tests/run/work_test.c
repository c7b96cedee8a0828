/*
 * Work threads, with a small event loop of our own: results arrive, the queue
 * is bounded, favoured jobs go first and have the last place, threads have low
 * priority and no signals, and without a coroutine a job runs in place.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/co.h"
#include "run/work.h"

#define THREADS	1u	/* so that the order of jobs is certain */

struct caller {
	void		(*fn)(void *);
	char		 name;
	bool		 favoured;
	bool		 refused, back;
	int		 nice;
	bool		 term_blocked;
};

static int		 bell = -1;
static pthread_mutex_t	 gate = PTHREAD_MUTEX_INITIALIZER;
static char		 order[64];
static unsigned		 ordered;	/* of the one thread's */
static unsigned		 back;

static void
watch(int fd)
{
	bell = fd;
}

static void
call(void *arg)
{
	struct caller	*c = arg;

	c->refused = !work_run(c->fn, c, c->favoured);
	c->back = true;
	back++;
}

static void
start(struct caller *c)
{
	assert_true(co_start(call, c));
}

/* Turns the loop until n calls came back; 10 s at most. */
static void
turn_until(unsigned n)
{
	struct pollfd	 fd = { .fd = bell, .events = POLLIN };

	while (back < n) {
		assert_int_equal(poll(&fd, 1, 10000), 1);
		work_finish();
	}
}

static int
reset(void **state)
{
	(void)state;
	back = ordered = 0;
	memset(order, 0, sizeof(order));
	return (0);
}

static void
note(void *arg)
{
	struct caller	*c = arg;

	order[ordered++] = c->name;
}

static void
note_at_gate(void *arg)
{
	(void)pthread_mutex_lock(&gate);
	note(arg);
	(void)pthread_mutex_unlock(&gate);
}

static void
look_around(void *arg)
{
	struct caller	*c = arg;
	sigset_t	 mask;

	errno = 0;
	c->nice = getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
	(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
	c->term_blocked = sigismember(&mask, SIGTERM) == 1;
}

static void
test_in_place(void **state)
{
	struct caller	 c = { .name = 'i' };

	(void)state;
	assert_true(work_run(note, &c, false));
	assert_string_equal(order, "i");
}

static void
test_thread(void **state)
{
	struct caller	 c = { .fn = look_around };
	sigset_t	 mask;
	int		 before = getpriority(PRIO_PROCESS, 0);

	(void)state;
	start(&c);
	assert_false(c.back);
	turn_until(1);
	assert_false(c.refused);
	assert_int_equal(c.nice, before + 10 < 19 ? before + 10 : 19);
	assert_true(c.term_blocked);
	/* Ours are as they were. */
	assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, SIGTERM), 0);
}

static void
test_bounds_and_order(void **state)
{
	struct caller	 first = { .fn = note_at_gate, .name = '1' };
	struct caller	 usual[WORK_QUEUE_MAX], wanted[2];
	unsigned	 i;

	(void)state;
	assert_int_equal(pthread_mutex_lock(&gate), 0);
	start(&first);
	/* Until the thread has taken it, it counts as waiting. */
	(void)poll(NULL, 0, 100);
	for (i = 0; i < WORK_QUEUE_MAX; i++) {
		usual[i] = (struct caller){ .fn = note, .name = 'u' };
		start(&usual[i]);
	}
	/* The last place is not for it. */
	assert_true(usual[WORK_QUEUE_MAX - 1].refused);
	assert_false(usual[WORK_QUEUE_MAX - 2].back);
	for (i = 0; i < 2; i++) {
		wanted[i] = (struct caller){ .fn = note, .name = 'f',
		    .favoured = true };
		start(&wanted[i]);
	}
	assert_false(wanted[0].back);
	assert_true(wanted[1].refused);
	assert_int_equal(pthread_mutex_unlock(&gate), 0);
	turn_until(1 + WORK_QUEUE_MAX + 2);
	assert_string_equal(order, "1f" "uuuuuuuuuuuuuuu");
	assert_int_equal(co_count(), 0);
	/* There is room again. */
	reset(NULL);
	start(&usual[0]);
	turn_until(1);
	assert_false(usual[0].refused);
}

static int
start_threads(void **state)
{
	(void)state;
	work_setup(THREADS, watch);
	return (bell == -1);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_in_place, reset),
		cmocka_unit_test_setup(test_thread, reset),
		cmocka_unit_test_setup(test_bounds_and_order, reset),
	};

	return (cmocka_run_group_tests(tests, start_threads, NULL));
}
