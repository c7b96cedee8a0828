/*
 * The form of access tokens: what is made is taken, and nothing that differs
 * in one letter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/str.h"
#include "tokens/token.h"
#include "web/scope.h"

static void
test_known(void **state)
{
	(void)state;
	/* zlib's crc32() of the 30 characters, in base62. */
	assert_true(access_token_shaped(
	    "lk_0123456789ABCDEFGHIJabcdefghij4Us3aw"));
}

static void
test_made(void **state)
{
	char	one[ACCESS_TOKEN_TEXT], two[ACCESS_TOKEN_TEXT];
	int	i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		access_token_make(one);
		access_token_make(two);
		assert_int_equal(strlen(one), ACCESS_TOKEN_TEXT - 1);
		assert_true(access_token_shaped(one));
		assert_string_not_equal(one, two);
	}
}

static void
test_one_letter(void **state)
{
	char	token[ACCESS_TOKEN_TEXT];
	size_t	i;
	char	was;

	(void)state;
	access_token_make(token);
	for (i = 0; token[i] != '\0'; i++) {
		was = token[i];
		token[i] = was == 'x' ? 'y' : 'x';
		assert_false(access_token_shaped(token));
		token[i] = was;
	}
	assert_true(access_token_shaped(token));
}

static void
test_odd(void **state)
{
	(void)state;
	assert_false(access_token_shaped(""));
	assert_false(access_token_shaped("lk_"));
	assert_false(access_token_shaped(
	    "lk_0123456789ABCDEFGHIJabcdefghij4Us3aw0"));
	assert_false(access_token_shaped(
	    "lk_0123456789ABCDEFGHIJabcdefghi\xc3\xa9" "00000"));
}

/* Each scope has a bit and a name of its own. */
static void
test_scopes(void **state)
{
	unsigned	all = 0;
	size_t		i;

	(void)state;
	for (i = 0; i < COUNT(scope_words); i++) {
		assert_int_equal(all & scope_words[i].bit, 0);
		all |= scope_words[i].bit;
		assert_int_equal(scope_parse(scope_words[i].name),
		    scope_words[i].bit);
		assert_ptr_equal(scope_name(scope_words[i].bit),
		    scope_words[i].name);
	}
	assert_int_equal(all, SCOPE_ALL);
	assert_int_equal(scope_parse("keys"), 0);
	assert_null(scope_name(1));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_one_letter),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_scopes),
	};

	crypto_init();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
