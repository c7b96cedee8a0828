/*
 * The arena: alignment, zeroes, growth, the order of clean-ups, and that
 * reaching the maximum calls `full`, which does not return.
 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static jmp_buf	full_jump;
static char	order[8];

static void
full(void *arg)
{
	*(int *)arg += 1;
	longjmp(full_jump, 1);
}

static void
note(void *arg)
{
	size_t	n = strlen(order);

	order[n] = *(const char *)arg;
	order[n + 1] = '\0';
}

static void
test_alloc(void **state)
{
	static const size_t	 sizes[] = { 0, 1, 15, 16, 17, 8192, 200000 };
	struct arena		*a = arena_new(1u << 20, NULL, NULL);
	unsigned char		*p[COUNT(sizes)];
	size_t			 i, j, before;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		p[i] = arena_alloc(a, sizes[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		for (j = 0; j < sizes[i]; j++)
			assert_int_equal(p[i][j], 0);
		memset(p[i], (int)i + 1, sizes[i]);
	}
	/* None lies over another. */
	for (i = 0; i < COUNT(sizes); i++) {
		for (j = 0; j < sizes[i]; j++)
			assert_int_equal(p[i][j], i + 1);
	}
	before = arena_used(a);
	arena_alloc(a, 1000);
	assert_true(arena_used(a) >= before + 1000);
	arena_free(a);
	arena_free(NULL);
}

/* The chunk that the next arena gets was another's: nothing may be left. */
static void
test_reuse_is_zeroed(void **state)
{
	struct arena	*a;
	unsigned char	*p;
	size_t		 i;

	(void)state;
	a = arena_new(1u << 20, NULL, NULL);
	memset(arena_alloc(a, 4000), 0xff, 4000);
	arena_free(a);
	a = arena_new(1u << 20, NULL, NULL);
	p = arena_alloc(a, 4000);
	for (i = 0; i < 4000; i++)
		assert_int_equal(p[i], 0);
	arena_free(a);
}

static void
test_strings(void **state)
{
	struct arena	*a = arena_new(1u << 20, NULL, NULL);

	(void)state;
	assert_string_equal(arena_strdup(a, "Altaworx"), "Altaworx");
	assert_string_equal(arena_strdup(a, ""), "");
	assert_string_equal(arena_strndup(a, "Altaworx", 4), "Alta");
	assert_memory_equal(arena_memdup(a, "a\0b", 3), "a\0b", 3);
	assert_string_equal(arena_fmt(a, "%s-%03d", "KEY", 7), "KEY-007");
	assert_int_equal(strlen(arena_fmt(a, "%20000s", "x")), 20000);
	arena_free(a);
}

static void
test_full(void **state)
{
	int		 volatile called = 0;
	int		 count = 0;
	struct arena	*a = arena_new(4096, full, &count);

	(void)state;
	arena_alloc(a, 4000);
	assert_int_equal(count, 0);
	if (setjmp(full_jump) == 0)
		arena_alloc(a, 200);
	else
		called = 1;
	assert_int_equal(called, 1);
	called = 0;
	if (setjmp(full_jump) == 0)
		arena_alloc(a, SIZE_MAX);
	else
		called = 1;
	assert_int_equal(called, 1);
	called = 0;
	if (setjmp(full_jump) == 0)
		arena_calloc(a, SIZE_MAX / 2, 3);
	else
		called = 1;
	assert_int_equal(called, 1);
	assert_int_equal(count, 3);
	arena_free(a);
}

static void
test_cleanups_run_latest_first(void **state)
{
	static char	 one = '1', two = '2', three = '3';
	struct arena	*a = arena_new(1u << 20, NULL, NULL);

	(void)state;
	arena_at_end(a, note, &one);
	arena_at_end(a, note, &two);
	arena_at_end(a, note, &three);
	assert_string_equal(order, "");
	arena_free(a);
	assert_string_equal(order, "321");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_reuse_is_zeroed),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_cleanups_run_latest_first),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
