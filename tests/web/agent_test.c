/*
 * Words for browsers as they call themselves, and nothing of what they made up.
 */
#include "web/agent.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
test_words(void **state)
{
	static const char	*const cases[][2] = {
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
		    " (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		    "Chrome on Windows" },
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
		    " (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
		    " Edg/126.0.0.0", "Edge on Windows" },
		{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
		    "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
		    "Safari/605.1.15", "Safari on a Mac" },
		{ "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/"
		    "605.1.15 (KHTML, like Gecko) CriOS/126 Mobile Safari/604",
		    "Chrome on an iPad" },
		{ "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/"
		    "126.0.0.0 Mobile Safari/537.36", "Chrome on Android" },
		{ "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
		    "Firefox/128.0", "Firefox on Linux" },
		{ "curl/7.88.1", "curl" },
		{ "Linux", "An unknown program on Linux" },
		{ "", "An unknown program" },
		{ "<script>alert(1)</script>", "An unknown program" },
	};
	struct arena		*a = arena_new(65536, NULL, NULL);
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_string_equal(agent_words(a, cases[i][0]), cases[i][1]);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
