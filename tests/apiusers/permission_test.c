/*
 * The decision on calls, as a table: what is granted, what is not, and every
 * way of writing a path that somebody behind us might read otherwise.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include "apiusers/permission.h"
#include "base/arena.h"
#include "base/str.h"

#define SET \
	"/billing GET=all\n" \
	"/billing/api/v1/Secret\n" \
	"/billing/api/v1/contacts GET=all POST=7,9 DELETE=7\n" \
	"/billing/api/v1/contacts/private\n" \
	"/psa/api/v1/tickets GET=100214,100377 POST=100214,100377 " \
	"PUT=100214,100377 PATCH=all DELETE=all\n"

#define GRANTED PERMISSION_GRANTED
#define ODD PERMISSION_ODD_PATH
#define METHOD PERMISSION_ODD_METHOD
#define NONE PERMISSION_NO_RESOURCE
#define NOT PERMISSION_NOT_GRANTED

static uint32_t memory[8192];

static const struct permission_set *
set_of(const char *text)
{
	return (permission_set_make(memory, sizeof(memory), text,
	    strlen(text)));
}

static const struct {
	const char *method, *target;
	enum permission_verdict verdict;
	const char *scope;
} calls[] = {
	{ "GET", "/billing", GRANTED, "all" },
	{ "GET", "/billing/", GRANTED, "all" },
	{ "GET", "/billing/else", GRANTED, "all" },
	{ "HEAD", "/billing/else", GRANTED, "all" },
	{ "POST", "/billing/else", NOT, "" },
	{ "GET", "/billing?a=/../;//%2f", GRANTED, "all" },
	{ "GET", "/billing?", GRANTED, "all" },
	{ "POST", "/billing/api/v1/contacts", GRANTED, "7,9" },
	{ "DELETE", "/billing/api/v1/contacts/7", GRANTED, "7" },
	{ "DELETE", "/billing/api/v1/contacts/7/", GRANTED, "7" },
	{ "DELETE", "/billing/api/v1/contacts/%37", GRANTED, "7" },
	{ "DELETE", "/billing/api/v1/c%6Fntacts/7", GRANTED, "7" },
	{ "DELETE", "/billing/api/v1/contacts/J%C3%BCrgen%20B", GRANTED, "7" },
	{ "DELETE", "/billing/api/v1/contacts/a.b", GRANTED, "7" },
	{ "DELETE", "/billing/api/v1/contacts/...a", GRANTED, "7" },
	{ "DELETE", "/billing/api/v1/contacts/a:b@c,d!$&'()*+=~", GRANTED,
	    "7" },
	{ "DELETE", "/billing/api/v1/contacts/100%25", GRANTED, "7" },
	{ "PUT", "/billing/api/v1/contacts/7", NOT, "" },
	{ "PATCH", "/psa/api/v1/tickets/1/replies", GRANTED, "all" },
	{ "PUT", "/psa/api/v1/tickets/1", GRANTED, "100214,100377" },
	/* The narrowest resource decides, granted or not. */
	{ "GET", "/billing/api/v1/contacts/private", NOT, "" },
	{ "GET", "/billing/api/v1/contacts/private/7", NOT, "" },
	{ "GET", "/billing/api/v1/contacts/privates", GRANTED, "all" },
	{ "GET", "/billing/api/v1/Secret/1", NOT, "" },
	/* In other capitals it is hidden from nobody. */
	{ "GET", "/billing/api/v1/secret/1", NONE, "" },
	{ "GET", "/billing/api/v1/contacts/PRIVATE", NONE, "" },
	{ "GET", "/Billing/api", NONE, "" },
	{ "GET", "/billing/api/v1/CONTACTS/1", NONE, "" },
	/* Nothing of the product. */
	{ "GET", "/", NONE, "" },
	{ "GET", "/billings", NONE, "" },
	{ "GET", "/bill", NONE, "" },
	{ "GET", "/psa", NONE, "" },
	{ "GET", "/psa/api/v1/tickets2", NONE, "" },
	{ "GET", "/psa/api/v1/tickets%20/1", ODD, "" },
	{ "GET", "/psa/api/v1/tickets%09/1", ODD, "" },
	/* Methods. */
	{ "get", "/billing", METHOD, "" },
	{ "OPTIONS", "/billing", METHOD, "" },
	{ "TRACE", "/billing", METHOD, "" },
	{ "CONNECT", "/billing", METHOD, "" },
	{ "LOOK", "/billing", METHOD, "" },
	{ "", "/billing", METHOD, "" },
	{ "GET ", "/billing", METHOD, "" },
	{ "GE", "/billing", METHOD, "" },
	{ "DELETE,GET", "/billing", METHOD, "" },
	/* Paths that might be read otherwise. */
	{ "GET", "", ODD, "" },
	{ "GET", "*", ODD, "" },
	{ "GET", "billing", ODD, "" },
	{ "GET", "?/billing", ODD, "" },
	{ "GET", "http://api.example/billing", ODD, "" },
	{ "GET", "//billing", ODD, "" },
	{ "GET", "/billing//api/v1/contacts/private", ODD, "" },
	{ "GET", "/billing//", ODD, "" },
	{ "GET", "/billing/.", ODD, "" },
	{ "GET", "/billing/..", ODD, "" },
	{ "GET", "/billing/../psa/api/v1/tickets", ODD, "" },
	{ "GET", "/billing/./api", ODD, "" },
	{ "GET", "/billing/%2e%2e/psa", ODD, "" },
	{ "GET", "/billing/.%2E/psa", ODD, "" },
	{ "GET", "/billing/%2e", ODD, "" },
	{ "GET", "/billing/...", ODD, "" },
	{ "GET", "/billing/api/v1/contacts/private./7", ODD, "" },
	{ "GET", "/billing/api/v1/contacts/private%20", ODD, "" },
	{ "GET", "/billing%2fapi", ODD, "" },
	{ "GET", "/billing%2Fapi", ODD, "" },
	{ "GET", "/billing%5capi", ODD, "" },
	{ "GET", "/billing\\api", ODD, "" },
	{ "GET", "/billing;x=1/api", ODD, "" },
	{ "GET", "/billing%3bx=1", ODD, "" },
	{ "GET", "/billing/..;/psa", ODD, "" },
	{ "GET", "/billing#x", ODD, "" },
	{ "GET", "/billing?x#y", ODD, "" },
	{ "GET", "/billing%23x", ODD, "" },
	{ "GET", "/billing%3fx", ODD, "" },
	{ "GET", "/billing%00", ODD, "" },
	{ "GET", "/billing%0d%0aX: y", ODD, "" },
	{ "GET", "/billing%7f", ODD, "" },
	{ "GET", "/billing x", ODD, "" },
	{ "GET", "/billing\tx", ODD, "" },
	{ "GET", "/billing?a b", ODD, "" },
	{ "GET", "/billing?a\r\nb", ODD, "" },
	{ "GET", "/billing%", ODD, "" },
	{ "GET", "/billing%2", ODD, "" },
	{ "GET", "/billing%2?2", ODD, "" },
	{ "GET", "/billing%zz", ODD, "" },
	{ "GET", "/billing/%u002e", ODD, "" },
	{ "GET", "/billing/%252e%252e/psa", ODD, "" },
	{ "GET", "/billing/%25%32%66", ODD, "" },
	{ "GET", "/billing/%c0%ae%c0%ae/psa", ODD, "" },
	{ "GET", "/billing/%c0%af", ODD, "" },
	{ "GET", "/billing/%ff", ODD, "" },
	{ "GET", "/billing/%ed%a0%80", ODD, "" },
	{ "GET", "/billing/\xc3\xbc", ODD, "" },
};

