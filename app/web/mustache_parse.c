/*
 * From source to nodes, in one pass from tag to tag.
 *
 * A tag that stands alone on its line takes the line with it.  A parent does
 * so from its opening to its closing tag, however many lines that is, since
 * what is between is arguments and no text.  The content of a block that is
 * such an argument begins behind the line of its opening tag and loses the
 * margin of its first line, so that a page can be written flush left or
 * indented and looks the same in the layout.
 */
#include "web/mustache_parse.h"

#include <assert.h>

static bool	 source_check(struct parser *);
static bool	 tag_read(struct parser *, size_t, struct tag *);
static void	 tag_place(const struct parser *, struct tag *);
static bool	 tag_take(struct parser *, const struct tag *);
static bool	 text_before(struct parser *, const struct tag *);
static bool	 tag_value(struct parser *, const struct tag *);
static bool	 tag_section(struct parser *, const struct tag *);
static bool	 tag_partial(struct parser *, const struct tag *);
static bool	 tag_parent(struct parser *, const struct tag *);
static bool	 tag_block(struct parser *, const struct tag *);
static bool	 argument_check(struct parser *, const struct tag *);
static bool	 tag_close(struct parser *, const struct tag *);
static bool	 tag_delimiters(struct parser *, const struct tag *);
static bool	 open_push(struct parser *, const struct tag *, uint32_t);
static bool	 in_parent(const struct parser *);
static bool	 is_argument(const struct parser *);
static size_t	 first_margin(const struct parser *, size_t, size_t *);
static void	*shrink(void *, size_t, size_t);

bool
template_parse(struct mustache_set *set, struct template *t,
    const char *source, size_t n)
{
	struct parser	 p = { .set = set, .t = t, .source = source, .n = n,
			    .line = 1, .left = "{{", .right = "}}" };
	struct tag	 tag;
	const char	*found;

	if (!source_check(&p))
		return (false);
	while ((found = memmem(source + p.at, n - p.at, p.left,
	    strlen(p.left))) != NULL) {
		if (!tag_read(&p, (size_t)(found - source), &tag) ||
		    !tag_take(&p, &tag))
			return (false);
	}
	if (p.depth > 0) {
		const struct node *node = &t->nodes[p.open[p.depth - 1].node];

		return (set_fail(set, t->file, node->line, "What {{%c%s}} "
		    "opens is not closed.", "  #^ <$"[node->kind],
		    t->pool + node->text));
	}
	if (!text_add(&p, p.at, n))
		return (false);
	t->pool = shrink(t->pool, t->pool_n, 1);
	t->nodes = shrink(t->nodes, t->nodes_n, sizeof(*t->nodes));
	t->names = shrink(t->names, t->names_n, sizeof(*t->names));
	return (true);
}

void
template_free(struct template *t)
{
	free(t->name);
	free(t->file);
	free(t->pool);
	free(t->nodes);
	free(t->names);
}

static bool
source_check(struct parser *p)
{
	const char	*s = p->source, *end = s + p->n, *next;
	uint32_t	 line;

	if (p->n > TEMPLATE_MAX)
		return (set_fail(p->set, p->t->file, 0, "It is larger than "
		    "%u bytes.", TEMPLATE_MAX));
	for (line = 1; s < end; line++, s = next) {
		next = memchr(s, '\n', (size_t)(end - s));
		next = next == NULL ? end : next + 1;
		if (memchr(s, '\0', (size_t)(next - s)) != NULL ||
		    !str_utf8(s, (size_t)(next - s)))
			return (set_fail(p->set, p->t->file, line,
			    "It is not well-formed UTF-8 text."));
	}
	return (true);
}

/* The tag whose opening delimiter is at start. */
static bool
tag_read(struct parser *p, size_t start, struct tag *tag)
{
	char		 close[DELIMITER_MAX + 3];
	size_t		 i = start + strlen(p->left), stop;
	const char	*found;

	memset(tag, 0, sizeof(*tag));
	tag->start = start;
	tag->line = line_of(p, start);
	if (i < p->n && strchr("#^/><$&!={", p->source[i]) != NULL)
		tag->sigil = p->source[i++];
	(void)snprintf(close, sizeof(close), "%s%s", tag->sigil == '{' ? "}" :
	    tag->sigil == '=' ? "=" : "", p->right);
	found = memmem(p->source + i, p->n - i, close, strlen(close));
	if (found == NULL)
		return (set_fail(p->set, p->t->file, tag->line, "A tag is not "
		    "closed by %s.", close));
	stop = (size_t)(found - p->source);
	tag->end = stop + strlen(close);
	if (tag->sigil != '!' && stop - i > TAG_MAX)
		return (set_fail(p->set, p->t->file, tag->line, "A tag is "
		    "longer than %u bytes.", TAG_MAX));
	while (i < stop && is_space(p->source[i]))
		i++;
	while (stop > i && is_space(p->source[stop - 1]))
		stop--;
	tag->name = p->source + i;
	tag->name_n = stop - i;
	tag_place(p, tag);
	return (true);
}

