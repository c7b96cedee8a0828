/*
 * Secrets with prefix and checksum: what is made is taken, whatever the
 * prefix, and nothing of another form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/str.h"
#include "crypto/coded.h"
#include "crypto/token.h"

/* zlib's crc32() of the 30 characters, in base62. */
#define RANDOM	"0123456789ABCDEFGHIJabcdefghij"
#define CHECK	"4Us3aw"

static void
test_prefixes(void **state)
{
	static const char *const	 good[] = { "lk_", "ca_", "akl_", "zz_" };
	char				 text[CODED_TEXT];
	size_t				 i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		coded_make(text, good[i]);
		assert_int_equal(strlen(text),
		    strlen(good[i]) + CODED_RANDOM + CODED_CHECK);
		assert_true(str_starts(text, good[i]));
		assert_true(coded_shaped(text));
	}
	assert_true(coded_shaped("ca_" RANDOM CHECK));
	assert_true(coded_shaped("akl_" RANDOM CHECK));
}

static void
test_others(void **state)
{
	static const char *const	 bad[] = {
		"", "_", "ca_", RANDOM CHECK, "_" RANDOM CHECK,
		"a_" RANDOM CHECK, "abcd_" RANDOM CHECK, "CA_" RANDOM CHECK,
		"c1_" RANDOM CHECK, "ca-" RANDOM CHECK, "ca_" RANDOM "4Us3ax",
		"ca_" RANDOM CHECK "0", "ca_" RANDOM CHECK " ",
		"ca__" RANDOM CHECK, "ca_1" RANDOM CHECK,
		"0123456789abcdef0123456789abcdef",
	};
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_false(coded_shaped(bad[i]));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_others),
	};

	crypto_init();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
