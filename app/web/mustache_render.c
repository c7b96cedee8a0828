/*
 * From nodes and a view to text.  Literal runs are copied whole; names are
 * found by their hash, from the innermost context outwards.  A line that
 * literal text begins gets the indent of the partials and blocks it stands in;
 * values are never touched, whatever lines they have.
 *
 * Blocks: an argument that stands further outside wins, and is rendered with
 * the data at the block's place, but sees only the arguments that were given
 * to the template it was written in.
 */
#include "web/mustache_tree.h"
#include "web/view_read.h"

#include <inttypes.h>
#include <stdarg.h>

/* Data: the innermost value of a section, and those around it. */
struct context {
	const struct value	*value;
	const struct context	*around;
};

/* Arguments: the parent tag that gave them, and those given outside of it. */
struct scope {
	const struct template	*t;
	const struct node	*parent;
	const struct scope	*around;
};

struct render {
	const struct mustache_set	*set;
	struct buf			*out;
	const char			*error;
	uint32_t			 steps, depth, partials;
	bool				 at_line_start;
	size_t				 indent_n;
	char				 indent[INDENT_MAX];
};

/* Where we are: all that a node needs beside itself. */
struct place {
	const struct template	*t;
	const struct context	*context;
	const struct scope	*scope;
};

static bool	 nodes_render(struct render *, const struct place *,
		    uint32_t, uint32_t);
static bool	 node_render(struct render *, const struct place *, uint32_t);
static void	 text_render(struct render *, const char *, size_t);
static bool	 value_render(struct render *, const struct place *,
		    const struct node *);
static bool	 section_render(struct render *, const struct place *,
		    uint32_t);
static bool	 item_render(struct render *, const struct place *, uint32_t,
		    const struct value *);
static bool	 partial_render(struct render *, const struct place *,
		    const struct node *);
static bool	 block_render(struct render *, const struct place *, uint32_t);
static bool	 indent_push(struct render *, const struct place *,
		    const struct node *);
static bool	 value_find(struct render *, const struct place *,
		    const struct node *, const struct value **);
static bool	 value_is_true(const struct value *);
static void	 line_begin(struct render *);
static bool	 render_fail(struct render *, const struct place *,
		    const struct node *, const char *, ...) FORMAT(4, 5);

bool
mustache_render(const struct mustache_set *set, const char *name,
    const struct view *view, struct buf *out, const char **ret_error)
{
	union {
		const struct view	*in;
		struct view		*held;
	} root = { .in = view };
	struct value		 top = { .kind = VALUE_MAP, .map = root.held };
	struct context		 context = { .value = &top };
	struct place		 place = { .context = &context };
	struct render		 r = { .set = set, .out = out,
				    .at_line_start = true };

	place.t = set_find(set, name);
	if (place.t == NULL) {
		*ret_error = arena_fmt(out->arena,
		    "There is no template named %s.", name);
		return (false);
	}
	if (nodes_render(&r, &place, 0, place.t->nodes_n) && !out->full)
		return (true);
	*ret_error = r.error != NULL ? r.error : arena_fmt(out->arena,
	    "%s:0: What it renders is larger than %zu bytes.", place.t->file,
	    out->max);
	return (false);
}

static bool
nodes_render(struct render *r, const struct place *place, uint32_t from,
    uint32_t to)
{
	const struct node	*nodes = place->t->nodes;
	uint32_t		 i;
	bool			 ok = true;

	if (from >= to)
		return (true);
	if (++r->depth > RENDER_DEPTH)
		return (render_fail(r, place, &nodes[from], "Sections, blocks "
		    "and partials nest deeper than %u.", RENDER_DEPTH));
	for (i = from; ok && i < to; i = nodes[i].end) {
		if (++r->steps > RENDER_STEPS)
			ok = render_fail(r, place, &nodes[i], "The page takes "
			    "more than %u steps.", RENDER_STEPS);
		else
			ok = node_render(r, place, i);
	}
	r->depth--;
	return (ok && !r->out->full);
}

