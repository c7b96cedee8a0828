/*
 * Reading a call from what a gateway sends: a table of good and odd ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "crypto/coded.h"
#include "crypto/token.h"
#include "gateway/call.h"
#include "gateway/keyway.h"

#define KEY	"Ocp-Apim-Subscription-Key"
#define A	"0123456789abcdef0123456789abcdef"
#define B	"fedcba9876543210fedcba9876543210"
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
	    { URI, "/a?b" }, { "ocp-apim-subscription-KEY", A },
	    { "Host", "x" }), CALL_GOOD);
	assert_string_equal(c.method, "DELETE");
	assert_string_equal(c.target, "/a?b");
	assert_string_equal(c.key, A);
	assert_int_equal(c.user_kind, CALL_USER_NONE);
	assert_int_equal(READ(&c, CALL_NGINX, { "X-Original-Method", "PUT" },
	    { "X-Original-URI", "/n" }, { KEY, A }), CALL_GOOD);
	assert_string_equal(c.method, "PUT");
	assert_string_equal(c.target, "/n");
	assert_int_equal(READ(&c, CALL_LINE, { KEY, A }), CALL_GOOD);
	assert_string_equal(c.method, "PATCH");
	assert_string_equal(c.target, "/of/the/line?x=1");
}

static void
test_odd(void **state)
{
	struct call	 c;

	(void)state;
	/* Something is missing. */
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" }, { KEY, A }),
	    CALL_ODD);
	assert_int_equal(READ(&c, CALL_PLAIN, { URI, "/" }, { KEY, A }),
	    CALL_ODD);
	assert_int_equal(READ(&c, CALL_NGINX, { METHOD, "GET" }, { URI, "/" },
	    { KEY, A }), CALL_ODD);
	/* The other way's beside ours. */
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" }, { URI, "/" },
	    { "x-original-uri", "/" }, { KEY, A }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_NGINX, { "X-Original-Method", "GET" },
	    { "X-Original-URI", "/" }, { METHOD, "GET" }, { KEY, A }),
	    CALL_ODD);
	assert_int_equal(READ(&c, CALL_LINE, { METHOD, "GET" }, { KEY, A }),
	    CALL_ODD);
	/* Something twice. */
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" }, { URI, "/" },
	    { METHOD, "GET" }, { KEY, A }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" }, { URI, "/" },
	    { KEY, A }, { KEY, A }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_LINE, { KEY, A },
	    { "authorization", "Basic x" }, { "Authorization", "Basic x" }),
	    CALL_ODD);
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" },
	    { URI, "/?subscription-key=" A }, { KEY, A }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_PLAIN, { METHOD, "GET" },
	    { URI, "/?subscription-key=" A "&Subscription-Key=" A }), CALL_ODD);
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
		{ "/?subscription-key=" A, CALL_GOOD, A },
		{ "/?a=b&subscription-key=" A "&c", CALL_GOOD, A },
		{ "/?SUBSCRIPTION-KEY=" B, CALL_GOOD, B },
		{ "/?subscription-key=%30123456789abcdef0123456789abcde%66",
		    CALL_GOOD, A },
		{ "/?subscription-key=a%6", CALL_BAD_KEY, "a%6" },
		{ "/?subscription-key=a%", CALL_BAD_KEY, "a%" },
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
	assert_int_equal(READ(&c, CALL_LINE, { KEY, key }), CALL_BAD_KEY);
	assert_string_equal(c.key, key);
	assert_int_equal(READ(&c, CALL_LINE, { KEY, "" }), CALL_NO_KEY);
	call_end(&c);
	assert_int_equal(c.key[0], 0);
}

/* What no key looks like is told without asking anybody. */
static void
test_junk(void **state)
{
	static const char	*const junk[] = { "k", "0123456789ABCDEF0123"
	    "456789ABCDEF", A "0", "0123456789abcdef0123456789abcdeg",
	    "ca_", "ca_000000000000000000000000000000000000",
	    "ca_a1b2c3d4e5f6", "Bearer " A };
	struct call	 c;
	char		 key[CODED_TEXT];
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(junk); i++)
		if (READ(&c, CALL_LINE, { KEY, junk[i] }) != CALL_BAD_KEY)
			fail_msg("%s", junk[i]);
	coded_make(key, "ca_");
	assert_int_equal(READ(&c, CALL_LINE, { "x-API-key", key }), CALL_GOOD);
	assert_string_equal(c.key, key);
	coded_make(key, "akt_");
	assert_int_equal(READ(&c, CALL_LINE, { "X-Api-Key", key }), CALL_GOOD);
	key[10] = key[10] == 'a' ? 'b' : 'a';
	assert_int_equal(READ(&c, CALL_LINE, { "X-Api-Key", key }),
	    CALL_BAD_KEY);
}

