/*
 * What arrives on standard output, read back through a pipe.
 */
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/child.h"
#include "base/str.h"

static int	real_out, ends[2];
static char	seen[65537];

static int
setup(void **state)
{
	(void)state;
	if (fflush(stdout) != 0 || (real_out = dup(STDOUT_FILENO)) == -1 ||
	    pipe2(ends, O_NONBLOCK) == -1 ||
	    dup2(ends[1], STDOUT_FILENO) == -1)
		return (-1);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	log_flush();
	if (dup2(real_out, STDOUT_FILENO) == -1)
		return (-1);
	(void)close(real_out);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return (0);
}

/* What came since the last call. */
static const char *
got(void)
{
	ssize_t	n = read(ends[0], seen, sizeof(seen) - 1);

	seen[n > 0 ? n : 0] = '\0';
	return (seen);
}

static void
test_levels(void **state)
{
	enum log_level	level = LOG_LEVEL_DEBUG;

	(void)state;
	assert_true(log_level_parse("warn", &level));
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_false(log_level_parse("loud", &level));
	assert_false(log_level_parse("WARN", &level));
	assert_int_equal(level, LOG_LEVEL_WARN);

	log_setup("tester", LOG_LEVEL_WARN);
	log_event(LOG_LEVEL_INFO, "quiet", NULL);
	log_flush();
	assert_string_equal(got(), "");
	log_event(LOG_LEVEL_WARN, "heard", NULL);
	assert_non_null(strstr(got(), "\"event\":\"heard\""));
}

static void
test_line(void **state)
{
	char		 expect[200];
	const char	*line;

	(void)state;
	log_setup("tester", LOG_LEVEL_DEBUG);
	log_event(LOG_LEVEL_INFO, "req\"uest", "route", "/a\n\x01\xff",
	    "status", LOG_NUM(-503), "who", (const char *)NULL, NULL);
	assert_string_equal(got(), "");
	log_flush();
	line = got();
	(void)snprintf(expect, sizeof(expect), "\",\"level\":\"info\","
	    "\"program\":\"tester\",\"pid\":%d,\"event\":\"req\\\"uest\","
	    "\"route\":\"/a\\n\\u0001\xef\xbf\xbd\",\"status\":\"-503\","
	    "\"who\":null}\n", (int)getpid());
	assert_true(str_starts(line, "{\"time\":\"20"));
	assert_string_equal(strchr(line, 'Z') + 1, expect);
	log_flush();
	assert_string_equal(got(), "");
}

static void
test_gathers_whole_lines(void **state)
{
	char		value[1000];
	const char	*all;
	int		i;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (i = 0; i < 4; i++)
		log_event(LOG_LEVEL_INFO, "long", "value", value, NULL);
	/* Three lines are over 3 kB, the fourth would go over 4 kB. */
	all = got();
	assert_true(strlen(all) > 3000 && strlen(all) <= 4096);
	assert_true(str_ends(all, "}\n"));
	log_flush();
	assert_true(str_ends(got(), "}\n"));
}

static void
test_cut(void **state)
{
	static char	value[6001];
	const char	*line;

	(void)state;
	/* 999 bytes and then a character of two: cut before it */
	memset(value, 'v', sizeof(value) - 1);
	value[999] = '\xc3';
	value[1000] = '\xa9';
	value[6000] = '\0';
	log_event(LOG_LEVEL_WARN, "cut", "value", value, "after", "x", NULL);
	line = got();
	assert_non_null(strstr(line, "vv\",\"after\":\"x\",\"cut\":true}\n"));
	assert_int_equal(strspn(strstr(line, "vvv"), "v"), 999);

	/* Control characters take six bytes each: 6000 do not fit. */
	memset(value, '\x01', sizeof(value) - 1);
	log_event(LOG_LEVEL_WARN, "wide", "value", value, "after", "x", NULL);
	line = got();
	assert_non_null(strstr(line, "\"wide\",\"after\":\"x\",\"cut\":true}"));
	assert_null(strstr(line, "value"));

	value[999] = '\0';
	memset(value, 'v', 999);
	log_event(LOG_LEVEL_WARN, "many", "a", value, "b", value, "c", value,
	    "d", value, "e", "x", NULL);
	line = got();
	assert_true(strlen(line) <= 4096);
	assert_true(str_ends(line, ",\"e\":\"x\",\"cut\":true}\n"));
}

static void
test_fork_writes_once(void **state)
{
	const char	*all;
	pid_t		 child;
	int		 status;

	(void)state;
	log_event(LOG_LEVEL_INFO, "before", NULL);
	child = child_fork();
	if (child == 0) {
		log_event(LOG_LEVEL_INFO, "child", NULL);
		log_flush();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	log_flush();
	all = got();
	assert_non_null(strstr(all, "\"before\""));
	assert_null(strstr(strstr(all, "\"before\"") + 1, "\"before\""));
	assert_non_null(strstr(all, "\"child\""));
}

/* A pipe that takes no more: the process neither hangs nor dies. */
static void
test_full_pipe(void **state)
{
	int	i;

	(void)state;
	for (i = 0; i < 2000; i++)
		log_event(LOG_LEVEL_WARN, "flood", "value",
		    "0123456789012345678901234567890123456789", NULL);
	while (*got() != '\0')
		;
	log_event(LOG_LEVEL_WARN, "after", NULL);
	assert_non_null(strstr(got(), "\"event\":\"after\"}\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gathers_whole_lines,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fork_writes_once, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_full_pipe, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
