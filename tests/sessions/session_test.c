/*
 * Rules of sessions: whom a guard lets in, and where one may be sent on to.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "sessions/session.h"
#include "web/route.h"

static struct arena	*arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1024 * 1024, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

static void
test_rights(void **state)
{
	const struct session	 contact = { .kind = ACCOUNT_CONTACT };
	const struct session	 staff = { .kind = ACCOUNT_STAFF };
	const struct session	 admin = { .kind = ACCOUNT_ADMIN };
	const struct {
		unsigned		 guard;
		enum session_right	 nobody, contact, staff, admin;
	}			 rows[] = {
		{ 0, SESSION_MAY_NOT, SESSION_MAY_NOT, SESSION_MAY_NOT,
		    SESSION_MAY_NOT },
		{ NODB, SESSION_MAY_NOT, SESSION_MAY_NOT, SESSION_MAY_NOT,
		    SESSION_MAY_NOT },
		{ FRESH, SESSION_MAY_NOT, SESSION_MAY_NOT, SESSION_MAY_NOT,
		    SESSION_MAY_NOT },
		{ ANYONE, SESSION_MAY, SESSION_MAY, SESSION_MAY, SESSION_MAY },
		{ ACCOUNT, SESSION_SIGN_IN, SESSION_MAY, SESSION_MAY,
		    SESSION_MAY },
		{ CONTACT, SESSION_SIGN_IN, SESSION_MAY, SESSION_MAY_NOT,
		    SESSION_MAY_NOT },
		{ STAFF, SESSION_SIGN_IN, SESSION_MAY_NOT, SESSION_MAY,
		    SESSION_MAY },
		{ ADMIN, SESSION_SIGN_IN, SESSION_MAY_NOT, SESSION_MAY_NOT,
		    SESSION_MAY },
		{ CONTACT | ADMIN, SESSION_SIGN_IN, SESSION_MAY,
		    SESSION_MAY_NOT, SESSION_MAY },
		{ STAFF | FRESH, SESSION_SIGN_IN, SESSION_MAY_NOT,
		    SESSION_SIGN_IN_AGAIN, SESSION_SIGN_IN_AGAIN },
	};
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(session_right(NULL, rows[i].guard),
		    rows[i].nobody);
		assert_int_equal(session_right(&contact, rows[i].guard),
		    rows[i].contact);
		assert_int_equal(session_right(&staff, rows[i].guard),
		    rows[i].staff);
		assert_int_equal(session_right(&admin, rows[i].guard),
		    rows[i].admin);
	}
}

static void
test_fresh(void **state)
{
	const struct session	 s = { .kind = ACCOUNT_STAFF, .fresh = true };

	(void)state;
	assert_int_equal(session_right(&s, STAFF | FRESH), SESSION_MAY);
	assert_int_equal(session_right(&s, CONTACT | FRESH), SESSION_MAY_NOT);
}

/* Staff without a second factor, in production. */
static void
test_set_up_first(void **state)
{
	const struct session	 s = { .kind = ACCOUNT_ADMIN, .fresh = true,
				    .must_set_up = true };
	const unsigned		 closed[] = { ANYONE, ACCOUNT, STAFF, ADMIN,
				    CONTACT, STAFF | FRESH, ADMIN | FRESH };
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(closed); i++)
		assert_int_equal(session_right(&s, closed[i]),
		    SESSION_SET_UP);
	assert_int_equal(session_right(&s, ACCOUNT | SETUP), SESSION_MAY);
	assert_int_equal(session_right(&s, ACCOUNT | FRESH | SETUP),
	    SESSION_MAY);
	assert_int_equal(session_right(&s, CONTACT | SETUP), SESSION_MAY_NOT);
	assert_int_equal(session_right(&s, SETUP), SESSION_MAY_NOT);
}

static void
test_next(void **state)
{
	static const char *const ours[][2] = {
		{ "/", "/" },
		{ "/profile", "/profile" },
		{ "/products/rev-io?a=b&c=d%20e", "/products/rev-io?a=b&c=d%20e" },
		{ "/a b", "/a%20b" },
		{ "/ü\"<>", "/%C3%BC%22%3C%3E" },
		{ "/x#y", "/x%23y" },
		{ "/a?next=https://elsewhere.example",
		    "/a?next=https://elsewhere.example" },
		{ "/x//y", "/x//y" },
	};
	static const char *const not_ours[] = { "", "profile", "//evil.example",
	    "/\\evil.example", "\\\\evil.example", "https://evil.example/",
	    "javascript:alert(1)", "///evil.example", "/\tevil", "/\n/evil",
	    "\t//evil", " //evil", "/a\r\nSet-Cookie: x=y", "/\xff",
	    "/a\\..\\b", "/\xc2\x85" };
	char			 text[SESSION_NEXT_MAX + 2];
	size_t			 i;

	(void)state;
	assert_null(session_next(arena, NULL));
	for (i = 0; i < COUNT(ours); i++)
		assert_string_equal(session_next(arena, ours[i][0]),
		    ours[i][1]);
	for (i = 0; i < COUNT(not_ours); i++) {
		if (session_next(arena, not_ours[i]) != NULL)
			fail_msg("%s passes", not_ours[i]);
	}
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	text[SESSION_NEXT_MAX] = '\0';
	assert_non_null(session_next(arena, text));
	text[SESSION_NEXT_MAX] = 'a';
	text[SESSION_NEXT_MAX + 1] = '\0';
	assert_null(session_next(arena, text));
	/* The longest, when every byte is encoded. */
	memset(text, '"', sizeof(text));
	text[0] = '/';
	text[SESSION_NEXT_MAX] = '\0';
	assert_int_equal(strlen(session_next(arena, text)),
	    1 + 3 * (SESSION_NEXT_MAX - 1));
}

static void
test_referer(void **state)
{
	static const char	 origin[] = "https://portal.example";

	(void)state;
	assert_string_equal(session_referer(arena,
	    "https://portal.example/profile?x=1", origin), "/profile?x=1");
	assert_null(session_referer(arena, NULL, origin));
	assert_null(session_referer(arena, "https://portal.example", origin));
	assert_null(session_referer(arena,
	    "https://portal.example.evil/profile", origin));
	assert_null(session_referer(arena,
	    "https://portal.example@evil.example/", origin));
	assert_null(session_referer(arena,
	    "https://portal.example//evil.example/", origin));
	assert_null(session_referer(arena, "https://evil.example/profile",
	    origin));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_set_up_first),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_referer),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