/* The headers of the profiles that are in use, and no others. */
static void
test_profiles(void **state)
{
	static const struct keyway_row	 pair = { .slug = "revio-api",
	    .missing_status = 401, .unknown_status = 401, .is_pair = true };
	struct keyway_row	 row = pair, partner = { .slug = "partner",
	    .missing_status = 403, .unknown_status = 403, .letters = "pk" };
	struct call	 c;
	char		 key[CODED_TEXT];
	uint8_t		 name;

	(void)state;
	/* Before anything is known of them: all. */
	assert_int_equal(READ(&c, CALL_LINE, { "X-Api-Key", A },
	    { "x-tenant-name", "one" }, { "X-Latchkey-Product", "p" },
	    { "x-latchkey-environment", "test" }), CALL_GOOD);
	assert_string_equal(c.tenant, "one");
	assert_string_equal(c.product, "p");
	assert_string_equal(c.environment, "test");
	assert_string_equal(keyway_name_text(c.key_name), "X-Api-Key");
	assert_string_equal(keyway_name_text(c.tenant_name), "X-Tenant-Name");
	name = c.key_name;
	/* Two keys, whatever their headers, and anything twice. */
	assert_int_equal(READ(&c, CALL_LINE, { "X-Api-Key", A }, { KEY, A }),
	    CALL_ODD);
	assert_int_equal(READ(&c, CALL_LINE, { "X-Api-Key", A },
	    { "x-api-key", A }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_NGINX, { "X-Original-Method", "GET" },
	    { "X-Original-URI", "/?subscription-key=" A },
	    { "X-Api-Key", A }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_LINE, { "X-Api-Key", A },
	    { "X-Tenant-Name", "a" }, { "X-Revio-Host", "b" }), CALL_ODD);
	assert_int_equal(READ(&c, CALL_LINE, { "X-Api-Key", A },
	    { "X-Latchkey-Product", "a" }, { "x-latchkey-product", "a" }),
	    CALL_ODD);
	/* A Bearer token is no key. */
	assert_int_equal(READ(&c, CALL_LINE, { "Authorization", "Bearer " A }),
	    CALL_NO_KEY);
	/* Pairs alone: what else a call has is its own affair. */
	row.key = keyway_name(KEYWAY_KEY, KEY);
	row.query = keyway_name(KEYWAY_QUERY, "subscription-key");
	keyway_begin();
	keyway_add(&row, "");
	keyway_end();
	assert_int_equal(READ(&c, CALL_LINE, { "X-Api-Key", "theirs" },
	    { KEY, A }, { "X-Tenant-Name", "x" }), CALL_GOOD);
	assert_int_equal(c.key_name, row.key);
	assert_null(c.tenant);
	assert_int_equal(keyway_of(NULL, 0, NULL)->missing_status, 401);
	/* Another product beside it: its name tells, or the header, or the
	 * letters; or nothing does. */
	partner.key = keyway_name(KEYWAY_KEY, "x-api-key");
	assert_int_equal(partner.key, name);
	keyway_begin();
	keyway_add(&row, "");
	keyway_add(&partner, "");
	keyway_end();
	assert_null(keyway_of(NULL, 0, NULL));
	assert_null(keyway_of("other", 0, NULL));
	assert_int_equal(keyway_of("partner", 0, NULL)->missing_status, 403);
	assert_int_equal(keyway_of("revio-api", name, NULL)->unknown_status,
	    401);
	assert_int_equal(keyway_of(NULL, name, "junk")->unknown_status, 403);
	assert_int_equal(keyway_of(NULL, row.query, A)->unknown_status, 401);
	coded_make(key, "pk_");
	assert_int_equal(keyway_of(NULL, 0, key)->unknown_status, 403);
	coded_make(key, "zz_");
	assert_null(keyway_of(NULL, name, key));
	/* Two that come in one header, with other statuses. */
	row.key = name;
	row.is_pair = false;
	memcpy(row.letters, "ak", 3);
	keyway_add(&row, "X-Tenant-Name");
	assert_null(keyway_of(NULL, name, NULL));
	coded_make(key, "akt_");
	assert_int_equal(keyway_of(NULL, name, key)->unknown_status, 401);
	/* Told of a change it is read once. */
	assert_true(keyway_wanted());
	assert_false(keyway_wanted());
	keyway_told();
	assert_true(keyway_wanted());
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
		assert_int_equal(READ(&c, CALL_LINE, { KEY, A },
		    { "authorization", rows[i].value }), CALL_GOOD);
		if (c.user_kind != rows[i].kind)
			fail_msg("%s is %d", rows[i].value, c.user_kind);
		if (c.user_kind != CALL_USER_GIVEN)
			continue;
		assert_string_equal(c.user, rows[i].user);
		assert_string_equal(c.password, rows[i].password);
	}
}

#define JWT	"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln"

/* Where there is no key. */
static void
test_tokens(void **state)
{
	static const struct {
		const char	*authorization;
		bool		 is_token;
	} rows[] = {
		{ "Bearer " JWT, true },
		{ "bearer " JWT, true },
		{ "Bearer   " JWT, true },
		{ "Bearer", false },
		{ "Bearer ", false },
		{ "Bearer opaque", false },
		{ "Bearer " JWT " ", false },
		{ "Bearer " JWT ",x", false },
		{ "Bearer a.b.c", false },
		{ "Basic " JWT, false },
		{ JWT, false },
	};
	struct call	 c;
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(READ(&c, CALL_LINE, { "Authorization",
		    rows[i].authorization }), rows[i].is_token ? CALL_GOOD :
		    CALL_NO_KEY);
		if (rows[i].is_token)
			assert_string_equal(c.token, JWT);
		else
			assert_null(c.token);
		/* Beside a key it is the API's. */
		assert_int_equal(READ(&c, CALL_LINE, { "Authorization",
		    rows[i].authorization }, { KEY, A }), CALL_GOOD);
		assert_null(c.token);
	}
	assert_int_equal(READ(&c, CALL_LINE, { "Authorization", "Bearer " JWT },
	    { "Authorization", "Bearer " JWT }), CALL_ODD);
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
		cmocka_unit_test(test_junk),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_tokens),
		/* The last: it changes which names are known. */
		cmocka_unit_test(test_profiles),
	};

	return (cmocka_run_group_tests(tests, begin, NULL));
}
