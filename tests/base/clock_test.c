/*
 * The calendar against the C library's over 800 years, and the words that
 * people read.
 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* 2026-11-22 14:05:00 UTC, a Sunday */
#define NOV_22	(INT64_C(1795356300) * SECOND_US)

static struct arena	*a;

static int
setup(void **state)
{
	(void)state;
	a = arena_new(64u << 20, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(a);
	return (0);
}

static void
test_forms(void **state)
{
	char	stamp[CLOCK_STAMP];

	(void)state;
	assert_string_equal(clock_iso(a, NOV_22), "2026-11-22T14:05:00Z");
	assert_string_equal(clock_long(a, NOV_22),
	    "22 November 2026, 14:05 UTC");
	assert_string_equal(clock_day(a, NOV_22),
	    "Sunday 22 November, 14:05 UTC");
	assert_string_equal(clock_date(a, NOV_22), "22 November 2026");
	assert_string_equal(clock_mail(a, NOV_22),
	    "Sun, 22 Nov 2026 14:05:00 +0000");
	assert_string_equal(clock_http(a, NOV_22),
	    "Sun, 22 Nov 2026 14:05:00 GMT");
	/* The example of RFC 9110, section 5.6.7 */
	assert_string_equal(clock_http(a, INT64_C(784111777) * SECOND_US),
	    "Sun, 06 Nov 1994 08:49:37 GMT");
	clock_stamp(stamp, NOV_22 + 42);
	assert_string_equal(stamp, "2026-11-22T14:05:00.000042Z");
	clock_stamp(stamp, -1);
	assert_string_equal(stamp, "1969-12-31T23:59:59.999999Z");
}

static void
test_calendar(void **state)
{
	char		 expect[40];
	struct tm	 tm;
	time_t		 t;
	int64_t		 day;

	(void)state;
	/* 1600 to 2400 in steps of a day and a bit, so that all times come. */
	for (day = -135140; day < 157060; day++) {
		t = (time_t)(day * 86400 + (day * 7919) % 86400);
		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(expect, sizeof(expect),
		    "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
		assert_string_equal(clock_http(a, (int64_t)t * SECOND_US),
		    expect);
	}
}

static void
test_words(void **state)
{
	(void)state;
	assert_string_equal(clock_ago(a, NOV_22, NOV_22), "just now");
	assert_string_equal(clock_ago(a, NOV_22 + HOUR_US, NOV_22),
	    "just now");
	assert_string_equal(clock_ago(a, 0, MINUTE_US - 1), "just now");
	assert_string_equal(clock_ago(a, 0, MINUTE_US), "1 minute ago");
	assert_string_equal(clock_ago(a, 0, 3 * MINUTE_US - 1),
	    "2 minutes ago");
	assert_string_equal(clock_ago(a, 0, 20 * HOUR_US - 1),
	    "19 hours ago");
	assert_string_equal(clock_ago(a, 0, 100 * DAY_US), "100 days ago");

	assert_string_equal(clock_span(a, -5), "0 seconds");
	assert_string_equal(clock_span(a, SECOND_US), "1 second");
	assert_string_equal(clock_span(a, 40 * MINUTE_US), "40 minutes");
	assert_string_equal(clock_span(a, HOUR_US), "1 hour");
	assert_string_equal(clock_span(a, 30 * HOUR_US - 1), "29 hours");
	assert_string_equal(clock_span(a, 72 * HOUR_US - 1), "71 hours");
	assert_string_equal(clock_span(a, 72 * HOUR_US), "3 days");
}

static void
test_clocks(void **state)
{
	int64_t	wall = clock_now(), before = clock_monotonic();

	(void)state;
	assert_true(wall / SECOND_US >= (int64_t)time(NULL) - 1);
	assert_true(wall / SECOND_US <= (int64_t)time(NULL));
	assert_true(clock_monotonic() >= before);
}

static void
left_for_people(void **state)
{
	int64_t	now = 7 * DAY_US;

	(void)state;
	assert_true(clock_left(now + 48 * HOUR_US - 3 * SECOND_US, now) ==
	    48 * HOUR_US);
	assert_true(clock_left(now + 29 * HOUR_US + 29 * MINUTE_US, now) ==
	    29 * HOUR_US);
	assert_true(clock_left(now + 29 * HOUR_US + 30 * MINUTE_US, now) ==
	    30 * HOUR_US);
	assert_true(clock_left(now + 59 * MINUTE_US, now) == 59 * MINUTE_US);
	assert_true(clock_left(now - 90 * MINUTE_US, now) == -90 * MINUTE_US);
}

static void
test_typed(void **state)
{
	static const char *const bad[] = { "", "2026", "2026-11", "2026-11-2",
		"2026-02-30", "2025-02-29", "2026-13-01", "2026-00-10",
		"2026-01-00", "2026-1-01", "2026-11-22 ", "2026-11-22T",
		"2026-11-22T24:00", "2026-11-22T14:60", "2026-11-22T14:0",
		"2026-11-22T14:05:00", "-026-11-22", "22.11.2026" };
	int64_t		 at, day;
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_false(clock_parse(bad[i], &at));
	assert_true(clock_parse("1970-01-01", &at) && at == 0);
	assert_true(clock_parse("2026-11-22T14:05", &at));
	assert_string_equal(clock_iso(a, at), "2026-11-22T14:05:00Z");
	assert_string_equal(clock_input_time(a, at), "2026-11-22T14:05");
	/* Each day of some 140 years, there and back. */
	for (day = -800; day < 50000; day++) {
		assert_true(clock_parse(clock_input_date(a, day * DAY_US),
		    &at));
		assert_true(at == day * DAY_US);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(left_for_people),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_typed),
		cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_clocks),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
