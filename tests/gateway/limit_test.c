/*
 * Rates and quotas: exact for one, exact for several processes at once, all or
 * nothing over several windows, and clean where the table is full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "crypto/token.h"
#include "gateway/limit.h"

#define PLACES	4096u
#define WORKERS	4
#define MONO	(1000 * SECOND_US)

static int64_t		 now;		/* noon of a day, wall clock */
static struct limits	 said;

static void
id_make(unsigned char id[LIMIT_ID])
{
	char	 text[UUID_TEXT];

	uuid_make(text);
	assert_true(uuid_read(id, text));
}

static struct limit_ids
somebody(void)
{
	static unsigned char	 id[3][LIMIT_ID];
	size_t			 i;

	for (i = 0; i < COUNT(id); i++)
		id_make(id[i]);
	return ((struct limit_ids){ .subscription = id[0], .tenant = id[1],
	    .user = id[2] });
}

static void
load(const unsigned char *subscription, int64_t at, uint64_t day_calls,
    uint64_t month_calls)
{
	limit_load(subscription, &(struct limit_counts){ limit_day(at),
	    limit_month(at), day_calls, month_calls });
}

static enum limit_verdict
call(const struct plan *plan, const struct limit_ids *who, int64_t later_us)
{
	return (limit_take(plan, who, now + later_us, MONO + later_us, false,
	    &said));
}

static unsigned
passed(const struct plan *plan, const struct limit_ids *who, unsigned calls,
    int64_t later_us)
{
	unsigned	 i, n = 0;

	for (i = 0; i < calls; i++)
		n += call(plan, who, later_us) == LIMIT_PASSED;
	return (n);
}

static int
begin(void **state)
{
	(void)state;
	crypto_init();
	now = clock_now() / DAY_US * DAY_US + 12 * HOUR_US;
	limit_setup(PLACES);
	return (0);
}

static int
end(void **state)
{
	(void)state;
	limit_end();
	return (0);
}

static void
test_rate(void **state)
{
	const struct plan	 minute = { .minute = 200 };
	struct limit_ids	 who = somebody();

	(void)state;
	assert_int_equal(call(&minute, &who, 0), LIMIT_PASSED);
	assert_int_equal(said.n, 1);
	assert_string_equal(said.rows[0].name, "minute");
	assert_int_equal(said.rows[0].quota, 200);
	assert_int_equal(said.rows[0].window_s, 60);
	assert_int_equal(said.rows[0].left, 199);
	assert_int_equal(said.rows[0].reset_s, 1);
	assert_int_equal(passed(&minute, &who, 300, 0), 199);
	assert_int_equal(said.rows[0].left, 0);
	assert_true(said.rows[0].full);
	/* One leaks in 0.3 seconds. */
	assert_int_equal(said.retry_s, 1);
	assert_int_equal(passed(&minute, &who, 5, 299999), 0);
	assert_int_equal(passed(&minute, &who, 5, 300000), 1);
	assert_int_equal(passed(&minute, &who, 5, 900000), 2);
	/* All of it after a minute, and no more after an hour. */
	assert_int_equal(passed(&minute, &who, 300, MINUTE_US + 900000), 200);
	assert_int_equal(passed(&minute, &who, 300, HOUR_US), 200);
}

/* Whatever the number, never more than it, at once or over an hour. */
static void
test_odd_rates(void **state)
{
	static const uint32_t	 quotas[] = { 1, 7, 59, 61, 997, 100003 };
	struct limit_ids	 who;
	struct plan		 plan;
	size_t			 i;
	unsigned		 n, turn;

	(void)state;
	for (i = 0; i < COUNT(quotas); i++) {
		plan = (struct plan){ .minute = quotas[i] };
		who = somebody();
		assert_int_equal(passed(&plan, &who, quotas[i] + 5, 0),
		    quotas[i]);
		n = 0;
		for (turn = 1; turn <= 600; turn++)
			n += passed(&plan, &who, quotas[i] / 10 + 2,
			    turn * MINUTE_US / 10);
		assert_in_range(n, quotas[i] * 60 - 1 - quotas[i] / 1000,
		    quotas[i] * 60);
	}
}

/* An issued key's own minute, whichever of its values is sent, beside the
 * subscription's. */
