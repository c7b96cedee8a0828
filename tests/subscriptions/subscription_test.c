/*
 * The rule of names, CLIENT NAME-KEY.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "subscriptions/subscription.h"

#define X16	"xxxxxxxxxxxxxxxx"
#define X64	X16 X16 X16 X16

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
test_good(void **state)
{
	static const char *const good[] = {
		"Altaworx-KEY", "A1-KEY", "3M-KEY", "AT&T-KEY", "O'Neil-KEY",
		"Rev.io-KEY", "Smith & Sons Ltd.-KEY", "-A-KEY", "KEY-KEY",
		"A--KEY", "شركة الاتصالات-KEY", "Łódź-KEY", "北京-KEY",
		"한국통신-KEY", "कंपनी-KEY", "Ελλάς-KEY", "٣٤-KEY", X64 "-KEY",
	};
	struct subscription_name	 name;
	size_t				 i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (subscription_name_check(a, good[i], &name) !=
		    SUBSCRIPTION_NAME_GOOD)
			fail_msg("refused: %s", good[i]);
		assert_string_equal(name.name, good[i]);
		assert_string_equal(arena_fmt(a, "%s-KEY", name.client),
		    good[i]);
		assert_string_equal(subscription_name_advice(a,
		    SUBSCRIPTION_NAME_GOOD, &name, ""), "");
	}
}

static void
test_bad(void **state)
{
	static const struct {
		const char			*name;
		enum subscription_name_verdict	 verdict;
	} cases[] = {
		{ "", SUBSCRIPTION_NAME_EMPTY },
		{ " \t", SUBSCRIPTION_NAME_EMPTY },
		{ "Altaworx", SUBSCRIPTION_NAME_SUFFIX },
		{ "Altaworx KEY", SUBSCRIPTION_NAME_SUFFIX },
		{ "Altaworx-KEYS", SUBSCRIPTION_NAME_SUFFIX },
		{ "Altaworx-KEY ", SUBSCRIPTION_NAME_SUFFIX },
		{ "Altaworx\u2010KEY", SUBSCRIPTION_NAME_SUFFIX },
		{ "Altaworx-\u041aEY", SUBSCRIPTION_NAME_SUFFIX }, /* Cyrillic */
		{ "Altaworx-key", SUBSCRIPTION_NAME_CASE },
		{ "Altaworx-Key", SUBSCRIPTION_NAME_CASE },
		{ "-KEY", SUBSCRIPTION_NAME_SHORT },
		{ "A-KEY", SUBSCRIPTION_NAME_SHORT },
		{ "北-KEY", SUBSCRIPTION_NAME_SHORT },
		{ X64 "x-KEY", SUBSCRIPTION_NAME_LONG },
		{ " Altaworx-KEY", SUBSCRIPTION_NAME_SPACE },
		{ "Altaworx -KEY", SUBSCRIPTION_NAME_SPACE },
		{ "&&-KEY", SUBSCRIPTION_NAME_WORDLESS },
		{ "...-KEY", SUBSCRIPTION_NAME_WORDLESS },
		{ "Alta_worx-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta/worx-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta\"worx-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta<worx-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "O’Neil-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta🔑-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta\u202eworx-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta\u200bworx-KEY", SUBSCRIPTION_NAME_CHARACTER },
		/* Letters and marks that are not seen. */
		{ "\u3164\u3164-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Altaworx\u115f-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta\ufe0fworx-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta\nworx-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta\u00a0worx-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Ⅳ½-KEY", SUBSCRIPTION_NAME_CHARACTER },	/* Nl, No */
		{ "\u0301Ab-KEY", SUBSCRIPTION_NAME_CHARACTER },
		{ "Alta\xff-KEY", SUBSCRIPTION_NAME_NOT_TEXT },
		{ "\xed\xa0\x80xx-KEY", SUBSCRIPTION_NAME_NOT_TEXT },
	};
	struct subscription_name	 name;
	const char			*said;
	size_t				 i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		if (subscription_name_check(a, cases[i].name, &name) !=
		    cases[i].verdict)
			fail_msg("another verdict: %s", cases[i].name);
		assert_string_equal(name.name, "");
		said = subscription_name_advice(a, cases[i].verdict, &name,
		    "Altaworx-KEY");
		assert_non_null(strstr(said, "For you that is Altaworx-KEY."));
		assert_false(str_has_control(said));
		assert_true(str_utf8(said, strlen(said)));
	}
}

/* What was typed in another form of Unicode is the same name. */
static void
test_nfc(void **state)
{
	struct subscription_name	 name;

	(void)state;
	assert_int_equal(subscription_name_check(a, "Cafe\u0301-KEY", &name),
	    SUBSCRIPTION_NAME_GOOD);
	assert_string_equal(name.name, "Caf\u00e9-KEY");
	/* 64 characters once composed. */
	assert_int_equal(subscription_name_check(a, "e\u0301" X16 X16 X16
	    "xxxxxxxxxxxxxxx-KEY", &name), SUBSCRIPTION_NAME_GOOD);
}

static void
test_advice(void **state)
{
	struct subscription_name	 name;

	(void)state;
	assert_int_equal(subscription_name_check(a, "Alta/worx-KEY", &name),
	    SUBSCRIPTION_NAME_CHARACTER);
	assert_string_equal(name.bad, "/");
	assert_string_equal(subscription_name_advice(a,
	    SUBSCRIPTION_NAME_CHARACTER, &name, ""),
	    "The name can’t hold “/”. It may hold letters, digits, spaces and "
	    "& . ' - A right name is Altaworx-KEY.");
	/* A mark that turns the text around is not shown again. */
	assert_int_equal(subscription_name_check(a, "A\u202eb-KEY", &name),
	    SUBSCRIPTION_NAME_CHARACTER);
	assert_string_equal(name.bad, "");
}

static void
test_propose(void **state)
{
	static const struct {
		const char	*client, *name;
	} cases[] = {
		{ "Altaworx", "Altaworx-KEY" },
		{ "  Alta   worx ", "Alta worx-KEY" },
		{ "Altaworx, Inc.", "Altaworx Inc.-KEY" },
		{ "O’Neil (UK)", "O'Neil UK-KEY" },
		{ "Alta\u202eworx 🔑", "Altaworx-KEY" },
		{ "شركة", "شركة-KEY" },
		{ X64 "yyy", X64 "-KEY" },
		{ "", "" }, { "🔑", "" }, { "A", "" }, { "\xff", "" },
	};
	struct subscription_name	 name;
	const char			*said;
	size_t				 i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		said = subscription_name_propose(a, cases[i].client);
		assert_string_equal(said, cases[i].name);
		assert_true(*said == '\0' || subscription_name_check(a, said,
		    &name) == SUBSCRIPTION_NAME_GOOD);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nfc),
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_propose),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
