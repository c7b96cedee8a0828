/*
 * Rules of accounts: names, and the words that depend on who somebody is.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "accounts/account.h"

static void
test_names(void **state)
{
	static const char *const good[] = { "Ada", "Ada Byron", "李",
	    "Åsa Öström-O’Neill", "محمد" };
	char			 text[2 * ACCOUNT_NAME_MAX + 3];
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		assert_null(account_name_wrong(good[i]));
	assert_non_null(account_name_wrong(""));
	assert_non_null(account_name_wrong(" "));
	assert_non_null(account_name_wrong("Ada\nByron"));
	assert_non_null(account_name_wrong("Ada\xe2\x80\xa8" "Byron"));
	/* Names that can't be seen, or that turn what stands behind them:
	 * zero-width space, right-to-left override, isolate, byte order mark,
	 * the filling letter of Hangul; and no name at all. */
	assert_non_null(account_name_wrong("\xe2\x80\x8b"));
	assert_non_null(account_name_wrong("Ada \xe2\x80\xae" "noryB"));
	assert_non_null(account_name_wrong("\xe2\x81\xa6" "Ada"));
	assert_non_null(account_name_wrong("Ada\xef\xbb\xbf"));
	assert_non_null(account_name_wrong("\xe3\x85\xa4"));
	assert_non_null(account_name_wrong("…"));
	/* Persian joins its letters so. */
	assert_null(account_name_wrong("علی\xe2\x80\x8cرضا"));
	assert_null(account_name_wrong("محمد"));
	/* Characters are counted, not bytes. */
	for (i = 0; i < ACCOUNT_NAME_MAX; i++)
		memcpy(text + 2 * i, "ö", 2);
	text[2 * i] = '\0';
	assert_null(account_name_wrong(text));
	memcpy(text + 2 * i, "o", 2);
	assert_non_null(account_name_wrong(text));
}

static void
test_clients(void **state)
{
	static const char *const good[] = { "HP", "Altaworx", "Smith & Sons",
	    "O'Brien Co.", "3M", "Dr. Oetker-Werke", "Sønner", "日本電気",
	    "टाटा", "Müller", "Acme, Inc.", "Acme/Zed (UK)", "Yahoo!",
	    "Moe’s" };
	static const char *const bad[] = { "", "   ", "A", "..", "& -",
	    "Acme_1", "Acme\"", "<b>Acme</b>",
	    "Acme\nCo", "Acme\xe2\x80\xae", "Acme 😀",
	    "Acme\xe3\x85\xa4", "\xe3\x85\xa4\xe3\x85\xa4",
	    "Acme\xef\xb8\x8f", "A\xcd\x8f" "cme" };
	char			 text[CLIENT_NAME_MAX + 2];
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (client_name_wrong(good[i]) != NULL)
			fail_msg("%s: %s", good[i], client_name_wrong(good[i]));
	}
	for (i = 0; i < COUNT(bad); i++) {
		if (client_name_wrong(bad[i]) == NULL)
			fail_msg("%s passes", bad[i]);
	}
	memset(text, 'a', sizeof(text));
	text[CLIENT_NAME_MAX] = '\0';
	assert_null(client_name_wrong(text));
	text[CLIENT_NAME_MAX] = 'a';
	text[CLIENT_NAME_MAX + 1] = '\0';
	assert_non_null(client_name_wrong(text));
}

static void
test_where_to(void **state)
{
	(void)state;
	assert_string_equal(account_next(ACCOUNT_CONTACT, NULL), "/profile");
	assert_string_equal(account_next(ACCOUNT_STAFF, NULL), "/staff/queue");
	assert_string_equal(account_next(ACCOUNT_ADMIN, NULL), "/staff/queue");
	assert_string_equal(account_next(ACCOUNT_CONTACT, "/products/x?a=b"),
	    "/products/x?a=b");
	assert_string_equal(account_next(ACCOUNT_CONTACT, "/staff/queue"),
	    "/profile");
	assert_string_equal(account_next(ACCOUNT_STAFF, "/profile"),
	    "/staff/queue");
	assert_string_equal(account_next(ACCOUNT_STAFF, "/staff/requests/1"),
	    "/staff/requests/1");
}

static void
test_words(void **state)
{
	struct arena	*a = arena_new(4096, NULL, NULL);

	(void)state;
	assert_string_equal(account_action("requests/approve"),
	    "approve a request");
	assert_string_equal(account_action("approve"), "approve a request");
	/* The same last word, by what stands before it. */
	assert_string_equal(account_action("passkeys/remove"),
	    "remove a passkey");
	assert_string_equal(account_action("two-factor/remove"),
	    "turn two-factor sign-in off");
	assert_string_equal(account_action("asks/share"),
	    "let a contact in to a client");
	/* What stands in an address is never repeated. */
	assert_null(strstr(account_action("<b>pay me</b>"), "pay"));
	assert_string_equal(account_role(ACCOUNT_ADMIN, MEMBER_NONE), "Admin");
	assert_string_equal(account_role(ACCOUNT_CONTACT, MEMBER_OWNER),
	    "Owner");
	assert_string_equal(account_role(ACCOUNT_CONTACT, MEMBER_NONE), "");
	assert_string_equal(account_wait_words(a, 0), "in a second");
	assert_string_equal(account_wait_words(a, 59), "in 59 seconds");
	assert_string_equal(account_wait_words(a, 60), "in a minute");
	assert_string_equal(account_wait_words(a, 61), "in 2 minutes");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_where_to),
		cmocka_unit_test(test_words),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