static void
test_issued_key(void **state)
{
	const struct plan	 plan = { .minute = 30, .key_minute = 20 };
	struct limit_ids	 who = somebody();
	unsigned char		 keys[2][LIMIT_ID];

	(void)state;
	who.user = NULL;
	assert_int_equal(passed(&plan, &who, 1, 0), 1);
	assert_int_equal(said.n, 1);
	id_make(keys[0]);
	id_make(keys[1]);
	who.key = keys[0];
	assert_int_equal(passed(&plan, &who, 25, 0), 20);
	assert_int_equal(said.n, 2);
	assert_string_equal(said.rows[1].name, "key-minute");
	assert_true(said.rows[1].full && !said.rows[0].full);
	assert_int_equal(said.rows[1].window_s, 60);
	who.key = keys[1];
	assert_int_equal(passed(&plan, &who, 25, 0), 9);
	assert_true(said.rows[0].full && !said.rows[1].full);
}

static void
test_all_or_nothing(void **state)
{
	const struct plan	 plan = { .second = 10, .minute = 30,
		.day = 45, .month = 100, .user_minute = 25,
		.tenant_minute = 1000, .tenant_day = 1000 };
	struct limit_ids	 who = somebody(), other = who;
	unsigned char		 another[LIMIT_ID];

	(void)state;
	assert_int_equal(call(&plan, &who, 0), LIMIT_UNKNOWN);
	load(who.subscription, now, 0, 0);
	assert_int_equal(passed(&plan, &who, 50, 0), 10);
	assert_int_equal(said.n, 7);
	assert_true(said.rows[0].full);
	assert_false(said.rows[1].full);
	assert_int_equal(said.rows[1].left, 20);
	assert_int_equal(passed(&plan, &who, 50, SECOND_US), 10);
	/* The user's 25 end before the subscription's 30; what they refuse is
	 * not taken from the others. */
	assert_int_equal(passed(&plan, &who, 50, 2 * SECOND_US), 5);
	assert_true(said.rows[4].full);
	assert_string_equal(said.rows[4].name, "api-user-minute");
	assert_int_equal(said.rows[1].left, 6);
	id_make(another);
	other.user = another;
	assert_int_equal(passed(&plan, &other, 50, 2 * SECOND_US), 5);
	/* A key without a user has no limit of a user. */
	other.user = NULL;
	assert_int_equal(passed(&plan, &other, 1, 3 * SECOND_US), 1);
	assert_int_equal(said.n, 6);
	/* 31 of the day's 45 are gone. */
	assert_int_equal(said.rows[2].left, 14);
	assert_int_equal(passed(&plan, &other, 10, 2 * MINUTE_US), 10);
	assert_int_equal(passed(&plan, &other, 10, 3 * MINUTE_US), 4);
	assert_int_equal(call(&plan, &other, 3 * MINUTE_US), LIMIT_QUOTA);
	assert_true(said.rows[2].full);
	assert_int_equal(said.retry_s, 12 * 3600 - 180);
	/* The next day has 45 more, until the month ends it. */
	if (limit_month(now) == limit_month(now + 2 * DAY_US)) {
		assert_int_equal(passed(&plan, &other, 10, DAY_US), 10);
		assert_int_equal(said.rows[3].left, 45);
	}
	assert_int_equal(passed(&plan, &other, 10, 32 * DAY_US), 10);
	assert_int_equal(said.rows[3].left, 90);
	assert_int_equal(said.rows[2].left, 35);
}

static void
test_load(void **state)
{
	const struct plan	 plan = { .day = 10, .month = 100 };
	struct limit_ids	 who = somebody();

	(void)state;
	/* Where it can't be loaded, from 0. */
	assert_int_equal(limit_take(&plan, &who, now, MONO, true, &said),
	    LIMIT_PASSED);
	assert_int_equal(said.rows[0].left, 9);
	load(who.subscription, now, 7, 70);
	load(who.subscription, now, 3, 30);	/* told late */
	assert_int_equal(passed(&plan, &who, 10, 0), 3);
	assert_int_equal(said.rows[1].left, 27);
	/* What was counted of a day that is over is nothing of this one. */
	load(who.subscription, now - DAY_US, 1000, 0);
	assert_int_equal(said.rows[1].left, 27);
}

static void
test_no_limit(void **state)
{
	const struct plan	 plan = { 0 };
	struct limit_ids	 who = somebody();

	(void)state;
	assert_int_equal(passed(&plan, &who, 1000, 0), 1000);
	assert_int_equal(said.n, 0);
}

