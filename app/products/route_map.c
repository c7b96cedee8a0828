/*
 * An OpenAPI document as a route map: see route_map.h.  Jansson reads the
 * JSON; depth is counted before, since it recurses and a coroutine's stack is
 * small.  All that is kept is copied into the arena.
 */
#include "products/route_map.h"

#include <jansson.h>

struct reading {
	struct arena	*a;
	const json_t	*root;
	struct route_map *map;
	const char	*prefix;	/* path of the server, "" */
	const char	*wrong;		/* NULL: all is right so far */
};

static bool	 too_deep(const char *text, size_t bytes);
static bool	 wrong(struct reading *, const char *fmt, ...) FORMAT(2, 3);
static bool	 read_root(struct reading *);
static bool	 read_server(struct reading *);
static const json_t *item_of(struct reading *, const char *path,
		    const json_t *);
static bool	 has_methods(const json_t *);
static bool	 read_path(struct reading *, const char *path, const json_t *);
static bool	 read_operation(struct reading *, struct resource *,
		    const char *place, int op, const json_t *);
static bool	 read_needs(struct reading *, const char *place,
		    const json_t *security, const char *path, int op);
static bool	 add_cell(struct reading *, const char *place,
		    const char *word, const char *path, int op);
static void	 describe(struct reading *);
static const char *line_of(struct reading *, const json_t *, const char *name,
		    size_t max_chars);
static const char *last_word(struct arena *, const char *path);
static const struct product_resource *there(const struct product_resources *,
		    const char *path);
static const char *text_of(const json_t *, const char *name);

bool
route_map_read(struct arena *a, const char *text, size_t bytes,
    struct route_map *map, const char **ret_wrong)
{
	struct reading	 r = { .a = a, .map = map, .prefix = "" };
	json_error_t	 error;
	json_t		*json;
	size_t		 max = PRODUCT_RESOURCES_MAX * RESOURCE_OPERATIONS * 4;

	*map = (struct route_map){
		.resources = arena_calloc(a, PRODUCT_RESOURCES_MAX,
		    sizeof(struct resource)),
		.scopes = arena_calloc(a, PRODUCT_SCOPES_MAX,
		    sizeof(struct product_scope)),
		.cells = { arena_calloc(a, max, sizeof(char *)),
		    arena_calloc(a, max, sizeof(char *)),
		    arena_calloc(a, max, sizeof(char *)), 0, max },
	};
	*ret_wrong = "The document may have up to 64 kB.";
	if (bytes > ROUTE_MAP_BYTES_MAX)
		return (false);
	*ret_wrong = "It has more than 40 brackets within each other.";
	if (too_deep(text, bytes))
		return (false);
	json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL) {
		*ret_wrong = arena_fmt(a, json_error_code(&error) ==
		    json_error_duplicate_key ? "A name stands twice in one "
		    "object, line %d, column %d." : "It is no JSON, line %d, "
		    "column %d. A document in YAML has to be made JSON first.",
		    error.line, error.column);
		return (false);
	}
	r.root = json;
	(void)read_root(&r);
	json_decref(json);
	*ret_wrong = r.wrong;
	return (r.wrong == NULL);
}

void
route_map_keep(struct route_map *map, const struct product_resources *now)
{
	const struct product_resource	*old;
	int				 i;

	for (i = 0; i < map->n; i++) {
		old = there(now, map->resources[i].path);
		if (old == NULL)
			continue;
		map->resources[i].id = old->id;
		map->resources[i].name = old->name;
		map->resources[i].note = old->note;
	}
}

const char *
route_map_does(const struct route_map *map, int i,
    const struct product_resources *now)
{
	const struct resource		*r = &map->resources[i];
	const struct product_resource	*old = there(now, r->path);
	const char			*p;
	size_t				 n;
	int				 op;
	bool				 has;

	if (old == NULL)
		return ("added");
	if (!str_eq(old->path, r->path))
		return ("changed");
	for (op = 0; op < RESOURCE_OPERATIONS; op++) {
		n = strlen(catalogue_operations[op]);
		has = false;
		for (p = old->operations; *p != '\0';
		    p += strcspn(p, " "), p += *p == ' ')
			has = has || (strncmp(p, catalogue_operations[op],
			    n) == 0 && (p[n] == ',' || p[n] == '\0'));
		if (has != r->may[op])
			return ("changed");
	}
	return ("");
}

