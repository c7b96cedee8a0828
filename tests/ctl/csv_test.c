/*
 * CSV: RFC 4180 as it is, and the row of everything that it does not allow.
 */
#include "ctl/csv.h"

#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"

static struct arena	*arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1 << 20, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

/* Fields with | between, rows with / between; "!N" is a bad row N. */
static const char *
read_bytes(const char *text, size_t bytes)
{
	struct csv	 csv;
	struct csv_row	 row;
	struct buf	 out;
	const char	*why = NULL;
	enum csv_next	 next;
	int		 i;

	buf_init(&out, arena, 10000);
	csv_begin(&csv, arena, text, bytes);
	while ((next = csv_next(&csv, &row, &why)) == CSV_ROW) {
		for (i = 0; i < row.n; i++)
			buf_fmt(&out, "%s%s", i > 0 ? "|" : "",
			    row.fields[i]);
		buf_chr(&out, '/');
	}
	if (next == CSV_BAD) {
		assert_true(strlen(why) > 5);
		buf_fmt(&out, "!%lld", (long long)row.number);
	}
	return (arena_strdup(arena, buf_text(&out)));
}

static void
reads(const char *text, const char *expected)
{
	assert_string_equal(read_bytes(text, strlen(text)), expected);
}

static void
test_good(void **state)
{
	(void)state;
	reads("", "");
	reads("a,b\n", "a|b/");
	reads("a,b", "a|b/");
	reads("a,b\r\nc,d\r\n", "a|b/c|d/");
	reads("\xef\xbb\xbf" "a,b\n", "a|b/");
	reads("a,,\n", "a||/");
	reads(",\n", "|/");
	reads("\n\r\na\n\n", "a/");
	reads("\"a,\"\"b\"\"\",\"x\r\ny\"\n", "a,\"b\"|x\r\ny/");
	reads("\"\",\"\"", "|/");
	reads("\"a\"", "a/");
	reads(" a , b ", " a | b /");
}

static void
test_bad(void **state)
{
	(void)state;
	reads("a\nb\"c\n", "a/!2");
	reads("a\n\"b\"c\n", "a/!2");
	reads("\"never closed\n", "!1");
	reads("\"", "!1");
	reads("\"a\"\"", "!1");
	reads("a\rb\n", "!1");
	reads("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n", "!1");
	assert_string_equal(read_bytes("a\0b\n", 4), "!1");
	assert_string_equal(read_bytes("\"a\0b\"\n", 6), "!1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
