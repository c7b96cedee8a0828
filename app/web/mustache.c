/*
 * A set of templates: found in a folder, parsed, sorted by name, and partials
 * and parents resolved, so that nothing can be missing when a page is shown.
 * The first error ends it, with its file and line.
 */
#include "web/mustache_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

static struct mustache_set *set_new(const struct mustache_options *);
static struct mustache_set *set_finish(struct mustache_set *, bool, char **);
static bool	 folder_load(struct mustache_set *, const char *dir,
		    const char *prefix, unsigned depth);
static bool	 entry_load(struct mustache_set *, const char *dir,
		    const char *prefix, const char *entry, unsigned depth);
static bool	 file_load(struct mustache_set *, char *file, char *name,
		    bool is_text);
static bool	 template_add(struct mustache_set *, char *file, char *name,
		    bool is_text, const char *source, size_t n);
static bool	 set_resolve(struct mustache_set *);
static int	 by_name(const void *, const void *);
static char	*join(const char *, const char *, const char *);

struct mustache_set *
mustache_load(const char *dir, const struct mustache_options *options,
    char **ret_error)
{
	struct mustache_set	*set = set_new(options);

	return (set_finish(set, folder_load(set, dir, "", 1), ret_error));
}

struct mustache_set *
mustache_load_text(const char *const *pairs,
    const struct mustache_options *options, char **ret_error)
{
	struct mustache_set	*set = set_new(options);
	bool			 ok = true;

	for (; ok && pairs[0] != NULL; pairs += 2)
		ok = template_add(set, join(pairs[0], "", ""),
		    join(pairs[0], "", ""), str_ends(pairs[0], ".txt"),
		    pairs[1], strlen(pairs[1]));
	return (set_finish(set, ok, ret_error));
}

void
mustache_free(struct mustache_set *set)
{
	uint32_t	i;

	if (set == NULL)
		return;
	for (i = 0; i < set->n; i++)
		template_free(&set->templates[i]);
	free(set->templates);
	free(set->error);
	free(set);
}

bool
mustache_has(const struct mustache_set *set, const char *name)
{
	return (set_find(set, name) != NULL);
}

bool
set_fail(struct mustache_set *set, const char *file, uint32_t line,
    const char *fmt, ...)
{
	va_list	 ap;
	char	*what;

	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) == -1)
		abort();
	va_end(ap);
	free(set->error);
	if (asprintf(&set->error, "%s:%u: %s", file, line, what) == -1)
		abort();
	free(what);
	return (false);
}

const struct template *
set_find(const struct mustache_set *set, const char *name)
{
	uint32_t	low = 0, high = set->n, middle;
	int		order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, set->templates[middle].name);
		if (order == 0)
			return (&set->templates[middle]);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return (NULL);
}

void *
grow(void *array, uint32_t n, uint32_t *size, uint32_t more, size_t item)
{
	uint32_t	need;

	/* Sources are bounded, so only a bug comes here with 4 GB. */
	if (__builtin_add_overflow(n, more, &need) || need > UINT32_MAX / 2)
		abort();
	if (need <= *size)
		return (array);
	*size = need < 16 ? 16 : need + need / 2;
	array = reallocarray(array, *size, item);
	if (array == NULL)
		abort();
	return (array);
}

static struct mustache_set *
set_new(const struct mustache_options *options)
{
	struct mustache_set	*set = calloc(1, sizeof(*set));

	if (set == NULL)
		abort();
	if (options != NULL)
		set->options = *options;
	return (set);
}

static struct mustache_set *
set_finish(struct mustache_set *set, bool ok, char **ret_error)
{
	if (ok) {
		if (set->n > 0)
			qsort(set->templates, set->n, sizeof(*set->templates),
			    by_name);
		ok = set_resolve(set);
	}
	if (ok)
		return (set);
	*ret_error = set->error;
	set->error = NULL;
	mustache_free(set);
	return (NULL);
}

static bool
folder_load(struct mustache_set *set, const char *dir, const char *prefix,
    unsigned depth)
{
	struct dirent	**entries;
	bool		  ok = true;
	int		  i, n;

	/* Sorted, so that of two errors it is always the same that is told. */
	n = scandir(dir, &entries, NULL, alphasort);
	if (n == -1)
		return (set_fail(set, dir, 0, "The folder can't be read: %s.",
		    strerror(errno)));
	for (i = 0; i < n; i++) {
		if (ok && entries[i]->d_name[0] != '.')
			ok = entry_load(set, dir, prefix, entries[i]->d_name,
			    depth);
		free(entries[i]);
	}
	free(entries);
	return (ok);
}

