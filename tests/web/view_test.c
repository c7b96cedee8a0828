/*
 * Views: what is set is found, replaced and grown; what is not, is not.  Read
 * through view_read.h, as the renderer does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/view_read.h"

static struct arena	*arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1024 * 1024, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

static struct value *
find(const struct view *v, const char *name)
{
	return (view_find(v, view_hash(name), name));
}

static void
test_values(void **state)
{
	struct view	*v = view_new(arena), *map;

	(void)state;
	assert_null(find(v, "name"));
	view_text(v, "name", "Ada");
	view_text(v, "nothing", NULL);
	view_int(v, "least", INT64_MIN);
	view_bool(v, "yes", true);
	map = view_map(v, "map");
	view_text(map, "inner", "x");
	view_put(v, "same", map);

	assert_int_equal(find(v, "name")->kind, VALUE_TEXT);
	assert_string_equal(find(v, "name")->text, "Ada");
	assert_string_equal(find(v, "nothing")->text, "");
	assert_true(find(v, "least")->number == INT64_MIN);
	assert_int_equal(find(v, "yes")->kind, VALUE_BOOL);
	assert_true(find(v, "yes")->truth);
	assert_ptr_equal(find(v, "map")->map, map);
	assert_ptr_equal(find(v, "same")->map, map);
	assert_string_equal(find(map, "inner")->text, "x");
	assert_null(find(v, "inner"));
	assert_null(find(v, "nam"));
	assert_null(find(v, "names"));
	assert_true(view_has(v, "nothing"));
	assert_false(view_has(v, "Name"));
}

static void
test_set_again_replaces(void **state)
{
	struct view	*v = view_new(arena);

	(void)state;
	view_text(v, "a", "1");
	view_text(v, "b", "2");
	view_bool(v, "a", false);
	assert_int_equal(v->n, 2);
	assert_int_equal(find(v, "a")->kind, VALUE_BOOL);
	assert_string_equal(find(v, "b")->text, "2");
	(void)view_row(v, "b");
	assert_int_equal(find(v, "b")->kind, VALUE_LIST);
	assert_int_equal(find(v, "b")->list->n, 1);
}

static void
test_lists(void **state)
{
	struct view	*v = view_new(arena), *row;
	struct value	*list;
	int		 i;

	(void)state;
	view_list(v, "rows");
	assert_int_equal(find(v, "rows")->list->n, 0);
	for (i = 0; i < 1000; i++) {
		row = view_row(v, "rows");
		view_int(row, "i", i);
	}
	/* A list that is there is kept. */
	view_list(v, "rows");
	view_row_text(v, "rows", "last");
	view_row_text(v, "rows", NULL);
	list = find(v, "rows");
	assert_int_equal(list->list->n, 1002);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(list->list->items[i].kind, VALUE_MAP);
		assert_int_equal(find(list->list->items[i].map, "i")->number,
		    i);
	}
	assert_string_equal(list->list->items[1000].text, "last");
	assert_string_equal(list->list->items[1001].text, "");
}

static void
test_many_names(void **state)
{
	struct view	*v = view_new(arena);
	int		 i;

	(void)state;
	for (i = 0; i < 1000; i++)
		view_int(v, arena_fmt(arena, "name_%d", i), i);
	assert_int_equal(v->n, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(find(v, arena_fmt(arena, "name_%d",
		    i))->number, i);
	assert_null(find(v, "name_1000"));
}

/* "costarring" and "liquid" have the same FNV-1a hash. */
static void
test_equal_hashes(void **state)
{
	struct view	*v = view_new(arena);

	(void)state;
	assert_int_equal(view_hash("costarring"), view_hash("liquid"));
	view_text(v, "costarring", "a");
	assert_null(find(v, "liquid"));
	view_text(v, "liquid", "b");
	assert_string_equal(find(v, "costarring")->text, "a");
	assert_string_equal(find(v, "liquid")->text, "b");
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_again_replaces,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_names, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_equal_hashes, setup,
		    teardown),
	};

	return (cmocka_run_group_tests_name("web/view", tests, NULL, NULL));
}