/* What is around the tag on its line. */
static void
tag_place(const struct parser *p, struct tag *tag)
{
	const char	*s = p->source;
	size_t		 i;

	for (i = tag->start; i > 0 && is_blank(s[i - 1]); i--)
		;
	tag->is_first = i == 0 || s[i - 1] == '\n';
	tag->line_start = tag->is_first ? i : tag->start;
	for (i = tag->end; i < p->n && is_blank(s[i]); i++)
		;
	if (i + 1 < p->n && s[i] == '\r' && s[i + 1] == '\n')
		i++;
	tag->is_last = i == p->n || s[i] == '\n';
	tag->next = !tag->is_last ? tag->end : i == p->n ? i : i + 1;
}

static bool
tag_take(struct parser *p, const struct tag *tag)
{
	if (in_parent(p) && (tag->sigil == 0 ||
	    strchr("$/!=", tag->sigil) == NULL))
		return (set_fail(p->set, p->t->file, tag->line, "Only blocks "
		    "may stand directly in a parent."));
	if (!text_before(p, tag))
		return (false);
	switch (tag->sigil) {
	case '!':
		return (true);
	case '=':
		return (tag_delimiters(p, tag));
	case '#':
	case '^':
		return (tag_section(p, tag));
	case '>':
		return (tag_partial(p, tag));
	case '<':
		return (tag_parent(p, tag));
	case '$':
		return (tag_block(p, tag));
	case '/':
		return (tag_close(p, tag));
	default:
		return (tag_value(p, tag));
	}
}

/* Takes the text in front of the tag, and the tag's line where it has one. */
static bool
text_before(struct parser *p, const struct tag *tag)
{
	size_t	from = p->at, to = tag->start;
	bool	is_alone;

	is_alone = tag->is_first && tag->is_last && tag->sigil != 0 &&
	    strchr("#^/>$!=", tag->sigil) != NULL;
	p->at = is_alone ? tag->next : tag->end;
	if (in_parent(p)) {
		/* A block's content begins on the next line if it can. */
		if (tag->sigil == '$')
			p->at = tag->next;
		else if (tag->sigil == '/')
			p->at = tag->end;	/* tag_close() decides */
		return (true);
	}
	if (tag->sigil == '/' && is_argument(p)) {
		if (tag->is_first &&
		    tag->line_start >= p->open[p->depth - 1].content)
			to = tag->line_start;
		p->at = tag->end;
	} else if (is_alone || (tag->sigil == '<' && tag->is_first)) {
		to = tag->line_start;
	}
	assert(from <= to);
	return (text_add(p, from, to));
}

static bool
tag_value(struct parser *p, const struct tag *tag)
{
	uint32_t	node;

	if (tag->sigil != 0 && !p->set->options.raw)
		return (set_fail(p->set, p->t->file, tag->line, "Text is "
		    "always escaped: there is no {{{name}}} and {{&name}}."));
	node = node_add(p, NODE_VALUE, tag->line);
	p->t->nodes[node].is_raw = tag->sigil != 0;
	return (node_name(p, tag, node));
}

static bool
tag_section(struct parser *p, const struct tag *tag)
{
	uint32_t	node;

	node = node_add(p, tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED,
	    tag->line);
	return (node_name(p, tag, node) && open_push(p, tag, node));
}

static bool
tag_partial(struct parser *p, const struct tag *tag)
{
	uint32_t	node = node_add(p, NODE_PARTIAL, tag->line);

	if (tag->is_first && tag->is_last)
		node_indent(p, node, tag->line_start, tag->start);
	return (node_template(p, tag, node));
}

/*
 * Whether a parent stands alone is known at its closing tag.  Until then the
 * blanks in front of it are kept as a text node.
 */
static bool
tag_parent(struct parser *p, const struct tag *tag)
{
	uint32_t	node, blank = p->t->nodes_n;

	p->is_open_text = false;
	if (!text_add(p, tag->line_start, tag->start))
		return (false);
	if (p->t->nodes_n == blank)
		blank = NONE;
	node = node_add(p, NODE_PARENT, tag->line);
	if (!node_template(p, tag, node) || !open_push(p, tag, node))
		return (false);
	p->open[p->depth - 1].blank = blank;
	return (true);
}

/*
 * Directly in a parent a block is an argument; elsewhere it is a parameter,
 * and notes how far its place is indented: as its default content if that
 * stands on lines of its own, else as the tag.
 */
static bool
tag_block(struct parser *p, const struct tag *tag)
{
	uint32_t	node = node_add(p, NODE_BLOCK, tag->line);
	bool		is_arg = in_parent(p);
	size_t		line, width, left_n = strlen(p->left);

	if (!node_name(p, tag, node))
		return (false);
	if (p->t->nodes[node].parts != 1)
		return (set_fail(p->set, p->t->file, tag->line, "A block's "
		    "name has no dots."));
	if (is_arg && !argument_check(p, tag))
		return (false);
	if (!open_push(p, tag, node))
		return (false);
	width = first_margin(p, tag->next, &line);
	if (is_arg) {
		p->margin = tag->is_last ? width : 0;
	} else if (tag->is_first && tag->is_last &&
	    !(line + width + left_n < p->n &&
	    memcmp(p->source + line + width, p->left, left_n) == 0 &&
	    p->source[line + width + left_n] == '/')) {
		node_indent(p, node, line, line + width);
	} else if (tag->is_first) {
		node_indent(p, node, tag->line_start, tag->start);
	}
	return (true);
}

