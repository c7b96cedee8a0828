/*
 * Forms, cookies and paths, as browsers send them and as nobody should.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include "web/form.h"

static struct arena	*a;

static int
up(void **state)
{
	(void)state;
	a = arena_new(1u << 20, NULL, NULL);
	return (0);
}

static int
down(void **state)
{
	(void)state;
	arena_free(a);
	return (0);
}

static struct fields
parsed(const char *text)
{
	struct fields	f;

	assert_int_equal(form_parse(a, text, strlen(text), &f), FORM_OK);
	return (f);
}

static void
form_keeps_what_kore_loses(void **state)
{
	struct fields	f;

	(void)state;
	f = parsed("a=x%3Dy=z&note=line%0D%0Atwo&empty=&&flag&a=second");
	assert_int_equal(f.n, 5);
	assert_string_equal(f.list[0].value, "x=y=z");
	assert_string_equal(f.list[1].value, "line\r\ntwo");
	assert_string_equal(f.list[2].value, "");
	assert_string_equal(f.list[3].name, "flag");
	assert_string_equal(f.list[3].value, "");
	assert_string_equal(f.list[4].value, "second");
	assert_string_equal(parsed("n=a+b%2Bc").list[0].value, "a b+c");
	assert_int_equal(parsed("").n, 0);
}

static void
form_is_nfc(void **state)
{
	(void)state;
	/* "e" and a combining acute become one character. */
	assert_string_equal(parsed("n=Caf%65%CC%81").list[0].value,
	    "Caf\xc3\xa9");
}

static void
form_refuses(void **state)
{
	static const char *const bad[] = { "a=%", "a=%4", "a=%zz", "a=%00",
		"%00=a", "a=%ff", "a=%C3", "a=%ED%A0%80", "a=%C0%AF" };
	struct fields	 f;
	struct buf	 b;
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(form_parse(a, bad[i], strlen(bad[i]), &f),
		    FORM_BAD);
	assert_int_equal(form_parse(a, "a=b\0c", 5, &f), FORM_BAD);
	buf_init(&b, a, 1 << 16);
	for (i = 0; i < REQ_FIELDS_MAX; i++)
		buf_str(&b, "a=1&");
	assert_int_equal(form_parse(a, b.p, b.n, &f), FORM_OK);
	assert_int_equal(f.n, REQ_FIELDS_MAX);
	buf_str(&b, "a=1");
	assert_int_equal(form_parse(a, b.p, b.n, &f), FORM_TOO_MANY);
}

static void
cookies_are_read_leniently(void **state)
{
	struct fields	f = { 0 };
	struct buf	b;
	size_t		i;

	(void)state;
	cookie_parse(a, "a=1; b==2=; ;x; =y; c=\"q\" ;d=", &f);
	assert_int_equal(f.n, 4);
	assert_string_equal(f.list[0].value, "1");
	assert_string_equal(f.list[1].value, "=2=");
	assert_string_equal(f.list[2].value, "\"q\"");
	assert_string_equal(f.list[3].value, "");
	buf_init(&b, a, 4096);
	for (i = 0; i < 100; i++)
		buf_str(&b, "k=v;");
	cookie_parse(a, b.p, &f);
	assert_int_equal(f.n, REQ_COOKIES_MAX);
}

static void
paths(void **state)
{
	static const char *const bad[] = { "", "x", "//", "/a//b", "/..",
		"/a/../b", "/a/..", "/./a", "/a/.", "/%2e%2e/a", "/a%2fb",
		"/a%2Fb", "/a%5cb", "/a\\b", "/a%00", "/a%0d%0ab", "/%ff",
		"/%", "/%e2%80%a8", "http://evil.example/", "*" };
	char		*longest;
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_null(path_decode(a, bad[i]));
	assert_string_equal(path_decode(a, "/a+b%20c/%C3%A9"),
	    "/a+b c/\xc3\xa9");
	assert_string_equal(path_decode(a, "/..a/b..c/.d"), "/..a/b..c/.d");
	assert_string_equal(path_decode(a, "/a/"), "/a/");
	longest = arena_alloc(a, REQ_PATH_MAX + 2);
	memset(longest, 'a', REQ_PATH_MAX + 1);
	longest[0] = '/';
	assert_null(path_decode(a, longest));
	longest[REQ_PATH_MAX] = '\0';
	assert_non_null(path_decode(a, longest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(form_keeps_what_kore_loses,
		    up, down),
		cmocka_unit_test_setup_teardown(form_is_nfc, up, down),
		cmocka_unit_test_setup_teardown(form_refuses, up, down),
		cmocka_unit_test_setup_teardown(cookies_are_read_leniently,
		    up, down),
		cmocka_unit_test_setup_teardown(paths, up, down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
