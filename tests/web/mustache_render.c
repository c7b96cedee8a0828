/*
 * Renders one template for tests in other languages, which say on standard
 * input what the set and the view are, a command a line:
 *
 *	template NAME BYTES	the bytes follow, then a line feed
 *	text NAME BYTES		the same; item NAME BYTES appends to a list
 *	int NAME N		bool NAME 0|1		list NAME
 *	map NAME		row NAME	what follows is in it, until: end
 *	render NAME
 *
 * Exit 0 with the result on standard output, 1 with the error on standard
 * error, 2 when the input is malformed.
 */
#include <inttypes.h>

#include "web/mustache.h"

#define TEMPLATES	16
#define DEPTH		16
#define BYTES_MAX	65536
#define ARENA_MAX	(1024u * 1024)

static _Noreturn void	 malformed(const char *);
static const char	*bytes_read(struct arena *, const char *);
static int		 render(struct arena *, const char *const *,
			    const char *, const struct view *);

int
main(void)
{
	struct arena	*a = arena_new(ARENA_MAX, NULL, NULL);
	const char	*pairs[TEMPLATES * 2 + 1] = { NULL };
	struct view	*views[DEPTH] = { view_new(a) }, **v = views;
	size_t		 n = 0;
	char		 line[256], word[16], rest[64], *name;
	char		 name_text[128];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		rest[0] = name_text[0] = '\0';
		if (sscanf(line, "%15s %127s %63s", word, name_text,
		    rest) < 1)
			malformed(line);
		name = arena_strdup(a, name_text);
		if (strcmp(word, "template") == 0 && n < TEMPLATES) {
			pairs[n * 2] = name;
			pairs[n++ * 2 + 1] = bytes_read(a, rest);
		} else if (strcmp(word, "text") == 0) {
			view_text(*v, name, bytes_read(a, rest));
		} else if (strcmp(word, "item") == 0) {
			view_row_text(*v, name, bytes_read(a, rest));
		} else if (strcmp(word, "int") == 0) {
			view_int(*v, name, strtoimax(rest, NULL, 10));
		} else if (strcmp(word, "bool") == 0) {
			view_bool(*v, name, rest[0] == '1');
		} else if (strcmp(word, "list") == 0) {
			view_list(*v, name);
		} else if (strcmp(word, "map") == 0 && v < views + DEPTH - 1) {
			v[1] = view_map(*v, name);
			v++;
		} else if (strcmp(word, "row") == 0 && v < views + DEPTH - 1) {
			v[1] = view_row(*v, name);
			v++;
		} else if (strcmp(word, "end") == 0 && v > views) {
			v--;
		} else if (strcmp(word, "render") == 0) {
			return (render(a, pairs, name, views[0]));
		} else {
			malformed(line);
		}
	}
	malformed("no render");
}

static _Noreturn void
malformed(const char *line)
{
	(void)fprintf(stderr, "malformed input: %s\n", line);
	exit(2);
}

static const char *
bytes_read(struct arena *a, const char *length)
{
	char	*end, *bytes;
	size_t	 n = strtoumax(length, &end, 10);

	if (*length == '\0' || *end != '\0' || n > BYTES_MAX)
		malformed(length);
	bytes = arena_alloc(a, n + 1);
	if (fread(bytes, 1, n, stdin) != n || getchar() != '\n')
		malformed("bytes end early");
	return (bytes);
}

static int
render(struct arena *a, const char *const *pairs, const char *name,
    const struct view *v)
{
	const struct mustache_options	 options = { .raw = true };
	struct mustache_set		*set;
	struct buf			 out;
	const char			*error;
	char				*load_error;

	set = mustache_load_text(pairs, &options, &load_error);
	if (set == NULL) {
		(void)fprintf(stderr, "%s\n", load_error);
		free(load_error);
		return (1);
	}
	buf_init(&out, a, BYTES_MAX);
	if (!mustache_render(set, name, v, &out, &error)) {
		(void)fprintf(stderr, "%s\n", error);
		return (1);
	}
	(void)fwrite(buf_text(&out), 1, out.n, stdout);
	mustache_free(set);
	arena_free(a);
	return (0);
}