static bool
node_render(struct render *r, const struct place *place, uint32_t index)
{
	const struct node	*node = &place->t->nodes[index];

	switch ((enum node_kind)node->kind) {
	case NODE_TEXT:
		if (node->length == 0)
			return (true);
		if (r->indent_n == 0)
			buf_add(r->out, place->t->pool + node->text,
			    node->length);
		else
			text_render(r, place->t->pool + node->text,
			    node->length);
		r->at_line_start = node->ends_line;
		return (true);
	case NODE_VALUE:
		return (value_render(r, place, node));
	case NODE_SECTION:
	case NODE_INVERTED:
		return (section_render(r, place, index));
	case NODE_PARTIAL:
	case NODE_PARENT:
		return (partial_render(r, place, node));
	case NODE_BLOCK:
		return (block_render(r, place, index));
	}
	return (false);
}

/* Text with the indent in front of each line that is not empty. */
static void
text_render(struct render *r, const char *s, size_t n)
{
	const char	*end = s + n, *next;

	for (; s < end; s = next) {
		next = memchr(s, '\n', (size_t)(end - s));
		next = next == NULL ? end : next + 1;
		if (r->at_line_start && *s != '\n' &&
		    !(*s == '\r' && s + 1 < end && s[1] == '\n'))
			line_begin(r);
		buf_add(r->out, s, (size_t)(next - s));
		r->at_line_start = next[-1] == '\n';
	}
}

static bool
value_render(struct render *r, const struct place *place,
    const struct node *node)
{
	const struct value	*value;

	if (!value_find(r, place, node, &value))
		return (false);
	line_begin(r);
	if (value == NULL)
		return (true);
	switch (value->kind) {
	case VALUE_TEXT:
		if (place->t->is_text || node->is_raw)
			buf_str(r->out, value->text);
		else
			buf_html(r->out, value->text);
		return (true);
	case VALUE_INT:
		buf_fmt(r->out, "%" PRId64, value->number);
		return (true);
	case VALUE_BOOL:
		buf_str(r->out, value->truth ? "true" : "false");
		return (true);
	case VALUE_HTML:
		if (place->t->is_text || !str_ends(place->t->pool +
		    node->text, "_html"))
			return (render_fail(r, place, node, "\"%s\" is HTML: "
			    "its name ends in _html, and it is none for text.",
			    place->t->pool + node->text));
		buf_str(r->out, value->html->text);
		return (true);
	case VALUE_MAP:
	case VALUE_LIST:
		break;
	}
	if (!r->set->options.strict)
		return (true);
	return (render_fail(r, place, node, "\"%s\" is a %s, not text.",
	    place->t->pool + node->text,
	    value->kind == VALUE_MAP ? "map" : "list"));
}

static bool
section_render(struct render *r, const struct place *place, uint32_t index)
{
	const struct node	*node = &place->t->nodes[index];
	const struct value	*value;
	uint32_t		 i;

	if (!value_find(r, place, node, &value))
		return (false);
	if (node->kind == NODE_INVERTED)
		return (value_is_true(value) ||
		    nodes_render(r, place, index + 1, node->end));
	if (!value_is_true(value))
		return (true);
	if (value->kind != VALUE_LIST)
		return (item_render(r, place, index, value));
	for (i = 0; i < value->list->n; i++)
		if (!item_render(r, place, index, &value->list->items[i]))
			return (false);
	return (true);
}

static bool
item_render(struct render *r, const struct place *place, uint32_t index,
    const struct value *value)
{
	struct context	context = { .value = value, .around = place->context };
	struct place	inner = { .t = place->t, .context = &context,
			    .scope = place->scope };

	/* An empty section in a long list takes steps, too. */
	r->steps++;
	return (nodes_render(r, &inner, index + 1, place->t->nodes[index].end));
}

/* A partial is a parent without arguments. */
static bool
partial_render(struct render *r, const struct place *place,
    const struct node *node)
{
	struct scope	scope = { .t = place->t, .parent = node,
			    .around = place->scope };
	struct place	inner = { .context = place->context, .scope = &scope };
	bool		ok;

	if (node->target == NO_TARGET)
		return (true);
	if (++r->partials > PARTIAL_DEPTH)
		return (render_fail(r, place, node, "Partials nest deeper "
		    "than %u.", PARTIAL_DEPTH));
	if (node->kind == NODE_PARTIAL)
		inner.scope = place->scope;
	inner.t = &r->set->templates[node->target];
	if (!indent_push(r, place, node))
		return (false);
	ok = nodes_render(r, &inner, 0, inner.t->nodes_n);
	r->indent_n -= node->indent_length;
	r->partials--;
	return (ok);
}

