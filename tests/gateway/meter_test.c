/*
 * What was called, counted by several processes at once: every call is in one
 * batch, whoever dies when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "crypto/token.h"
#include "gateway/meter.h"

#define CELLS	4096u
#define KEYS	300
#define WORKERS	4
#define CALLS	200000
#define NOW	(1000000 * HOUR_US)

static struct meter_cell	 keys[KEYS];
static struct meter_cell	 cells[METER_BATCH];
static uint32_t			 calls[METER_BATCH];
static uint64_t			 batch, sums[KEYS];

static void
no_address(void *arg, struct meter_cell *c)
{
	(void)arg;
	c->family = 0;
}

static int
begin(void **state)
{
	char	 text[UUID_TEXT];
	int	 i;

	(void)state;
	crypto_init();
	memset(keys, 0, sizeof(keys));
	memset(sums, 0, sizeof(sums));
	for (i = 0; i < KEYS; i++) {
		uuid_make(text);
		assert_true(uuid_read(keys[i].key, text));
	}
	meter_setup(CELLS);
	return (0);
}

static int
end(void **state)
{
	(void)state;
	meter_end();
	return (0);
}

/* What a flush would write. */
static unsigned
sum_up(void)
{
	unsigned	 n = meter_take(cells, calls, &batch), i;
	int		 key;

	for (i = 0; i < n; i++) {
		for (key = 0; key < KEYS; key++)
			if (memcmp(keys[key].key, cells[i].key,
			    METER_ID) == 0)
				break;
		assert_true(key < KEYS);
		sums[key] += calls[i];
	}
	if (n > 0)
		meter_settle(batch);
	return (n);
}

static pid_t
caller(int hours)
{
	pid_t	 pid = fork();
	int	 i;

	assert_true(pid >= 0);
	if (pid == 0) {
		for (i = 0; i < CALLS; i++)
			meter_add(&keys[i % KEYS], NOW +
			    i % hours * HOUR_US, no_address, NULL);
		_exit(0);
	}
	return (pid);
}

/* Flushed as fast as can be while they call, and so that cells change hands:
 * no call is lost, or another's. */
static void
test_processes(void **state)
{
	pid_t	 pids[WORKERS];
	int	 i, status, left = WORKERS;

	(void)state;
	for (i = 0; i < WORKERS; i++)
		pids[i] = caller(5);
	while (left > 0) {
		(void)sum_up();
		for (i = 0; i < WORKERS; i++) {
			if (pids[i] != 0 &&
			    waitpid(pids[i], &status, WNOHANG) == pids[i]) {
				assert_int_equal(status, 0);
				pids[i] = 0;
				left--;
			}
		}
	}
	while (sum_up() > 0)
		continue;
	assert_true(meter_settled());
	assert_int_equal(meter_lost(), 0);
	for (i = 0; i < KEYS; i++)
		assert_int_equal(sums[i], WORKERS * (CALLS / KEYS +
		    (i < CALLS % KEYS)));
}

static void
test_batch_is_kept(void **state)
{
	uint64_t	 number;
	int		 i;

	(void)state;
	assert_int_equal(meter_take(cells, calls, &batch), 0);
	for (i = 0; i < 10; i++)
		meter_add(&keys[0], NOW, no_address, NULL);
	assert_int_equal(meter_take(cells, calls, &number), 1);
	assert_int_equal(calls[0], 10);
	assert_int_equal(cells[0].hour, NOW / HOUR_US);
	/* Not written: what comes meanwhile is of the next one. */
	meter_add(&keys[0], NOW, no_address, NULL);
	meter_add(&keys[1], NOW, no_address, NULL);
	assert_int_equal(meter_take(cells, calls, &batch), 1);
	assert_int_equal(calls[0], 10);
	assert_int_equal(batch, number);
	meter_settle(number - 1);
	assert_int_equal(meter_take(cells, calls, &batch), 1);
	meter_settle(number);
	assert_false(meter_settled());
	assert_int_equal(meter_take(cells, calls, &batch), 2);
	assert_true(batch > number);
	meter_settle(batch);
	assert_true(meter_settled());
}

static void
from_elsewhere(void *arg, struct meter_cell *c)
{
	c->family = 2;
	c->address[0] = *(unsigned char *)arg;
}

/* Is "last used" of a call told with it? */
static bool
tells(const struct meter_cell *key, int64_t at, unsigned char from)
{
	meter_add(key, at, from_elsewhere, &from);
	assert_int_equal(meter_take(cells, calls, &batch), 1);
	meter_settle(batch);
	return (cells[0].tells);
}

static void
test_tells(void **state)
{
	struct meter_cell	 other = keys[0];

	(void)state;
	assert_true(tells(&keys[0], NOW, 1));
	assert_false(tells(&keys[0], NOW + METER_TELL_US - 1, 1));
	assert_true(tells(&keys[0], NOW + METER_TELL_US, 1));
	assert_false(tells(&keys[0], NOW + METER_TELL_US + 1, 1));
	assert_true(tells(&keys[0], NOW + METER_TELL_US + 2, 2));
	other.outcome = VERDICT_RATE_LIMITED;
	assert_true(tells(&other, NOW + METER_TELL_US + 3, 2));
	/* Sent again it is told again, until it is written. */
	meter_add(&keys[1], NOW, no_address, NULL);
	assert_int_equal(meter_take(cells, calls, &batch), 1);
	assert_true(cells[0].tells);
	assert_int_equal(meter_take(cells, calls, &batch), 1);
	assert_true(cells[0].tells);
	meter_settle(batch);
}

/* An hour is over, and its cells are another's. */
static void
test_hours(void **state)
{
	int	 hour, i;

	(void)state;
	for (hour = 0; hour < 200; hour++) {
		for (i = 0; i < KEYS; i++)
			meter_add(&keys[i], NOW + hour * HOUR_US, no_address,
			    NULL);
		assert_int_equal(sum_up(), KEYS);
	}
	assert_int_equal(meter_lost(), 0);
	assert_int_equal(sums[7], 200);
}

/* More than fit while nobody can write: what fits is kept, the rest said. */
static void
test_full(void **state)
{
	uint64_t	 all = 0;
	int		 hour, i;

	(void)state;
	for (hour = 0; hour < 20; hour++)
		for (i = 0; i < KEYS; i++)
			meter_add(&keys[i], NOW + hour * HOUR_US, no_address,
			    NULL);
	while (sum_up() > 0)
		continue;
	for (i = 0; i < KEYS; i++)
		all += sums[i];
	assert_true(meter_lost() > 0);
	assert_int_equal(all + meter_lost(), 20 * KEYS);
}

static void
test_lease(void **state)
{
	pid_t	 pid;
	int	 status, ready[2];
	char	 c = 0;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		c = meter_lease();
		(void)!write(ready[1], &c, 1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(c, 1);
	assert_false(meter_lease());
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(meter_lease());
	assert_true(meter_lease());
	(void)close(ready[0]);
	(void)close(ready[1]);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, begin, end)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		TEST(test_processes),
		TEST(test_batch_is_kept),
		TEST(test_tells),
		TEST(test_hours),
		TEST(test_full),
		TEST(test_lease),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
