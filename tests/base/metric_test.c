/*
 * Counters over processes, gauges of workers, histograms, and how they are
 * written.
 */
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/metric.h"

static char	text[16384];

static const char *
written(void)
{
	struct buf	 b;

	buf_fixed(&b, text, sizeof(text));
	metric_write(&b);
	assert_false(b.full);
	return (buf_text(&b));
}

static void
has(const char *line)
{
	if (strstr(written(), line) == NULL)
		fail_msg("not in it: %s\n%s", line, text);
}

static void
test_all(void **state)
{
	unsigned	 calls, by[2], size, oldest, least, took, i;
	pid_t		 pid;
	int		 status;

	(void)state;
	/* Without memory nothing is counted, and nothing breaks. */
	metric_add(0, 1);
	metric_set(0, 1);
	metric_observe(0, 1);
	assert_string_equal(written(), "");
	metric_setup();
	calls = metric_new(METRIC_COUNTER, "a_calls_total", "Calls.", "");
	by[0] = metric_new(METRIC_COUNTER, "a_by_total", "By kind.",
	    "kind=\"x\"");
	by[1] = metric_new(METRIC_COUNTER, "a_by_total", "By kind.",
	    "kind=\"y\"");
	size = metric_new(METRIC_SUM, "a_size", "Size.", "");
	oldest = metric_new(METRIC_LARGEST, "a_oldest_seconds", "Age.", "");
	least = metric_new(METRIC_SMALLEST, "a_least", "Least.", "");
	took = metric_new(METRIC_HISTOGRAM, "a_took_seconds", "Time.", "");
	has("# HELP a_calls_total Calls.\n# TYPE a_calls_total counter\n"
	    "a_calls_total 0\n# HELP a_by_total");
	assert_null(strstr(written(), "kind="));
	assert_null(strstr(written(), "\na_size "));
	for (i = 1; i <= 2; i++) {
		pid = fork();
		if (pid == 0) {
			metric_worker(i);
			metric_add(calls, i);
			metric_add(by[1], 1);
			metric_set(size, 10 * i);
			metric_set(oldest, 1500000 * i);
			metric_set(least, i);
			metric_observe(took, i == 1 ? 100 : 101);
			metric_observe(took, 20000000);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	has("\na_calls_total 3\n");
	has("counter\na_by_total{kind=\"y\"} 2\n");
	has("# TYPE a_size gauge\na_size 30\n");
	has("\na_oldest_seconds 3.000000\n");
	has("\na_least 1\n");
	has("# TYPE a_took_seconds histogram\n"
	    "a_took_seconds_bucket{le=\"0.0001\"} 1\n"
	    "a_took_seconds_bucket{le=\"0.00025\"} 2\n");
	has("a_took_seconds_bucket{le=\"10\"} 2\n"
	    "a_took_seconds_bucket{le=\"+Inf\"} 4\n"
	    "a_took_seconds_sum 40.000201\na_took_seconds_count 4\n");
	/* A worker that came after one that died begins anew. */
	metric_worker(2);
	has("\na_size 10\n");
	metric_end();
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = { cmocka_unit_test(test_all) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