static void
test_calls(void **state)
{
	const struct permission_set *set = set_of(SET);
	struct permission_answer got;
	size_t i;

	(void)state;
	assert_non_null(set);
	for (i = 0; i < COUNT(calls); i++) {
		got = permission_decide(set, calls[i].method,
		    strlen(calls[i].method), calls[i].target,
		    strlen(calls[i].target));
		if (got.verdict != calls[i].verdict)
			fail_msg("%s %s: verdict %d, not %d", calls[i].method,
			    calls[i].target, (int)got.verdict,
			    (int)calls[i].verdict);
		if (got.scope_bytes != strlen(calls[i].scope) ||
		    memcmp(got.scope, calls[i].scope, got.scope_bytes) != 0)
			fail_msg("%s %s: scope %.*s", calls[i].method,
			    calls[i].target, (int)got.scope_bytes, got.scope);
	}
}

/* What was found is told, whether or not it is granted. */
static void
test_resource_is_told(void **state)
{
	struct permission_answer got;

	(void)state;
	got = permission_decide(set_of(SET), "PUT", 3,
	    "/billing/api/v1/contacts/7", 26);
	assert_int_equal(got.verdict, NOT);
	assert_int_equal(got.resource_bytes, 24);
	assert_memory_equal(got.resource, "/billing/api/v1/contacts", 24);
}