static bool
block_render(struct render *r, const struct place *place, uint32_t index)
{
	const struct node	*node = &place->t->nodes[index], *argument;
	const struct name	*wanted = &place->t->names[node->name], *name;
	const struct scope	*scope, *found = NULL;
	const char		*text = place->t->pool + wanted->text;
	struct place		 inner = { .context = place->context };
	uint32_t		 i, at = 0;
	bool			 ok;

	for (scope = place->scope; scope != NULL; scope = scope->around) {
		argument = scope->t->nodes;
		i = (uint32_t)(scope->parent - argument);
		for (i++; i < scope->parent->end; i = argument[i].end) {
			name = &scope->t->names[argument[i].name];
			if (name->hash == wanted->hash &&
			    strcmp(scope->t->pool + name->text, text) == 0) {
				found = scope;
				at = i;
			}
		}
	}
	if (found == NULL)
		return (nodes_render(r, place, index + 1, node->end));
	inner.t = found->t;
	inner.scope = found->around;
	if (!indent_push(r, place, node))
		return (false);
	ok = nodes_render(r, &inner, at + 1, found->t->nodes[at].end);
	r->indent_n -= node->indent_length;
	return (ok);
}

/* The node's indent comes behind what is in force. */
static bool
indent_push(struct render *r, const struct place *place,
    const struct node *node)
{
	if (node->indent_length > INDENT_MAX - r->indent_n)
		return (render_fail(r, place, node, "It is indented by more "
		    "than %u bytes.", INDENT_MAX));
	memcpy(r->indent + r->indent_n, place->t->pool + node->indent,
	    node->indent_length);
	r->indent_n += node->indent_length;
	return (true);
}

/*
 * NULL is stored for an unknown name; when strict, that fails.  The first part
 * is looked for in all contexts, the others only in what was found.
 */
static bool
value_find(struct render *r, const struct place *place,
    const struct node *node, const struct value **ret_value)
{
	const char		*pool = place->t->pool;
	const struct name	*name;
	const struct context	*context;
	const struct value	*value = NULL;
	unsigned		 part;

	if (node->parts == 0) {
		*ret_value = place->context->value;
		return (true);
	}
	name = &place->t->names[node->name];
	for (context = place->context; value == NULL && context != NULL;
	    context = context->around) {
		if (context->value->kind == VALUE_MAP)
			value = view_find(context->value->map, name->hash,
			    pool + name->text);
	}
	for (part = 1; value != NULL && part < node->parts; part++) {
		name++;
		value = value->kind != VALUE_MAP ? NULL :
		    view_find(value->map, name->hash, pool + name->text);
	}
	*ret_value = value;
	if (value == NULL && r->set->options.strict)
		return (render_fail(r, place, node, "The view has no \"%s\".",
		    pool + node->text));
	return (true);
}

static bool
value_is_true(const struct value *value)
{
	if (value == NULL)
		return (false);
	switch (value->kind) {
	case VALUE_TEXT:
		return (value->text[0] != '\0');
	case VALUE_INT:
		return (value->number != 0);
	case VALUE_BOOL:
		return (value->truth);
	case VALUE_MAP:
		return (true);
	case VALUE_LIST:
		return (value->list->n > 0);
	case VALUE_HTML:
		return (value->html->text[0] != '\0');
	}
	return (false);
}

static void
line_begin(struct render *r)
{
	if (r->at_line_start && r->indent_n > 0)
		buf_add(r->out, r->indent, r->indent_n);
	r->at_line_start = false;
}

static bool
render_fail(struct render *r, const struct place *place,
    const struct node *node, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	r->error = arena_fmt(r->out->arena, "%s:%u: %s", place->t->file,
	    node->line, arena_vfmt(r->out->arena, fmt, ap));
	va_end(ap);
	return (false);
}
