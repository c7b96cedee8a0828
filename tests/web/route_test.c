/*
 * The router against a table of its own.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include "web/route.h"

static struct arena	*a;
static struct req	 rq;

/* req.c refers to it; the router never fails a request. */
_Noreturn void
req_fail(struct req *r, int status, const char *why)
{
	(void)r;
	(void)status;
	(void)why;
	abort();
}

static void
page(struct req *r)
{
	(void)r;
}

static const struct route table[] = {
	{ METHOD_GET,	"/",			page,	ANYONE },
	{ METHOD_GET,	"/things/new",		page,	CONTACT },
	{ METHOD_GET,	"/things/:id",		page,	CONTACT | FRESH },
	{ METHOD_POST,	"/things/:id",		page,	0 },
	{ METHOD_POST,	"/a/:x/b/:yy",		page,	STAFF },
	{ 0, NULL, NULL, 0 }
};

static const struct route *
find(enum method method, const char *path, const char **ret_allowed)
{
	rq.method = method;
	rq.path = path;
	rq.arena = a;
	rq.route = route_find(&rq, ret_allowed);
	return (rq.route);
}

static int
up(void **state)
{
	(void)state;
	a = arena_new(1u << 16, NULL, NULL);
	route_setup(table);
	return (0);
}

static int
down(void **state)
{
	(void)state;
	arena_free(a);
	return (0);
}

static void
finds_rows_in_order(void **state)
{
	const char	*allowed;

	(void)state;
	assert_ptr_equal(find(METHOD_GET, "/", &allowed), &table[0]);
	assert_ptr_equal(find(METHOD_HEAD, "/", &allowed), &table[0]);
	assert_ptr_equal(find(METHOD_GET, "/things/new", &allowed), &table[1]);
	assert_ptr_equal(find(METHOD_GET, "/things/7", &allowed), &table[2]);
	assert_string_equal(req_param(&rq, "id"), "7");
	assert_ptr_equal(find(METHOD_POST, "/a/1/b/2", &allowed), &table[4]);
	assert_string_equal(req_param(&rq, "x"), "1");
	assert_string_equal(req_param(&rq, "yy"), "2");
}

static void
says_what_is_allowed(void **state)
{
	const char	*allowed;

	(void)state;
	assert_null(find(METHOD_DELETE, "/things/7", &allowed));
	assert_string_equal(allowed, "GET, HEAD, POST, OPTIONS");
	assert_null(find(METHOD_GET, "/a/1/b/2", &allowed));
	assert_string_equal(allowed, "POST, OPTIONS");
	assert_null(find(METHOD_OTHER, "/", &allowed));
	assert_string_equal(allowed, "GET, HEAD, OPTIONS");
}

static void
knows_nothing_else(void **state)
{
	static const char *const none[] = { "/things", "/things/", "/things/7/",
		"/things/7/8", "/a//b/2", "/a/1/b/", "/x", "/a/1/b" };
	const char	*allowed;
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(none); i++) {
		assert_null(find(METHOD_POST, none[i], &allowed));
		assert_null(allowed);
	}
}

static void
guards_in_words(void **state)
{
	(void)state;
	assert_string_equal(guard_text(CONTACT | FRESH), "CONTACT|FRESH");
	assert_string_equal(guard_text(0), "NOBODY");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_rows_in_order, up, down),
		cmocka_unit_test_setup_teardown(says_what_is_allowed, up, down),
		cmocka_unit_test_setup_teardown(knows_nothing_else, up, down),
		cmocka_unit_test_setup_teardown(guards_in_words, up, down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
