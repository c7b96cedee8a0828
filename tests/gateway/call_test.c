/*
 * Reading a call from what a gateway sends: a table of good and odd ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "crypto/token.h"
#include "gateway/call.h"

#define KEY	"Ocp-Apim-Subscription-Key"
#define METHOD	"X-Forwarded-Method"
#define URI	"X-Forwarded-Uri"

struct header {
	const char	*name, *value;
};

static enum call_verdict
read_call(struct call *c, enum call_way way, const struct header *h)
{
	call_begin(c, way);
	for (; h->name != NULL; h++)
		call_header(c, h->name, h->value);
	return (call_read(c, "PATCH", "/of/the/line?x=1"));
}

#define READ(c, way, ...)						\
	read_call((c), (way), (const struct header[]){ __VA_ARGS__, { 0 } })

static void
test_ways(void **state)
{
	struct call	 c;

	(void)state;
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "DELETE" },
	    { URI, "/a?b" }, { "ocp-apim-subscription-KEY", "k1" },
	    { "Host", "x" }), CALL_GOOD);
	assert_string_equal(c.method, "DELETE");
	assert_string_equal(c.target, "/a?b");
	assert_string_equal(c.key, "k1");
	assert_int_equal(c.user_kind, CALL_USER_NONE);
	assert_int_equal(READ(&c, CALL_NGINX, { "X-Original-Method", "PUT" },
	    { "X-Original-URI", "/n" }, { KEY, "k" }), CALL_GOOD);
	assert_string_equal(c.method, "PUT");
	assert_string_equal(c.target, "/n");
	assert_int_equal(READ(&c, CALL_LINE, { KEY, "k" }), CALL_GOOD);
	assert_string_equal(c.method, "PATCH");
	assert_string_equal(c.target, "/of/the/line?x=1");
}

static void
test_odd(void **state)
{
	struct call	 c;

	(void)state;
	/* Something is missing. */
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" }, { KEY, "k" }),
	    CALL_ODD);
	assert_int_equal(READ(&c, CALL_PLAIN, { URI, "/" }, { KEY, "k" }),
	    CALL_ODD);
	assert_int_equal(READ(&c, CALL_NGINX, { METHOD, "GET" }, { URI, "/" },
	    { KEY, "k" }), CALL_ODD);
	/* The other way's beside ours. */
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" }, { URI, "/" },
	    { "x-original-uri", "/" }, { KEY, "k" }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_NGINX, { "X-Original-Method", "GET" },
	    { "X-Original-URI", "/" }, { METHOD, "GET" }, { KEY, "k" }),
	    CALL_ODD);
	assert_int_equal(READ(&c, CALL_LINE, { METHOD, "GET" }, { KEY, "k" }),
	    CALL_ODD);
	/* Something twice. */
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" }, { URI, "/" },
	    { METHOD, "GET" }, { KEY, "k" }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" }, { URI, "/" },
	    { KEY, "k" }, { KEY, "k" }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_LINE, { KEY, "k" },
	    { "authorization", "Basic x" }, { "Authorization", "Basic x" }),
	    CALL_ODD);
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" },
	    { URI, "/?subscription-key=a" }, { KEY, "a" }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" },
	    { URI, "/?subscription-key=a&Subscription-Key=a" }), CALL_ODD);
}

