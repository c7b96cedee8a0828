/*
 * E-mail addresses: what is taken, what it becomes, what is refused and why.
 */
#include "mail/address.h"

#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>

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

static struct address
good(const char *typed)
{
	struct address		a = { NULL, NULL, NULL, NULL };
	enum address_verdict	verdict = address_parse(arena, typed, &a);

	if (verdict != ADDRESS_GOOD)
		fail_msg("%s: %s", typed, address_advice(verdict));
	return (a);
}

static void
bad(const char *typed, enum address_verdict expected)
{
	struct address		a;
	enum address_verdict	verdict = address_parse(arena, typed, &a);

	if (verdict != expected)
		fail_msg("%s: verdict %d, not %d", typed, (int)verdict,
		    (int)expected);
	assert_true(strlen(address_advice(verdict)) > 20);
}

static char *
repeat(char c, size_t n)
{
	char	*p = arena_alloc(arena, n + 1);

	memset(p, c, n);
	return (p);
}

static void
test_forms(void **state)
{
	struct address	a;

	(void)state;
	a = good("  Maya.Dorsey+keys@Altaworx.COM\n");
	assert_string_equal(a.text, "Maya.Dorsey+keys@Altaworx.COM");
	assert_string_equal(a.folded, "maya.dorsey+keys@altaworx.com");
	assert_string_equal(a.wire, "Maya.Dorsey+keys@altaworx.com");
	assert_string_equal(a.domain, "altaworx.com");

	a = good("jürgen@Bücher.example");
	assert_string_equal(a.text, "jürgen@Bücher.example");
	assert_string_equal(a.domain, "xn--bcher-kva.example");
	assert_string_equal(a.wire, "jürgen@xn--bcher-kva.example");
	/* Decomposed and upper case is the same person. */
	assert_string_equal(a.folded,
	    good("JU\xcc\x88RGEN@xn--bcher-kva.example").folded);

	assert_string_equal(good("admin@localhost").domain, "localhost");
	assert_string_equal(good("a@[192.0.2.1]").domain, "[192.0.2.1]");
	assert_string_equal(good("a@[IPv6:2001:DB8::1]").domain,
	    "[ipv6:2001:db8::1]");
	assert_string_equal(good("\"Ada Lovelace\"@example.com").folded,
	    "\"ada lovelace\"@example.com");
	assert_string_equal(good("\"ada\"@example.com").folded,
	    "ada@example.com");
	assert_string_equal(good("\"a@b\\\"c\"@example.com").folded,
	    "\"a@b\\\"c\"@example.com");
	good("!#$%&'*+-/=?^_`{|}~@example.com");
	good("用户@例え.テスト");
	good("a@straße.example");
}

static void
test_limits(void **state)
{
	const char	*domain;

	(void)state;
	/* 63 + 1 + 63 + 1 + 57 is 185; 64 + 1 + 189 is 254. */
	domain = arena_fmt(arena, "%s.%s.%s.com", repeat('a', 63),
	    repeat('b', 63), repeat('c', 57));
	assert_int_equal(strlen(domain), 189);
	good(arena_fmt(arena, "%s@%s", repeat('x', 64), domain));
	bad(arena_fmt(arena, "%s@d%s", repeat('x', 64), domain),
	    ADDRESS_TOO_LONG);
	bad(arena_fmt(arena, "%s@example.com", repeat('x', 65)),
	    ADDRESS_TOO_LONG);
	bad(arena_fmt(arena, "a@%s.com", repeat('x', 64)), ADDRESS_DOMAIN);
}

static void
test_refused(void **state)
{
	(void)state;
	bad("", ADDRESS_EMPTY);
	bad(" \t ", ADDRESS_EMPTY);
	bad("maya", ADDRESS_NO_AT);
	bad("@example.com", ADDRESS_NO_AT);
	bad("maya@", ADDRESS_NO_AT);
	bad("maya dorsey@example.com", ADDRESS_LOCAL);
	bad("a,b@example.com", ADDRESS_LOCAL);
	bad("a@b@example.com", ADDRESS_LOCAL);
	bad(".a@example.com", ADDRESS_LOCAL);
	bad("a.@example.com", ADDRESS_LOCAL);
	bad("a..b@example.com", ADDRESS_LOCAL);
	bad("\"a@example.com", ADDRESS_LOCAL);
	bad("\"a\\\"@example.com", ADDRESS_LOCAL);
	bad("\"\"@example.com", ADDRESS_LOCAL);
	bad("<a@example.com>", ADDRESS_LOCAL);
	bad("a\r\nBcc: b@example.com", ADDRESS_LOCAL);
	bad("a\x7f@example.com", ADDRESS_LOCAL);
	bad("a\xff@example.com", ADDRESS_LOCAL);
	/* What is not seen makes an address look like another. */
	bad("\u202e" "a@example.com", ADDRESS_LOCAL);
	bad("ma\u200bya@example.com", ADDRESS_LOCAL);
	bad("maya@exam\u200bple.com", ADDRESS_LOCAL);
	bad("a@exa mple.com", ADDRESS_DOMAIN);
	bad("a@example..com", ADDRESS_DOMAIN);
	bad("a@.example.com", ADDRESS_DOMAIN);
	bad("a@example.com.", ADDRESS_DOMAIN);
	bad("a@-example.com", ADDRESS_DOMAIN);
	bad("a@exa_mple.com", ADDRESS_DOMAIN);
	bad("a@exa/mple.com", ADDRESS_DOMAIN);
	bad("a@[300.0.0.1]", ADDRESS_DOMAIN);
	bad("a@[192.0.2.1", ADDRESS_DOMAIN);
}

static void
test_domain(void **state)
{
	(void)state;
	assert_string_equal(domain_parse(arena, "ALTAWORX.com"),
	    "altaworx.com");
	assert_string_equal(domain_parse(arena, "bücher.example"),
	    "xn--bcher-kva.example");
	assert_null(domain_parse(arena, ""));
	assert_null(domain_parse(arena, "a..b"));
	assert_null(domain_parse(arena, "[192.0.2.1]"));
	assert_null(domain_parse(arena, "a@b"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_domain),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