static void
test_nul_in_a_target(void **state)
{
	(void)state;
	assert_int_equal(permission_decide(set_of(SET), "GET", 3,
			     "/billing\0/x", 11)
			     .verdict,
	    ODD);
	assert_int_equal(permission_decide(set_of(SET), "GET\0", 4, "/billing",
			     8)
			     .verdict,
	    METHOD);
}

static void
test_long_targets(void **state)
{
	static char target[PERMISSION_TARGET_MAX + 2];

	(void)state;
	memset(target, 'a', sizeof(target));
	memcpy(target, "/billing/", 9);
	assert_int_equal(permission_decide(set_of(SET), "GET", 3, target,
			     PERMISSION_PATH_MAX)
			     .verdict,
	    GRANTED);
	assert_int_equal(permission_decide(set_of(SET), "GET", 3, target,
			     PERMISSION_PATH_MAX + 1)
			     .verdict,
	    ODD);
	target[PERMISSION_PATH_MAX] = '?';
	assert_int_equal(permission_decide(set_of(SET), "GET", 3, target,
			     PERMISSION_TARGET_MAX)
			     .verdict,
	    GRANTED);
	assert_int_equal(permission_decide(set_of(SET), "GET", 3, target,
			     PERMISSION_TARGET_MAX + 1)
			     .verdict,
	    ODD);
}

/* Of two that differ by capitals, the one that is written right decides. */
static void
test_twins(void **state)
{
	const struct permission_set *set;

	(void)state;
	set = set_of("/A GET=all\n/a\n");
	assert_int_equal(permission_decide(set, "GET", 3, "/A/1", 4).verdict,
	    GRANTED);
	assert_int_equal(permission_decide(set, "GET", 3, "/a/1", 4).verdict,
	    NOT);
	set = set_of("/A\n/a GET=all\n");
	assert_int_equal(permission_decide(set, "GET", 3, "/a/1", 4).verdict,
	    GRANTED);
	assert_int_equal(permission_decide(set, "GET", 3, "/A/1", 4).verdict,
	    NOT);
}

static void
test_empty_set(void **state)
{
	(void)state;
	assert_int_equal(permission_decide(set_of(""), "GET", 3, "/a", 2)
			     .verdict,
	    NONE);
}

static void
test_a_set_can_be_moved(void **state)
{
	const struct permission_set *set = set_of(SET);
	uint32_t copy[256];
	struct permission_answer got;
	size_t n = permission_set_bytes(set);

	(void)state;
	assert_in_range(n, 1, sizeof(copy));
	memcpy(copy, set, n);
	memset(memory, 0xff, sizeof(memory));
	got = permission_decide((const struct permission_set *)copy, "DELETE",
	    6, "/billing/api/v1/contacts/7", 26);
	assert_int_equal(got.verdict, GRANTED);
	assert_memory_equal(got.scope, "7", 1);
}

