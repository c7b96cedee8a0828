/*
 * Names, codes and slugs of clients.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tenants/tenant_edit.h"

static struct arena	*a;

static int
setup(void **state)
{
	(void)state;
	a = arena_new(4u * 1024 * 1024, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(a);
	return (0);
}

static void
test_fold(void **state)
{
	static const struct {
		const char	*name, *folded;
	} cases[] = {
		{ "Altaworx", "altaworx" },
		{ "ALTAWORX, Inc.", "altaworx" },
		{ "Alta Worx LLC", "altaworx" },
		{ "Alta-worx  ltd", "altaworx" },
		{ "Ändér Søn GmbH", "anderson" },
		{ "Müller GmbH & Co. KG", "muller" },
		{ "Rossi S.p.A.", "rossi" },
		{ "Rossi S. p. A.", "rossi" },
		{ "Dupont S. A.", "dupont" },
		{ "Acme Pty Ltd", "acme" },
		{ "Acme Company, Limited", "acme" },
		{ "O'Neil & Sons", "oneilsons" },
		{ "O’Neil & Sons", "oneilsons" },
		{ "Rev.io", "revio" },
		{ "Nokia Oyj", "nokia" },
		/* Only trailing words, and never the whole name. */
		{ "Limited Brands", "limitedbrands" },
		{ "SA", "sa" },
		{ "Co. Ltd", "co" },
		{ "Incorporated", "incorporated" },
		{ "Texaco", "texaco" },
		{ "Inca", "inca" },
		/* Other scripts stay what they are. */
		{ "شركة الاتصالات", "شركةالاتصالات" },
		{ "北京 通信", "北京通信" },
		{ "", "" },
		{ " .,- ", "" },
	};
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_string_equal(tenant_fold(a, cases[i].name),
		    cases[i].folded);
	assert_string_equal(tenant_fold(a, "\xff\xfe"), "");
	assert_string_not_equal(tenant_fold(a, "Altaworx"),
	    tenant_fold(a, "Altaworks"));
}

/* A name longer than anybody's neither fails nor grows. */
static void
test_fold_long(void **state)
{
	char	name[4001];
	size_t	i;

	(void)state;
	for (i = 0; i < 4000; i++)
		name[i] = i % 3 == 2 ? ' ' : 'a';
	name[4000] = '\0';
	assert_true(strlen(tenant_fold(a, name)) <= 4000);
}

static void
test_code(void **state)
{
	static const char *const good[] = { "AB", "ALTWORX", "A-1", "0A",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345" };
	static const char *const bad[] = { "", "A", "-A", "A-", "ab", "A B",
		"A_B", "ÄB", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456" };
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		assert_true(tenant_code_valid(good[i]));
	for (i = 0; i < COUNT(bad); i++)
		assert_false(tenant_code_valid(bad[i]));
	assert_string_equal(tenant_code_propose(a, "Altaworx, Inc."),
	    "ALTAWORX");
	assert_string_equal(tenant_code_propose(a, "Łódź 7"), "LODZ7");
	assert_string_equal(tenant_code_propose(a, "شركة"), "");
	assert_string_equal(tenant_code_propose(a, "X"), "");
	assert_true(tenant_code_valid(tenant_code_propose(a,
	    "A very long name of a company that nobody can remember")));
}

static void
test_slug(void **state)
{
	const char	*slug;

	(void)state;
	assert_string_equal(tenant_slug(a, "Altaworx, Inc.", "X1"),
	    "altaworx-inc");
	assert_string_equal(tenant_slug(a, "O'Neil & Søn's", "X1"),
	    "oneil-sons");
	assert_string_equal(tenant_slug(a, "--A--B--", "X1"), "a-b");
	assert_string_equal(tenant_slug(a, "شركة", "SHARIKA-1"), "sharika-1");
	assert_string_equal(tenant_slug(a, "&", "X1"), "x1");
	slug = tenant_slug(a,
	    "abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrst"
	    "uvwxyz abcdefghijklmnopqrstuvwxyz",
	    "X1");
	assert_true(strlen(slug) <= TENANT_SLUG_MAX - 6);
	assert_true(slug[strlen(slug) - 1] != '-');
}

static void
test_name(void **state)
{
	(void)state;
	assert_null(tenant_name_advice("Altaworx"));
	assert_null(tenant_name_advice("北京"));
	assert_null(tenant_name_advice("A (UK) / B"));
	assert_non_null(tenant_name_advice(""));
	assert_non_null(tenant_name_advice("A"));
	assert_non_null(tenant_name_advice("&&"));
	assert_non_null(tenant_name_advice("A\nB"));
	assert_non_null(tenant_name_advice("A\u202eB"));
	assert_non_null(tenant_name_advice("AB\u3164"));
	assert_non_null(tenant_name_advice("0123456789012345678901234567890123"
					   "456789012345678901234567890123x"));
}

static void
test_hosts(void **state)
{
	static const char *const bad[] = { "", "host", "a..b", ".a.b", "-a.b",
		"a-.b", "a.b-", "http://a.b", "a.b/c", "a b.c", "10.0.0.1",
		"a.1", "[::1]", "a_b.c", "\001.b", "a.b:80", "ada@b.example" };
	const char	*label;
	size_t		 i;

	(void)state;
	assert_string_equal(tenant_host_parse(a, "API.Altaworx.com"),
	    "api.altaworx.com");
	assert_string_equal(tenant_host_parse(a, "b\u00fccher.example"),
	    "xn--bcher-kva.example");
	assert_non_null(tenant_host_parse(a, "1.a2"));
	for (i = 0; i < COUNT(bad); i++) {
		if (tenant_host_parse(a, bad[i]) != NULL)
			fail_msg("%s", bad[i]);
	}
	label = "0123456789012345678901234567890123456789"
		"01234567890123456789012";
	assert_non_null(tenant_host_parse(a, arena_fmt(a, "%s.b", label)));
	assert_null(tenant_host_parse(a, arena_fmt(a, "%s3.b", label)));
	assert_null(tenant_slug_advice(label));
	assert_null(tenant_slug_advice("a"));
	assert_non_null(tenant_slug_advice(arena_fmt(a, "%s3", label)));
	assert_non_null(tenant_slug_advice(""));
	assert_non_null(tenant_slug_advice("A"));
	assert_non_null(tenant_slug_advice("a-"));
}

static void
test_words(void **state)
{
	(void)state;
	assert_string_equal(tenant_event_words(a, "tenant.closed"),
	    "Client closed");
	assert_string_equal(tenant_event_words(a, "key.shown"), "Key shown");
	assert_string_equal(tenant_event_words(a, "api_user.created"),
	    "API user created");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_fold_long),
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_slug),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_words),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
