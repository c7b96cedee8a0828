/*
 * libFuzzer: hostile templates.  The input is up to four templates with a NUL
 * between them; the first is rendered with a fixed view, in every mode.  What
 * must hold: no crash, an error or a result, and in HTML nothing of the view
 * that is not escaped.
 */
#include <assert.h>

#include "web/mustache.h"

#define ARENA_MAX	(8u * 1024 * 1024)
#define OUT_MAX		(64u * 1024)
#define PARTS		4u

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct view	*view_make(struct arena *);
static const char	*asset_find(const char *);

/* Begins a text of the view that must come out escaped. */
#define MARK		"\xee\x80\x80"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct mustache_options	modes[] = {
		{ .asset = asset_find }, { .strict = true }, { .raw = true },
	};
	static const char *const	 names[PARTS] = { "main", "a", "b",
						    "c.txt" };
	const char			*pairs[PARTS * 2 + 1] = { NULL };
	struct arena			*arena;
	struct mustache_set		*set;
	struct buf			 out;
	const char			*error, *at;
	char				*text, *load_error;
	size_t				 i;
	bool				 is_checked;

	/* Not where the template has the mark itself, or shows plain text. */
	is_checked = memmem(data, n, MARK, strlen(MARK)) == NULL &&
	    memmem(data, n, "c.txt", strlen("c.txt")) == NULL;
	arena = arena_new(ARENA_MAX, NULL, NULL);
	text = arena_strndup(arena, (const char *)data, n);
	for (i = 0, at = text; i < PARTS; i++) {
		pairs[i * 2] = names[i];
		pairs[i * 2 + 1] = at;
		if (at < text + n)
			at += strlen(at);
		if (at < text + n)
			at++;
	}
	for (i = 0; i < COUNT(modes); i++) {
		load_error = NULL;
		set = mustache_load_text(pairs, &modes[i], &load_error);
		assert((set == NULL) == (load_error != NULL));
		if (set == NULL) {
			free(load_error);
			continue;
		}
		buf_init(&out, arena, OUT_MAX);
		error = NULL;
		if (!mustache_render(set, "main", view_make(arena), &out,
		    &error))
			assert(error != NULL && *error != '\0');
		else if (is_checked && !modes[i].raw)
			assert(strstr(buf_text(&out), MARK "<") == NULL);
		mustache_free(set);
	}
	arena_free(arena);
	return (0);
}

static struct view *
view_make(struct arena *arena)
{
	struct view	*v = view_new(arena), *map;

	view_text(v, "a", MARK "<\"'&>");
	view_text(v, "empty", "");
	view_text(v, "tag", "{{a}}\n{{/a}}");
	view_int(v, "n", -1);
	view_bool(v, "yes", true);
	view_bool(v, "no", false);
	view_list(v, "none");
	map = view_map(v, "map");
	view_text(map, "b", "\n");
	view_put(map, "map", map);
	view_text(view_row(v, "rows"), "a", "1");
	view_text(view_row(v, "rows"), "b", "2");
	view_row_text(v, "words", "x");
	return (v);
}

static const char *
asset_find(const char *name)
{
	return (str_eq(name, "x") ? "x.0123" : NULL);
}
