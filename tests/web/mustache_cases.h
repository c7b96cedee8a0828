/*
 * What mustache_test.c and mustache_refusal_test.c share: a view with some of
 * everything, and a way to render the template "main" of a set with it.
 */
#ifndef MUSTACHE_CASES_H
#define MUSTACHE_CASES_H

#include "web/mustache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define OUT_MAX	100000u
#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

static struct arena	*arena;
static const char	*error;		/* of the last failure */
static char		*load_error;

static const struct mustache_options	plain;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(16u << 20, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	free(load_error);
	load_error = NULL;
	return (0);
}

static struct view *
view_make(void)
{
	struct view	*v = view_new(arena), *map, *row;

	view_text(v, "name", "Ada");
	view_text(v, "empty", "");
	view_text(v, "evil", "<a href=\"'x'\">&amp;</a>");
	view_text(v, "lines", "1\n2\n");
	view_text(v, "tag", "{{name}}");
	view_int(v, "zero", 0);
	view_int(v, "many", -42);
	view_bool(v, "yes", true);
	view_bool(v, "no", false);
	view_list(v, "none");
	map = view_map(v, "person");
	view_text(map, "name", "Grace");
	view_text(view_map(map, "firm"), "name", "Navy");
	row = view_row(v, "rows");
	view_text(row, "id", "a");
	row = view_row(v, "rows");
	view_text(row, "id", "b");
	view_text(row, "name", "Row");
	view_row_text(v, "words", "x");
	view_row_text(v, "words", "<y>");
	return (v);
}

/* NULL, with `error` set, when it does not load or render. */
static const char *
render_with(const struct mustache_options *options, const char *const *sources)
{
	struct mustache_set	*set;
	struct buf		 out;
	const char		*text = NULL;

	free(load_error);
	load_error = NULL;
	error = NULL;
	set = mustache_load_text(sources, options, &load_error);
	if (set == NULL) {
		error = load_error;
		return (NULL);
	}
	buf_init(&out, arena, OUT_MAX);
	if (mustache_render(set, "main", view_make(), &out, &error))
		text = buf_text(&out);
	mustache_free(set);
	return (text);
}

/* The expected message, or its beginning if it ends with a space. */
static void
load_fails(const struct mustache_options *options, const char *const *sources,
    const char *expected)
{
	if (render_with(options, sources) != NULL || load_error == NULL)
		fail_msg("loads, for all of \"%s\"", expected);
	if (str_ends(expected, " "))
		assert_true(str_starts(load_error, expected));
	else
		assert_string_equal(load_error, expected);
}

#endif