static void
test_keys(void **state)
{
	static const struct {
		const char	*target;
		enum call_verdict verdict;
		const char	*key;
	} rows[] = {
		{ "/", CALL_NO_KEY, "" },
		{ "/?", CALL_NO_KEY, "" },
		{ "/?subscription-key", CALL_NO_KEY, "" },
		{ "/?subscription-key=", CALL_NO_KEY, "" },
		{ "/?xsubscription-key=a", CALL_NO_KEY, "" },
		{ "/?subscription-keys=a", CALL_NO_KEY, "" },
		{ "/subscription-key=a", CALL_NO_KEY, "" },
		{ "/?subscription-key=abc", CALL_GOOD, "abc" },
		{ "/?a=b&subscription-key=abc&c", CALL_GOOD, "abc" },
		{ "/?SUBSCRIPTION-KEY=abc", CALL_GOOD, "abc" },
		{ "/?subscription-key=a%62%63", CALL_GOOD, "abc" },
		{ "/?subscription-key=a%6", CALL_GOOD, "a%6" },
		{ "/?subscription-key=a%", CALL_GOOD, "a%" },
		{ "/?subscription-key=a%00b", CALL_BAD_KEY, NULL },
	};
	struct call	 c;
	static char	 key[10001];
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (READ(&c, CALL_PLAIN, { METHOD, "GET" },
		    { URI, rows[i].target }) != rows[i].verdict)
			fail_msg("%s", rows[i].target);
		if (rows[i].key != NULL)
			assert_string_equal(c.key, rows[i].key);
	}
	memset(key, 'a', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	assert_int_equal(READ(&c, CALL_LINE, { KEY, key }), CALL_BAD_KEY);
	key[CALL_KEY_MAX + 1] = '\0';
	assert_int_equal(READ(&c, CALL_LINE, { KEY, key }), CALL_BAD_KEY);
	key[CALL_KEY_MAX] = '\0';
	assert_int_equal(READ(&c, CALL_LINE, { KEY, key }), CALL_GOOD);
	assert_string_equal(c.key, key);
	assert_int_equal(READ(&c, CALL_LINE, { KEY, "" }), CALL_NO_KEY);
	call_end(&c);
	assert_int_equal(c.key[0], 0);
}

static void
test_users(void **state)
{
	static const struct {
		const char	*value;		/* of Authorization */
		enum call_user	 kind;
		const char	*user, *password;
	} rows[] = {
		{ "Bearer x", CALL_USER_NONE, "", "" },
		{ "Basically", CALL_USER_NONE, "", "" },
		/* FORTAPI@ALTWORX:pass */
		{ "Basic Rk9SVEFQSUBBTFRXT1JYOnBhc3M=", CALL_USER_GIVEN,
		    "FORTAPI@ALTWORX", "pass" },
		/* FortApi@altworx:p:a@s s */
		{ "bAsIc   Rm9ydEFwaUBhbHR3b3J4OnA6YUBzIHM=", CALL_USER_GIVEN,
		    "FORTAPI@ALTWORX", "p:a@s s" },
		{ "Basic", CALL_USER_BAD, "", "" },
		{ "Basic !", CALL_USER_BAD, "", "" },
		/* without its padding */
		{ "Basic Rk9SVEFQSUBBTFRXT1JYOnBhc3M", CALL_USER_BAD, "", "" },
		{ "Basic Rk9SVEFQSUBBTFRXT1JYOnBhc3M= ", CALL_USER_BAD, "",
		    "" },
		/* FORTAPI@ALTWORX, FORTAPI:pass, FORTAPI@ALTWORX: */
		{ "Basic Rk9SVEFQSUBBTFRXT1JY", CALL_USER_BAD, "", "" },
		{ "Basic Rk9SVEFQSTpwYXNz", CALL_USER_BAD, "", "" },
		{ "Basic Rk9SVEFQSUBBTFRXT1JYOg==", CALL_USER_BAD, "", "" },
		/* F@ALTWORX:p, FO RT@ALTWORX:p, FORTAPI@A@B:p */
		{ "Basic RkBBTFRXT1JYOnA=", CALL_USER_BAD, "", "" },
		{ "Basic Rk8gUlRAQUxUV09SWDpw", CALL_USER_BAD, "", "" },
		{ "Basic Rk9SVEFQSUBBQEI6cA==", CALL_USER_BAD, "", "" },
		/* FORTAPI@ALTWORX:pa NUL ss */
		{ "Basic Rk9SVEFQSUBBTFRXT1JYOnBhAHNz", CALL_USER_BAD, "",
		    "" },
	};
	struct call	 c;
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(READ(&c, CALL_LINE, { KEY, "k" },
		    { "authorization", rows[i].value }), CALL_GOOD);
		if (c.user_kind != rows[i].kind)
			fail_msg("%s is %d", rows[i].value, c.user_kind);
		if (c.user_kind != CALL_USER_GIVEN)
			continue;
		assert_string_equal(c.user, rows[i].user);
		assert_string_equal(c.password, rows[i].password);
	}
}

static int
begin(void **state)
{
	(void)state;
	crypto_init();
	return (0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_users),
	};

	return (cmocka_run_group_tests(tests, begin, NULL));
}