/* Processes that take as fast as they can get all that there is, and no call
 * more. */
static void
test_processes(void **state)
{
	/* A day's rate leaks nothing meanwhile: one in 21.6 seconds. */
	static const struct plan plans[] = {
		{ .tenant_day = 4000 },
		{ .day = 4000 },
		{ .day = 1000000, .month = 4000 },
		{ .day = 4000, .tenant_day = 4100 },
		{ .day = 4100, .month = 5000, .tenant_day = 4000 },
	};
	unsigned		*got;
	struct limit_ids	 who;
	pid_t			 pids[WORKERS];
	size_t			 i;
	unsigned		 sum;
	int			 n, status;

	(void)state;
	got = mmap(NULL, WORKERS * sizeof(*got), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(got != MAP_FAILED);
	for (i = 0; i < COUNT(plans); i++) {
		who = somebody();
		for (n = 0; n < WORKERS; n++) {
			pids[n] = fork();
			assert_true(pids[n] >= 0);
			if (pids[n] == 0) {
				load(who.subscription, now, 0, 0);
				got[n] = passed(&plans[i], &who, 20000, 0);
				_exit(0);
			}
		}
		for (sum = 0, n = 0; n < WORKERS; n++) {
			assert_int_equal(waitpid(pids[n], &status, 0),
			    pids[n]);
			assert_int_equal(status, 0);
			sum += got[n];
		}
		assert_int_equal(sum, 4000);
		/* And nothing was taken for those that were refused. */
		assert_int_not_equal(call(&plans[i], &who, 0), LIMIT_PASSED);
		assert_int_equal(said.rows[0].left + 4000,
		    i == 2 ? 1000000 : i == 4 ? 4100 : 4000);
	}
	(void)munmap(got, WORKERS * sizeof(*got));
}

/* Ten times as many as there are places. */
static void
test_full(void **state)
{
	const struct plan	 plan = { .minute = 200 };
	struct limit_ids	 who = somebody(), busy;
	unsigned char		 id[3][LIMIT_ID];
	uint64_t		 before = limit_pushed_out();
	unsigned		 i;

	(void)state;
	memcpy(id[0], who.subscription, LIMIT_ID);
	memcpy(id[1], who.tenant, LIMIT_ID);
	memcpy(id[2], who.user, LIMIT_ID);
	busy = (struct limit_ids){ .subscription = id[0], .tenant = id[1],
	    .user = id[2] };
	/* Later than all tests before, whose places are empty by now. */
	assert_int_equal(passed(&plan, &busy, 300, 300 * DAY_US), 200);
	for (i = 0; i < 10 * PLACES; i++) {
		who = somebody();
		assert_int_equal(call(&plan, &who, 300 * DAY_US),
		    LIMIT_PASSED);
	}
	assert_true(limit_pushed_out() > before);
	/* Who has used all of it is the last to go. */
	assert_int_equal(call(&plan, &busy, 300 * DAY_US), LIMIT_RATE);
}

static void
test_addresses(void **state)
{
	unsigned char	 one[LIMIT_ID] = { 192, 0, 2, 1 };
	unsigned char	 two[LIMIT_ID] = { 192, 0, 2, 2 };
	uint32_t	 retry_s;
	int		 i;

	(void)state;
	for (i = 0; i < 30; i++)
		assert_true(limit_failure(one, 30, MONO, &retry_s));
	assert_false(limit_failure(one, 30, MONO, &retry_s));
	assert_int_equal(retry_s, 2);
	assert_true(limit_failure(two, 30, MONO, &retry_s));
	assert_true(limit_failure(one, 30, MONO + 2 * SECOND_US, &retry_s));
	assert_false(limit_failure(one, 30, MONO + 2 * SECOND_US, &retry_s));
}

static void
test_calendar(void **state)
{
	int64_t	 at;

	(void)state;
	assert_true(clock_parse("2026-12-31T23:59", &at));
	assert_int_equal(limit_month(at), 56 * 12 + 11);
	assert_int_equal(limit_month(at + MINUTE_US), 57 * 12);
	assert_int_equal(limit_day(at) + 1, limit_day(at + MINUTE_US));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_odd_rates),
		cmocka_unit_test(test_issued_key),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_calendar),
	};

	return (cmocka_run_group_tests(tests, begin, end));
}
