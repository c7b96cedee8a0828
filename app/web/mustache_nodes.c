/*
 * Nodes, names and text of a template that is being parsed.  Text next to text
 * becomes one node, so that the renderer copies it at once; names of assets
 * are rewritten here.
 */
#include "web/mustache_parse.h"
#include "web/view_read.h"

#include <assert.h>

#define ASSETS	"/assets/"

static bool	 line_add(struct parser *, size_t, size_t);
static bool	 asset_add(struct parser *, size_t *, size_t);
static void	 bytes_add(struct parser *, const char *, size_t);
static uint32_t	 pool_add(struct template *, const char *, size_t);
static bool	 is_name(char);

uint32_t
node_add(struct parser *p, enum node_kind kind, uint32_t line)
{
	struct template	*t = p->t;
	struct node	*node;

	t->nodes = grow(t->nodes, t->nodes_n, &t->nodes_size, 1,
	    sizeof(*t->nodes));
	node = &t->nodes[t->nodes_n];
	memset(node, 0, sizeof(*node));
	node->kind = (uint8_t)kind;
	node->line = line;
	node->end = t->nodes_n + 1;
	node->target = NO_TARGET;
	p->is_open_text = kind == NODE_TEXT;
	return (t->nodes_n++);
}

bool
node_name(struct parser *p, const struct tag *tag, uint32_t index)
{
	struct template	*t = p->t;
	struct node	*node = &t->nodes[index];
	const char	*s = tag->name, *end = s + tag->name_n;
	size_t		 n;

	node->text = pool_add(t, s, tag->name_n);
	node->length = (uint32_t)tag->name_n;
	node->name = t->names_n;
	if (tag->name_n == 1 && *s == '.')
		return (true);
	for (;; s += n + 1) {
		for (n = 0; s + n < end && is_name(s[n]); n++)
			;
		if (n == 0 || (s + n < end && s[n] != '.') ||
		    node->parts == NAME_PARTS)
			return (set_fail(p->set, t->file, tag->line, "\"%s\" "
			    "is no name: at most %u parts of letters, digits, "
			    "_ and -, with dots between.",
			    t->pool + node->text, NAME_PARTS));
		t->names = grow(t->names, t->names_n, &t->names_size, 1,
		    sizeof(*t->names));
		t->names[t->names_n].text = pool_add(t, s, n);
		t->names[t->names_n].hash =
		    view_hash(t->pool + t->names[t->names_n].text);
		t->names_n++;
		node->parts++;
		if (s + n == end)
			return (true);
	}
}

bool
node_template(struct parser *p, const struct tag *tag, uint32_t index)
{
	struct node	*node = &p->t->nodes[index];
	size_t		 i;

	node->text = pool_add(p->t, tag->name, tag->name_n);
	node->length = (uint32_t)tag->name_n;
	for (i = 0; i < tag->name_n; i++)
		if (!is_name(tag->name[i]) && tag->name[i] != '.' &&
		    tag->name[i] != '/')
			break;
	if (i == 0 || i < tag->name_n)
		return (set_fail(p->set, p->t->file, tag->line, "\"%s\" is no "
		    "template's name: letters, digits, _ - . and /.",
		    p->t->pool + node->text));
	return (true);
}

void
node_indent(struct parser *p, uint32_t index, size_t from, size_t to)
{
	struct node	*node = &p->t->nodes[index];

	from += to - from < p->margin ? to - from : p->margin;
	node->indent = pool_add(p->t, p->source + from, to - from);
	node->indent_length = (uint32_t)(to - from);
}

bool
text_add(struct parser *p, size_t from, size_t to)
{
	size_t	end, skip;

	for (; from < to; from = end) {
		const char *lf = memchr(p->source + from, '\n', to - from);

		end = lf == NULL || p->margin == 0 ? to :
		    (size_t)(lf - p->source) + 1;
		if (from == 0 || p->source[from - 1] == '\n')
			for (skip = p->margin; skip > 0 && from < end &&
			    is_blank(p->source[from]); skip--)
				from++;
		if (!line_add(p, from, end))
			return (false);
	}
	return (true);
}

uint32_t
line_of(struct parser *p, size_t at)
{
	if (at < p->counted) {
		p->counted = 0;
		p->line = 1;
	}
	for (; p->counted < at; p->counted++)
		if (p->source[p->counted] == '\n')
			p->line++;
	return (p->line);
}

/* Literal text, with the names of assets rewritten. */
static bool
line_add(struct parser *p, size_t from, size_t to)
{
	const char	*s = p->source;
	const char	*found;
	size_t		 at = from;

	while (p->set->options.asset != NULL && at < to &&
	    (found = memmem(s + at, to - at, ASSETS, strlen(ASSETS))) !=
	    NULL) {
		at = (size_t)(found - s) + strlen(ASSETS);
		/* "example.com/assets/" is another host's. */
		if (found > s + from && (is_name(found[-1]) ||
		    found[-1] == '.'))
			continue;
		bytes_add(p, s + from, at - from);
		if (!asset_add(p, &at, to))
			return (false);
		from = at;
	}
	bytes_add(p, s + from, to - from);
	return (true);
}

/* The asset's name begins at *at; moves it behind. */
static bool
asset_add(struct parser *p, size_t *at, size_t to)
{
	char		 name[ASSET_MAX + 1];
	const char	*s = p->source + *at, *given;
	size_t		 n;

	for (n = 0; *at + n < to && (is_name(s[n]) || s[n] == '.'); n++)
		;
	if (n == 0 || n > ASSET_MAX)
		return (set_fail(p->set, p->t->file, line_of(p, *at), "After "
		    "%s an asset's name must follow, of at most %u bytes.",
		    ASSETS, ASSET_MAX));
	memcpy(name, s, n);
	name[n] = '\0';
	given = p->set->options.asset(name);
	if (given == NULL)
		return (set_fail(p->set, p->t->file, line_of(p, *at), "There "
		    "is no asset named %s.", name));
	if (strlen(given) > ASSET_MAX)
		return (set_fail(p->set, p->t->file, line_of(p, *at), "The "
		    "name for %s is longer than %u bytes.", name, ASSET_MAX));
	bytes_add(p, given, strlen(given));
	*at += n;
	return (true);
}

static void
bytes_add(struct parser *p, const char *bytes, size_t n)
{
	struct template	*t = p->t;
	struct node	*node;
	uint32_t	 index;

	if (n == 0)
		return;
	if (!p->is_open_text) {
		index = node_add(p, NODE_TEXT, p->line);
		t->nodes[index].text = t->pool_n;
	}
	node = &t->nodes[t->nodes_n - 1];
	assert(node->text + node->length == t->pool_n);
	t->pool = grow(t->pool, t->pool_n, &t->pool_size, (uint32_t)n, 1);
	memcpy(t->pool + t->pool_n, bytes, n);
	t->pool_n += (uint32_t)n;
	node->length += (uint32_t)n;
	node->ends_line = bytes[n - 1] == '\n';
}

/* Offset of a copy with a NUL behind it. */
static uint32_t
pool_add(struct template *t, const char *bytes, size_t n)
{
	uint32_t	at = t->pool_n;

	t->pool = grow(t->pool, t->pool_n, &t->pool_size, (uint32_t)n + 1, 1);
	memcpy(t->pool + at, bytes, n);
	t->pool[at + n] = '\0';
	t->pool_n += (uint32_t)n + 1;
	return (at);
}

/* A byte of a name's part. */
static bool
is_name(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '-');
}