static bool
argument_check(struct parser *p, const struct tag *tag)
{
	const struct template	*t = p->t;
	uint32_t		 i = p->open[p->depth - 1].node + 1;

	/* The last node is the new one. */
	for (; i < t->nodes_n - 1; i = t->nodes[i].end) {
		if (strcmp(t->pool + t->nodes[i].text,
		    t->pool + t->nodes[t->nodes_n - 1].text) == 0)
			return (set_fail(p->set, t->file, tag->line, "The "
			    "block %s is given twice.",
			    t->pool + t->nodes[i].text));
	}
	return (true);
}

static bool
tag_close(struct parser *p, const struct tag *tag)
{
	struct template	*t = p->t;
	struct open	*open;
	struct node	*node;

	if (p->depth == 0)
		return (set_fail(p->set, t->file, tag->line, "{{/%.*s}} "
		    "closes nothing.", (int)tag->name_n, tag->name));
	open = &p->open[p->depth - 1];
	node = &t->nodes[open->node];
	assert(tag->name != NULL);
	if (node->length != tag->name_n ||
	    memcmp(t->pool + node->text, tag->name, tag->name_n) != 0)
		return (set_fail(p->set, t->file, tag->line, "{{/%.*s}} stands "
		    "where {{/%s}} must, for line %u.", (int)tag->name_n,
		    tag->name, t->pool + node->text, node->line));
	node->end = t->nodes_n;
	if (node->kind == NODE_PARENT && open->is_first && tag->is_last) {
		if (open->blank != NONE) {
			node->indent = t->nodes[open->blank].text;
			node->indent_length = t->nodes[open->blank].length;
			t->nodes[open->blank].length = 0;
		}
		p->at = tag->next;
	}
	p->is_open_text = false;
	p->margin = open->margin;
	p->depth--;
	return (true);
}

static bool
tag_delimiters(struct parser *p, const struct tag *tag)
{
	const char	*s = tag->name, *end = s + tag->name_n, *right;
	size_t		 left_n;

	for (left_n = 0; s + left_n < end && !is_space(s[left_n]); left_n++)
		;
	for (right = s + left_n; right < end && is_space(*right); right++)
		;
	if (left_n == 0 || right == end || left_n > DELIMITER_MAX ||
	    (size_t)(end - right) > DELIMITER_MAX ||
	    memchr(s, '=', tag->name_n) != NULL)
		goto malformed;
	for (s = right; s < end; s++)
		if (is_space(*s))
			goto malformed;
	memcpy(p->left, tag->name, left_n);
	p->left[left_n] = '\0';
	memcpy(p->right, right, (size_t)(end - right));
	p->right[end - right] = '\0';
	return (true);
malformed:
	return (set_fail(p->set, p->t->file, tag->line, "Delimiters are two "
	    "words of at most %u bytes without an equals sign.",
	    DELIMITER_MAX));
}

static bool
open_push(struct parser *p, const struct tag *tag, uint32_t node)
{
	struct open	*open;

	if (p->depth == NEST_MAX)
		return (set_fail(p->set, p->t->file, tag->line, "Sections and "
		    "blocks nest deeper than %u.", NEST_MAX));
	open = &p->open[p->depth++];
	open->node = node;
	open->blank = NONE;
	open->is_first = tag->is_first;
	open->content = tag->end;
	open->margin = p->margin;
	return (true);
}

/* What comes next stands directly in a parent. */
static bool
in_parent(const struct parser *p)
{
	return (p->depth > 0 &&
	    p->t->nodes[p->open[p->depth - 1].node].kind == NODE_PARENT);
}

/* The innermost open thing is a block that is an argument. */
static bool
is_argument(const struct parser *p)
{
	return (p->depth > 1 &&
	    p->t->nodes[p->open[p->depth - 1].node].kind == NODE_BLOCK &&
	    p->t->nodes[p->open[p->depth - 2].node].kind == NODE_PARENT);
}

/* Blanks in front of the first line from `at` on that has anything else. */
static size_t
first_margin(const struct parser *p, size_t at, size_t *ret_line)
{
	size_t	i = at, line = at;

	for (; i < p->n && is_space(p->source[i]); i++)
		if (p->source[i] == '\n')
			line = i + 1;
	*ret_line = line;
	return (i - line);
}

static void *
shrink(void *array, size_t n, size_t item)
{
	void	*less;

	if (n == 0)
		return (array);
	less = reallocarray(array, n, item);
	return (less == NULL ? array : less);
}
