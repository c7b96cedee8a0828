/*
 * What may be typed about scopes, and what is proposed: see product_scope.h.
 */
#include "products/product_scope.h"

#define WORD_CHARS	"abcdefghijklmnopqrstuvwxyz0123456789:._-"

static bool	 grants_read(struct arena *, struct product_scope *,
		    const struct product_resources *, struct product_scope_cells *);
static const char *line_read(struct arena *, const char *line, int number,
		    const char *word, const struct product_resources *,
		    struct product_scope_cells *);
static const struct product_resource *resource_find(
		    const struct product_resources *, const char *path);
static bool	 offers(const struct product_resource *, const char *operation);
static bool	 is_cell(const struct product_scope_cells *, const char *word,
		    const char *path, const char *operation);
static const char *noun(struct arena *, const char *path, bool is_long);
static int	 propose(struct arena *, struct product_scope *, int n,
		    const struct product_resource *, const char *verb,
		    const char *noun);
static bool	 has_noun(struct arena *, const struct product_resources *,
		    int i, const char *noun);

const char *
product_scope_word_wrong(const char *word)
{
	size_t	n = strlen(word);

	if (n < SCOPE_WORD_MIN || n > SCOPE_WORD_MAX ||
	    word[strspn(word, WORD_CHARS)] != '\0')
		return ("A scope has 3 to 64 of a-z, 0-9 and : . _ -, as in "
		    "read:customer.");
	return (NULL);
}

bool
product_scope_check(struct arena *a, struct product_scope *rows, int n,
    const struct product_resources *resources,
    struct product_scope_cells *cells)
{
	bool	good = true;
	int	i, other;

	/* Each resource once in each scope, with all its operations. */
	cells->n = 0;
	cells->max = (size_t)n * (size_t)resources->n * RESOURCE_OPERATIONS;
	cells->word = arena_calloc(a, cells->max + 1, sizeof(char *));
	cells->path = arena_calloc(a, cells->max + 1, sizeof(char *));
	cells->operation = arena_calloc(a, cells->max + 1, sizeof(char *));
	for (i = 0; i < n; i++) {
		rows[i].word_wrong = product_scope_word_wrong(rows[i].word);
		for (other = 0; other < i && rows[i].word_wrong == NULL;
		    other++)
			if (str_eq(rows[other].word, rows[i].word))
				rows[i].word_wrong = arena_fmt(a, "Scope %d has "
				    "this word, too.", other + 1);
		if (str_chars(rows[i].description) > SCOPE_DESCRIPTION_MAX)
			rows[i].description_wrong = "This may have up to 200 "
			    "characters. Shorten it.";
		else if (str_has_control(rows[i].description) ||
		    str_has_hidden(rows[i].description, true))
			rows[i].description_wrong = "There is a character in "
			    "it that nobody sees. Type it anew where you "
			    "pasted it.";
		if (!grants_read(a, &rows[i], resources, cells) ||
		    rows[i].word_wrong != NULL ||
		    rows[i].description_wrong != NULL)
			good = false;
	}
	return (good);
}

int
product_scope_propose(struct arena *a, struct product_scope *rows, int n,
    const struct product_resources *resources)
{
	const struct product_resource	*r;
	const char			*x;
	int				 i;

	for (i = 0; i < resources->n; i++) {
		r = &resources->list[i];
		x = noun(a, r->path, false);
		if (has_noun(a, resources, i, x))
			x = noun(a, r->path, true);
		n = propose(a, rows, n, r, "read", x);
		n = propose(a, rows, n, r, "write", x);
	}
	return (n);
}

static bool
grants_read(struct arena *a, struct product_scope *row,
    const struct product_resources *resources,
    struct product_scope_cells *cells)
{
	const char	*p = row->grants, *line;
	size_t		 n;
	int		 number = 1;

	for (; *p != '\0' && row->grants_wrong == NULL; number++) {
		n = strcspn(p, "\n");
		line = str_squeeze(a, arena_strndup(a, p, n));
		if (*line != '\0')
			row->grants_wrong = line_read(a, line, number,
			    row->word, resources, cells);
		p += n + (p[n] == '\n');
	}
	if (row->grants_wrong == NULL && str_blank(row->grants))
		row->grants_wrong = "Say what it stands for, as in GET POST "
		    "/billing/api/v1/contacts.";
	return (row->grants_wrong == NULL);
}

/* "GET POST /path", also with commas; NULL is good, else a sentence. */
static const char *
line_read(struct arena *a, const char *line, int number, const char *word,
    const struct product_resources *resources,
    struct product_scope_cells *cells)
{
	const struct product_resource	*r;
	const char			*path = strchr(line, '/'), *p, *op;
	size_t				 n;

