/*
 * Look-alikes: names of all scripts that deceive nobody, and some that do.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/spoof.h"
#include "base/str.h"

static void
test_names(void **state)
{
	static const struct {
		const char	*name;
		enum spoof	 is;
	} names[] = {
		{ "Altaworx-KEY", SPOOF_NONE },
		{ "Łódź & Søn's Co.-KEY", SPOOF_NONE },
		{ "O’Neil-KEY", SPOOF_NONE },
		{ "شركة الاتصالات-KEY", SPOOF_NONE },
		{ "北京 通信-KEY", SPOOF_NONE },
		{ "한국통신-KEY", SPOOF_NONE },
		{ "ソフトバンク-KEY", SPOOF_NONE },
		{ "Бета", SPOOF_NONE },
		{ "Alta🔑", SPOOF_NONE },
		{ "", SPOOF_NONE },
		/* A Cyrillic a among Latin letters; Greek omicron. */
		{ "Alt\xd0\xb0worx-KEY", SPOOF_MIXED },
		{ "Micr\xce\xbfsoft", SPOOF_MIXED },
		/* All Cyrillic. */
		{ "\xd0\xa0\xd0\x90\xd0\xa1\xd0\x95", SPOOF_LATIN },
		{ "\xd0\x90\xd1\x81\xd0\xb5", SPOOF_LATIN },
		{ "Unit 1\xd9\xa2", SPOOF_DIGITS },
		{ "a\xcc\x81\xcc\x81", SPOOF_HIDDEN },
	};
	struct arena	*a = arena_new(1u << 20, NULL, NULL);
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		if (spoof_check(a, names[i].name) != names[i].is)
			fail_msg("“%s”: %d", names[i].name,
			    (int)spoof_check(a, names[i].name));
	}
	assert_string_equal(spoof_skeleton(a, "Alt\xd0\xb0worx"),
	    spoof_skeleton(a, "Altaworx"));
	assert_string_not_equal(spoof_skeleton(a, "Altavorx"),
	    spoof_skeleton(a, "Altaworx"));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