const char *
route_map_operations(struct arena *a, const struct resource *r)
{
	struct buf	b;
	int		op;

	buf_init(&b, a, 64);
	for (op = 0; op < RESOURCE_OPERATIONS; op++)
		if (r->may[op])
			buf_fmt(&b, "%s%s", b.n == 0 ? "" : ", ",
			    catalogue_operations[op]);
	return (buf_text(&b));
}

/* Counts brackets that do not stand in strings. */
static bool
too_deep(const char *text, size_t bytes)
{
	size_t	i;
	int	depth = 0;
	bool	in_string = false;

	for (i = 0; i < bytes; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '[' || text[i] == '{') {
			if (++depth > ROUTE_MAP_DEPTH_MAX)
				return (true);
		} else if (text[i] == ']' || text[i] == '}') {
			depth--;
		}
	}
	return (false);
}

static bool
wrong(struct reading *r, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	r->wrong = arena_vfmt(r->a, fmt, ap);
	va_end(ap);
	return (false);
}

static bool
read_root(struct reading *r)
{
	const char	*version = text_of(r->root, "openapi"), *path;
	const json_t	*paths = json_object_get(r->root, "paths");
	json_t		*item;
	union { const json_t *in; json_t *out; } same = { paths };

	if (version == NULL || !(str_starts(version, "3.0.") ||
	    str_starts(version, "3.1.")))
		return (wrong(r, "openapi: this must be a document of OpenAPI "
		    "3.0 or 3.1, with a line such as \"openapi\": \"3.1.0\"."));
	if (!json_is_object(paths) || json_object_size(paths) == 0)
		return (wrong(r, "paths: there are none."));
	if (!read_server(r))
		return (false);
	json_object_foreach(same.out, path, item)
		if (!str_starts(path, "x-") && !read_path(r, path, item))
			return (false);
	if (r->map->n == 0)
		return (wrong(r, "paths: none has an operation."));
	describe(r);
	return (true);
}

/* "https://api.example/billing" puts /billing before each path. */
static bool
read_server(struct reading *r)
{
	const json_t	*servers = json_object_get(r->root, "servers");
	const char	*url, *path;
	char		*end;

	url = text_of(json_array_get(servers, 0), "url");
	if (url == NULL)
		return (true);
	if (strchr(url, '{') != NULL)
		return (wrong(r, "servers.0.url: has a variable. Write the "
		    "address as it is."));
	path = strstr(url, "://");
	path = path == NULL ? strchr(url, '/') : strchr(path + 3, '/');
	if (path == NULL)
		return (true);
	end = arena_strdup(r->a, path);
	while (*end != '\0' && end[strlen(end) - 1] == '/')
		end[strlen(end) - 1] = '\0';
	r->prefix = end;
	return (true);
}

static bool
read_path(struct reading *r, const char *path, const json_t *item)
{
	const char	*place = arena_fmt(r->a, "paths.%s", path), *first;
	struct resource	*to, made = { .id = "", .note = "" };
	const json_t	*op;
	int		 i;

	item = item_of(r, place, item);
	if (item == NULL)
		return (false);
	if (!has_methods(item))
		return (true);
	made.path = arena_fmt(r->a, "%s%s", r->prefix, path);
	made.path_wrong = catalogue_path_wrong(made.path);
	if (made.path_wrong != NULL)
		return (wrong(r, "%s: %s", place, made.path_wrong));
	if (json_object_get(item, "servers") != NULL)
		return (wrong(r, "%s.servers: a path can’t have servers of its "
		    "own here.", place));
	for (i = 0; i < r->map->n; i++)
		if (catalogue_path_same(r->map->resources[i].path, made.path))
			return (wrong(r, "%s: is one path with %s, whatever "
			    "its parameters are called.", place,
			    r->map->resources[i].path + strlen(r->prefix)));
	if (r->map->n == PRODUCT_RESOURCES_MAX)
		return (wrong(r, "%s: a product has at most %d resources. "
		    "Leave out paths that lie below another one with the same "
		    "operations.", place, PRODUCT_RESOURCES_MAX));
	to = &r->map->resources[r->map->n++];
	*to = made;
	for (i = 0; i < RESOURCE_OPERATIONS; i++) {
		first = str_lower(r->a, catalogue_operations[i]);
		op = json_object_get(item, first);
		if (op != NULL && !read_operation(r, to, arena_fmt(r->a,
		    "%s.%s", place, first), i, op))
			return (false);
	}
	if (to->name == NULL)
		to->name = line_of(r, item, "summary", RESOURCE_NAME_MAX);
	if (to->name == NULL)
		to->name = last_word(r->a, made.path);
	return (true);
}