static void
test_only_the_canonical_text(void **state)
{
	static const char *const bad[] = {
		"/a",
		"/a GET=all",
		"\n",
		" GET=all\n",
		"a GET=all\n",
		"/ GET=all\n",
		"/a/ GET=all\n",
		"/a//b GET=all\n",
		"/a/../b\n",
		"/a/.\n",
		"/a.\n",
		"/a%20b\n",
		"/a;b\n",
		"/a GET\n",
		"/a GET=\n",
		"/a =all\n",
		"/a  GET=all\n",
		"/a GET=all \n",
		"/a LOOK=all\n",
		"/a get=all\n",
		"/a POST=all GET=all\n",
		"/a GET=all GET=all\n",
		"/a GET=,1\n",
		"/a GET=1,\n",
		"/a GET=1,,2\n",
		"/a GET=1=2\n",
		"/b\n/a\n",
		"/a\n/a\n",
		"/a/b\n/a\n",
		"/a GET=all\r\n",
		"/a\n\n",
		"/\xc3\xbc\n",
	};
	size_t i, room = permission_set_room(strlen(SET));

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		if (set_of(bad[i]) != NULL)
			fail_msg("taken: %s", bad[i]);
	assert_null(permission_set_make(memory, room - 1, SET, strlen(SET)));
	assert_non_null(permission_set_make(memory, room, SET, strlen(SET)));
}

static void
test_256_resources(void **state)
{
	static char text[257 * 8 + 1];
	struct buf b;
	int i;

	(void)state;
	buf_fixed(&b, text, sizeof(text));
	for (i = 100; i < 356; i++)
		buf_fmt(&b, "/r%d\n", i);
	assert_non_null(set_of(text));
	assert_int_equal(permission_decide(set_of(text), "GET", 3, "/r355/x", 7)
			     .verdict,
	    NOT);
	buf_str(&b, "/r356\n");
	assert_null(set_of(text));
}

#define PARTS \
	"/v1/Customers/Special GET=9\n" \
	"/v1/customers GET=1\n" \
	"/v1/customers/all/notes GET=6\n" \
	"/v1/customers/me GET=2\n" \
	"/v1/customers/{customerId} GET=3\n" \
	"/v1/customers/{id}/notes GET=4 POST=all\n" \
	"/v1/customers/{id}/notes/{noteId}\n" \
	"/v1/{kind}/me/notes GET=5\n" \
	"/{tenant}/x GET=7\n"

static const struct {
	const char *target;
	enum permission_verdict verdict;
	const char *scope;
} parts[] = {
	{ "/v1/customers", GRANTED, "1" },
	{ "/v1/customers/", GRANTED, "1" },
	{ "/v1/customers/7", GRANTED, "3" },
	{ "/v1/customers/7/", GRANTED, "3" },
	{ "/v1/customers/7/orders", GRANTED, "3" },
	{ "/v1/customers/%7Bx%7D", GRANTED, "3" },
	{ "/v1/customers/{id}", GRANTED, "3" },
	{ "/v1/customers/7%25", GRANTED, "3" },
	{ "/v1/customers/J%C3%BCrgen", GRANTED, "3" },
	/* A literal goes before a parameter, the first that differs decides. */
	{ "/v1/customers/me", GRANTED, "2" },
	{ "/v1/customers/me/orders", GRANTED, "2" },
	{ "/v1/customers/mee", GRANTED, "3" },
	{ "/v1/customers/m", GRANTED, "3" },
	{ "/v1/customers/all", GRANTED, "3" },
	{ "/v1/customers/all/notes", GRANTED, "6" },
	/* ... but more parts go first. */
	{ "/v1/customers/me/notes", GRANTED, "4" },
	{ "/v1/users/me/notes", GRANTED, "5" },
	{ "/v1/customers/7/notes", GRANTED, "4" },
	{ "/v1/customers/7/notes/", GRANTED, "4" },
	{ "/v1/customers/7/notes/8", NOT, "" },
	{ "/v1/customers/7/notes/8/lines", NOT, "" },
	{ "/v1/customers/7/notess", GRANTED, "3" },
	/* A parameter is one part, never none and never more. */
	{ "/v1/customers//notes", ODD, "" },
	{ "/v1/customers/7%2F8/notes", ODD, "" },
	{ "/v1/customers/../notes", ODD, "" },
	{ "/v1/customers/%2e%2e/notes", ODD, "" },
	{ "/v1/customers/7;a=b/notes", ODD, "" },
	{ "/v1/customers/7./notes", ODD, "" },
	{ "/v1/customers/%252e/notes", ODD, "" },
	{ "/x", NONE, "" },
	{ "/a/x", GRANTED, "7" },
	{ "/v1/x", GRANTED, "7" },
	{ "/a/b/x", NONE, "" },
	{ "/", NONE, "" },
	{ "/a/", NONE, "" },
	/* In other capitals nothing is let through by a parameter. */
	{ "/v1/customers/ME", NONE, "" },
	{ "/v1/customers/Me/orders", NONE, "" },
	{ "/v1/customers/special", NONE, "" },
	{ "/v1/customers/7/Notes", NONE, "" },
	{ "/v1/CUSTOMERS/7", NONE, "" },
	{ "/v1/users/ME/notes", NONE, "" },
};