static bool
entry_load(struct mustache_set *set, const char *dir, const char *prefix,
    const char *entry, unsigned depth)
{
	char		*file = join(dir, "/", entry);
	char		*name = join(prefix, "", entry);
	struct stat	 st;
	bool		 ok = true;

	if (stat(file, &st) == -1) {
		ok = set_fail(set, file, 0, "It can't be read: %s.",
		    strerror(errno));
	} else if (S_ISDIR(st.st_mode) && depth == FOLDER_DEPTH) {
		ok = set_fail(set, file, 0, "Folders nest deeper than %u.",
		    FOLDER_DEPTH);
	} else if (S_ISDIR(st.st_mode)) {
		char	*below = join(name, "/", "");

		ok = folder_load(set, file, below, depth + 1);
		free(below);
	} else if (S_ISREG(st.st_mode) && str_ends(entry, ".html")) {
		name[strlen(name) - strlen(".html")] = '\0';
		return (file_load(set, file, name, false));
	} else if (S_ISREG(st.st_mode) && str_ends(entry, ".txt")) {
		return (file_load(set, file, name, true));
	}
	free(file);
	free(name);
	return (ok);
}

/* Owns file and name from here on. */
static bool
file_load(struct mustache_set *set, char *file, char *name, bool is_text)
{
	FILE	*f = fopen(file, "re");
	char	*source;
	size_t	 n;
	bool	 ok;

	if (f == NULL) {
		(void)set_fail(set, file, 0, "It can't be read: %s.",
		    strerror(errno));
		free(file);
		free(name);
		return (false);
	}
	/* One byte more than is allowed tells that there is more. */
	source = malloc(TEMPLATE_MAX + 1);
	if (source == NULL)
		abort();
	n = fread(source, 1, TEMPLATE_MAX + 1, f);
	if (ferror(f)) {
		(void)set_fail(set, file, 0, "It can't be read.");
		free(file);
		free(name);
		ok = false;
	} else {
		ok = template_add(set, file, name, is_text, source, n);
	}
	free(source);
	(void)fclose(f);
	return (ok);
}

/* Owns file and name from here on. */
static bool
template_add(struct mustache_set *set, char *file, char *name, bool is_text,
    const char *source, size_t n)
{
	struct template	*t;

	set->templates = grow(set->templates, set->n, &set->size, 1,
	    sizeof(*set->templates));
	t = &set->templates[set->n++];
	memset(t, 0, sizeof(*t));
	t->file = file;
	t->name = name;
	t->is_text = is_text;
	if (set->n > TEMPLATES_MAX)
		return (set_fail(set, file, 0, "There are more than %u "
		    "templates.", TEMPLATES_MAX));
	return (template_parse(set, t, source, n));
}

/* Partials and parents become indexes; names must be there, once. */
static bool
set_resolve(struct mustache_set *set)
{
	const struct template	*target;
	struct template		*t;
	struct node		*node;
	uint32_t		 i, k;

	for (i = 1; i < set->n; i++) {
		t = &set->templates[i];
		if (strcmp(t[-1].name, t->name) == 0)
			return (set_fail(set, t->file, 0, "There are two "
			    "templates named %s.", t->name));
	}
	for (i = 0; i < set->n; i++) {
		t = &set->templates[i];
		for (k = 0; k < t->nodes_n; k++) {
			node = &t->nodes[k];
			if (node->kind != NODE_PARTIAL &&
			    node->kind != NODE_PARENT)
				continue;
			target = set_find(set, t->pool + node->text);
			if (target == NULL && !set->options.raw)
				return (set_fail(set, t->file, node->line,
				    "There is no template named %s.",
				    t->pool + node->text));
			node->target = target == NULL ? NO_TARGET :
			    (uint32_t)(target - set->templates);
		}
	}
	return (true);
}

static int
by_name(const void *a, const void *b)
{
	return (strcmp(((const struct template *)a)->name,
	    ((const struct template *)b)->name));
}

static char *
join(const char *a, const char *b, const char *c)
{
	char	*s;

	if (asprintf(&s, "%s%s%s", a, b, c) == -1)
		abort();
	return (s);
}