/* A reference leads to another item of the document. */
static const json_t *
item_of(struct reading *r, const char *place, const json_t *item)
{
	static const char	 start[] = "#/components/pathItems/";
	const char		*ref;
	int			 i;

	for (i = 0; i <= ROUTE_MAP_REFS_MAX; i++) {
		if (!json_is_object(item)) {
			(void)wrong(r, "%s: is no object.", place);
			return (NULL);
		}
		ref = text_of(item, "$ref");
		if (ref == NULL)
			return (item);
		if (has_methods(item)) {
			(void)wrong(r, "%s.$ref: has operations beside it.",
			    place);
			return (NULL);
		}
		if (!str_starts(ref, start)) {
			(void)wrong(r, "%s.$ref: leads out of the document's "
			    "#/components/pathItems.", place);
			return (NULL);
		}
		item = json_object_get(json_object_get(json_object_get(
		    r->root, "components"), "pathItems"),
		    ref + sizeof(start) - 1);
	}
	(void)wrong(r, "%s.$ref: leads in a circle.", place);
	return (NULL);
}

static bool
has_methods(const json_t *item)
{
	static const char *const	methods[RESOURCE_OPERATIONS] = {
		"get", "post", "put", "patch", "delete",
	};
	int				i;

	for (i = 0; i < RESOURCE_OPERATIONS; i++)
		if (json_object_get(item, methods[i]) != NULL)
			return (true);
	return (false);
}

static bool
read_operation(struct reading *r, struct resource *to, const char *place,
    int op, const json_t *item)
{
	const json_t	*security, *said, *tags;
	size_t		 i;

	if (!json_is_object(item))
		return (wrong(r, "%s: is no object.", place));
	if (json_object_get(item, "servers") != NULL)
		return (wrong(r, "%s.servers: an operation can’t have servers "
		    "of its own here.", place));
	to->may[op] = true;
	tags = json_object_get(item, "tags");
	if (to->name == NULL)
		to->name = line_of(r, json_array_get(tags, 0), NULL,
		    RESOURCE_NAME_MAX);
	if (*to->note == '\0' && line_of(r, item, "summary",
	    RESOURCE_NOTE_MAX) != NULL)
		to->note = line_of(r, item, "summary", RESOURCE_NOTE_MAX);
	said = json_object_get(item, "x-scope");
	if (json_is_string(said))
		return (add_cell(r, arena_fmt(r->a, "%s.x-scope", place),
		    json_string_value(said), to->path, op));
	if (said != NULL && !json_is_array(said))
		return (wrong(r, "%s.x-scope: is neither a word nor a list of "
		    "words.", place));
	for (i = 0; i < json_array_size(said); i++)
		if (!add_cell(r, arena_fmt(r->a, "%s.x-scope.%zu", place, i),
		    json_string_value(json_array_get(said, i)), to->path, op))
			return (false);
	if (said != NULL)
		return (true);
	security = json_object_get(item, "security");
	if (security == NULL)
		security = json_object_get(r->root, "security");
	return (read_needs(r, place, security, to->path, op));
}

/* Each item of the list is enough; what stands in one item is all needed. */
static bool
read_needs(struct reading *r, const char *place, const json_t *security,
    const char *path, int op)
{
	const char	*scheme, *word;
	json_t		*item, *words;
	size_t		 i, k;
	union { const json_t *in; json_t *out; } same = { security };

	if (security != NULL && !json_is_array(security))
		return (wrong(r, "%s.security: is no list.", place));
	json_array_foreach(same.out, i, item) {
		word = NULL;
		json_object_foreach(item, scheme, words) {
			for (k = 0; k < json_array_size(words); k++) {
				if (word != NULL)
					return (wrong(r, "%s.security.%zu: "
					    "needs two scopes at once, which "
					    "can’t be said here. Name one in "
					    "x-scope.", place, i));
				word = json_string_value(json_array_get(words,
				    k));
				if (!add_cell(r, arena_fmt(r->a,
				    "%s.security.%zu.%s.%zu", place, i, scheme,
				    k), word, path, op))
					return (false);
			}
		}
	}
	return (true);
}