	if (path == NULL || path == line)
		return (arena_fmt(a, "Line %d: write operations and then a "
		    "path, as in GET POST /billing/api/v1/contacts.", number));
	r = resource_find(resources, path);
	if (r == NULL)
		return (arena_fmt(a, "Line %d: no resource of this product has "
		    "the path %s.", number, path));
	for (p = line; p < path; p += n) {
		p += strspn(p, " ,");
		n = strcspn(p, " ,/");
		if (n == 0)
			break;
		op = str_upper(a, arena_strndup(a, p, n));
		if (!offers(r, op))
			return (arena_fmt(a, "Line %d: %s doesn’t offer %s, but "
			    "%s.", number, r->path, op, r->operations));
		if (is_cell(cells, word, r->path, op))
			continue;
		if (cells->n == cells->max)
			return (arena_fmt(a, "Line %d is one too many.",
			    number));
		cells->word[cells->n] = word;
		cells->path[cells->n] = r->path;
		cells->operation[cells->n++] = op;
	}
	return (NULL);
}

static const struct product_resource *
resource_find(const struct product_resources *resources, const char *path)
{
	int	i;

	for (i = 0; i < resources->n; i++)
		if (str_eq(resources->list[i].path, path))
			return (&resources->list[i]);
	return (NULL);
}

static bool
offers(const struct product_resource *r, const char *operation)
{
	const char	*p = r->operations;
	size_t		 n = strlen(operation);

	for (; *p != '\0'; p += strcspn(p, " "), p += *p == ' ')
		if (strncmp(p, operation, n) == 0 &&
		    (p[n] == ',' || p[n] == '\0'))
			return (true);
	return (false);
}

static bool
is_cell(const struct product_scope_cells *cells, const char *word,
    const char *path, const char *operation)
{
	size_t	i = cells->n;

	/* Those of one scope stand together. */
	while (i-- > 0 && cells->word[i] == word)
		if (str_eq(cells->path[i], path) &&
		    str_eq(cells->operation[i], operation))
			return (true);
	return (false);
}

/* "/billing/api/v1/categories/{id}" is "category", long: "v1.category". */
static const char *
noun(struct arena *a, const char *path, bool is_long)
{
	const char	*end = path + strlen(path), *p, *last = "", *before = "";
	struct buf	 b;
	char		*made;
	size_t		 n;

	for (p = path; p < end; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 0 || *p == '{')
			continue;
		before = last;
		last = str_lower(a, arena_strndup(a, p, n));
	}
	buf_init(&b, a, 256);
	if (is_long && *before != '\0')
		buf_fmt(&b, "%s.", before);
	buf_str(&b, last);
	made = arena_strdup(a, buf_text(&b));
	for (n = 0; made[n] != '\0'; n++)
		if (strchr(WORD_CHARS, made[n]) == NULL || made[n] == ':')
			made[n] = '-';
	if (n > 4 && str_ends(made, "ies"))
		memcpy(made + n - 3, "y", 2);
	else if (n > 3 && made[n - 1] == 's' && made[n - 2] != 's')
		made[n - 1] = '\0';
	/* "write:" and so much more fit. */
	if (strlen(made) > SCOPE_WORD_MAX - 6)
		made[SCOPE_WORD_MAX - 6] = '\0';
	return (made);
}

static bool
has_noun(struct arena *a, const struct product_resources *resources, int i,
    const char *x)
{
	int	other;

	for (other = 0; other < resources->n; other++)
		if (other != i &&
		    str_eq(noun(a, resources->list[other].path, false), x))
			return (true);
	return (false);
}

static int
propose(struct arena *a, struct product_scope *rows, int n,
    const struct product_resource *r, const char *verb, const char *x)
{
	const char	*word = arena_fmt(a, "%s:%s", verb, x);
	bool		 is_read = str_eq(verb, "read");
	struct buf	 b;
	int		 i;

	for (i = 0; i < n; i++)
		if (str_eq(rows[i].word, word))
			return (n);
	buf_init(&b, a, 512);
	for (i = is_read ? 0 : 1; i < (is_read ? 1 : RESOURCE_OPERATIONS); i++)
		if (offers(r, catalogue_operations[i]))
			buf_fmt(&b, "%s ", catalogue_operations[i]);
	if (b.n == 0 || n == PRODUCT_SCOPES_MAX)
		return (n);
	buf_str(&b, r->path);
	rows[n] = (struct product_scope){
		.word = word,
		.description = arena_fmt(a, "%s: %s", is_read ? "Read" :
		    "Make, change and delete", r->name),
		.grants = buf_text(&b),
	};
	return (n + 1);
}
