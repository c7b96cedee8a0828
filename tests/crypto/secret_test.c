/*
 * Secrets: copies, comparison, wiping.
 */
#include "crypto/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void
test_secret(void **state)
{
	struct arena	*a = arena_new(1u << 20, NULL, NULL);
	struct secret	 s, same, other, longer, empty;
	unsigned char	*p;

	(void)state;
	s = secret_copy(a, "hunter\0two", 10);
	same = secret_copy(a, "hunter\0two", 10);
	other = secret_copy(a, "hunter\0twp", 10);
	longer = secret_copy(a, "hunter\0two!", 11);
	empty = secret_copy(a, "", 0);
	assert_int_equal(s.n, 10);
	assert_ptr_not_equal(s.p, same.p);
	assert_true(secret_eq(s, same));
	assert_false(secret_eq(s, other));
	assert_false(secret_eq(s, longer));
	assert_false(secret_eq(s, empty));
	assert_true(secret_eq(empty, empty));
	assert_string_equal(secret_reveal(a, other), "hunter");
	assert_memory_equal(secret_reveal(a, longer), "hunter\0two!", 12);

	p = s.p;
	secret_wipe(&s);
	assert_null(s.p);
	assert_int_equal(s.n, 0);
	assert_memory_equal(p, "\0\0\0\0\0\0\0\0\0\0", 10);
	secret_wipe(&s);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