static bool
add_cell(struct reading *r, const char *place, const char *word,
    const char *path, int op)
{
	struct route_map	*m = r->map;
	const char		*said;
	int			 i;

	said = word == NULL ? "This is no word." : product_scope_word_wrong(word);
	if (said != NULL)
		return (wrong(r, "%s: %s", place, said));
	for (i = 0; i < m->scopes_n; i++)
		if (str_eq(m->scopes[i].word, word))
			break;
	if (i == PRODUCT_SCOPES_MAX)
		return (wrong(r, "%s: a product has at most %d scopes.", place,
		    PRODUCT_SCOPES_MAX));
	if (i == m->scopes_n)
		m->scopes[m->scopes_n++] = (struct product_scope){
			.word = arena_strdup(r->a, word), .description = "",
			.grants = "",
		};
	if (m->cells.n == m->cells.max)
		return (wrong(r, "%s: there are more scopes of operations than "
		    "can be kept.", place));
	m->cells.word[m->cells.n] = m->scopes[i].word;
	m->cells.path[m->cells.n] = path;
	m->cells.operation[m->cells.n++] = catalogue_operations[op];
	return (true);
}

/* What the document's security schemes say of the scopes. */
static void
describe(struct reading *r)
{
	const json_t	*schemes = json_object_get(json_object_get(r->root,
			    "components"), "securitySchemes");
	const char	*name, *flow, *text;
	json_t		*scheme, *one;
	union { const json_t *in; json_t *out; } same = { schemes };
	int		 i;

	json_object_foreach(same.out, name, scheme)
		json_object_foreach(json_object_get(scheme, "flows"), flow,
		    one)
			for (i = 0; i < r->map->scopes_n; i++) {
				text = line_of(r, json_object_get(one,
				    "scopes"), r->map->scopes[i].word,
				    SCOPE_DESCRIPTION_MAX);
				if (text != NULL)
					r->map->scopes[i].description = text;
			}
}

/* One line without what nobody sees, cut; NULL where there is none.  name NULL:
 * the text itself. */
static const char *
line_of(struct reading *r, const json_t *item, const char *name,
    size_t max_chars)
{
	const char	*text = name == NULL ? json_string_value(item) :
			    text_of(item, name);
	size_t		 n, step, left;
	int32_t		 c;

	if (text == NULL || (text = str_nfc(r->a, text)) == NULL)
		return (NULL);
	text = str_squeeze(r->a, text);
	if (*text == '\0' || str_has_control(text) ||
	    str_has_hidden(text, true))
		return (NULL);
	for (n = 0, left = strlen(text); left > 0 && max_chars > 0;
	    max_chars--, n += step, left -= step)
		step = str_next(text + n, left, &c);
	return (str_squeeze(r->a, arena_strndup(r->a, text, n)));
}

static const char *
last_word(struct arena *a, const char *path)
{
	const char	*p, *last = path;
	size_t		 n;
	char		*word;

	for (p = path; *p != '\0'; p += n) {
		p++;
		n = strcspn(p, "/");
		if (*p != '{')
			last = p;
	}
	if (last == path)
		last++;
	n = strcspn(last, "/");
	if (n > RESOURCE_NAME_MAX)
		n = RESOURCE_NAME_MAX;
	word = arena_strndup(a, last, n);
	if (word[0] >= 'a' && word[0] <= 'z')
		word[0] = (char)(word[0] - 'a' + 'A');
	return (word);
}

static const struct product_resource *
there(const struct product_resources *now, const char *path)
{
	int	i;

	for (i = 0; i < now->n; i++)
		if (catalogue_path_same(now->list[i].path, path))
			return (&now->list[i]);
	return (NULL);
}

static const char *
text_of(const json_t *item, const char *name)
{
	return (json_string_value(json_object_get(item, name)));
}