static void
test_parameters(void **state)
{
	const struct permission_set *set = set_of(PARTS);
	struct permission_answer got;
	size_t i;

	(void)state;
	assert_non_null(set);
	for (i = 0; i < COUNT(parts); i++) {
		got = permission_decide(set, "GET", 3, parts[i].target,
		    strlen(parts[i].target));
		if (got.verdict != parts[i].verdict ||
		    got.scope_bytes != strlen(parts[i].scope) ||
		    memcmp(got.scope, parts[i].scope, got.scope_bytes) != 0)
			fail_msg("%s: verdict %d, scope %.*s of %.*s",
			    parts[i].target, (int)got.verdict,
			    (int)got.scope_bytes, got.scope,
			    (int)got.resource_bytes, got.resource);
	}
	got = permission_decide(set, "HEAD", 4, "/v1/customers/7/notes?a", 23);
	assert_memory_equal(got.resource, "/v1/customers/{id}/notes",
	    got.resource_bytes);
}

/* A set that has a parameter somewhere decides on all else as before. */
static void
test_parameters_change_nothing_else(void **state)
{
	const struct permission_set *set = set_of(
	    SET "/zzz/{z}/z GET=all\n");
	struct permission_answer got;
	size_t i;

	(void)state;
	assert_non_null(set);
	for (i = 0; i < COUNT(calls); i++) {
		got = permission_decide(set, calls[i].method,
		    strlen(calls[i].method), calls[i].target,
		    strlen(calls[i].target));
		if (got.verdict != calls[i].verdict ||
		    got.scope_bytes != strlen(calls[i].scope))
			fail_msg("%s %s: verdict %d", calls[i].method,
			    calls[i].target, (int)got.verdict);
	}
	set = set_of("/A/{x} GET=all\n/a/{x}\n");
	assert_int_equal(permission_decide(set, "GET", 3, "/A/1", 4).verdict,
	    GRANTED);
	assert_int_equal(permission_decide(set, "GET", 3, "/a/1", 4).verdict,
	    NOT);
}

static void
test_only_plain_parameters(void **state)
{
	static const char *const bad[] = {
		"/{}\n",
		"/{\n",
		"/{x\n",
		"/x}\n",
		"/a{x}\n",
		"/{x}a\n",
		"/{x}{y}\n",
		"/{x y}\n",
		"/{x/y}\n",
		"/{x.y}\n",
		"/{x:.*}\n",
		"/{*x}\n",
		"/{{x}}\n",
		"/{x}.\n",
		"/{x}/\n",
		"/a/{x}\n/a/{y}\n",
		"/a/{x}/b\n/a/{x}/b/c\n/a/{yy}/b\n",
		"/{a234567890123456789012345678901234567890x}\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		if (set_of(bad[i]) != NULL)
			fail_msg("taken: %s", bad[i]);
	assert_null(set_of("/a/{x}\n/a/{x}/{y}\n/a/{x}b-_1}\n"));
	assert_non_null(set_of("/a/{x}\n/a/{x}/{y}\n"));
	assert_non_null(set_of(
	    "/{a23456789012345678901234567890123456789_}\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_resource_is_told),
		cmocka_unit_test(test_nul_in_a_target),
		cmocka_unit_test(test_long_targets),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_empty_set),
		cmocka_unit_test(test_a_set_can_be_moved),
		cmocka_unit_test(test_only_the_canonical_text),
		cmocka_unit_test(test_256_resources),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_parameters_change_nothing_else),
		cmocka_unit_test(test_only_plain_parameters),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
