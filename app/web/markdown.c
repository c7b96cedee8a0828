/*
 * Text is parsed to a tree by libcmark, the tree is changed to what a page may
 * show, and libcmark writes it, with its own safe mode on top of that: what
 * these functions forget, it leaves out.
 */
#include "web/markdown.h"

#include <cmark.h>
#include <strings.h>

#include "base/str.h"
#include "web/view_read.h"

#define DEPTH_MAX	64	/* quotes and lists in each other */
#define HEADING_MAX	6
/* What escaping and elements make of a text, at the most: "&quot;" is six
 * bytes for one, and an item of a list takes 30 for its two. */
#define HTML_BYTES	(MARKDOWN_BYTES * 16)

static cmark_node *parse(const char *);
static bool	 too_deep(cmark_node *);
static bool	 is_leaf(cmark_node *);
static void	 change(cmark_node *, int level);
static void	 change_node(cmark_node *, int level, int *heading);
static void	 change_html(cmark_node *);
static void	 unwrap(cmark_node *);
static bool	 url_good(const char *);
static const struct html *plain(struct arena *, const char *);

const struct html *
markdown_html(struct arena *a, const char *text, int level)
{
	struct html	*html;
	struct buf	 b;
	cmark_node	*root;
	char		*made;

	root = parse(text);
	if (root == NULL)
		return (plain(a, text));
	change(root, level);
	made = cmark_render_html(root, CMARK_OPT_DEFAULT);
	buf_init(&b, a, HTML_BYTES);
	buf_str(&b, made);
	cmark_get_default_mem_allocator()->free(made);
	cmark_node_free(root);
	if (b.full)
		return (plain(a, text));
	html = arena_alloc(a, sizeof(*html));
	html->text = buf_text(&b);
	return (html);
}

bool
markdown_empty(const char *text)
{
	cmark_node	*root = parse(text);
	bool		 empty;

	if (root == NULL)
		return (str_blank(text));
	empty = cmark_node_first_child(root) == NULL;
	cmark_node_free(root);
	return (empty);
}

/* NULL: too long or too deep. */
static cmark_node *
parse(const char *text)
{
	size_t		 n = strlen(text);
	cmark_node	*root;

	if (n > MARKDOWN_BYTES)
		return (NULL);
	root = cmark_parse_document(text, n, CMARK_OPT_DEFAULT);
	if (root == NULL || !too_deep(root))
		return (root);
	cmark_node_free(root);
	return (NULL);
}

static bool
too_deep(cmark_node *root)
{
	cmark_iter		*iter = cmark_iter_new(root);
	cmark_event_type	 event;
	int			 depth = 0, deepest = 0;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		if (event == CMARK_EVENT_EXIT)
			depth--;
		else if (!is_leaf(cmark_iter_get_node(iter)) &&
		    ++depth > deepest)
			deepest = depth;
	}
	cmark_iter_free(iter);
	return (deepest > DEPTH_MAX);
}

/* Those that an iterator never leaves. */
static bool
is_leaf(cmark_node *node)
{
	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_HTML_BLOCK:
	case CMARK_NODE_THEMATIC_BREAK:
	case CMARK_NODE_CODE_BLOCK:
	case CMARK_NODE_TEXT:
	case CMARK_NODE_SOFTBREAK:
	case CMARK_NODE_LINEBREAK:
	case CMARK_NODE_CODE:
	case CMARK_NODE_HTML_INLINE:
		return (true);
	default:
		return (false);
	}
}

/* A node may be changed, and may go, when the iterator leaves it. */
static void
change(cmark_node *root, int level)
{
	cmark_iter		*iter = cmark_iter_new(root);
	cmark_event_type	 event;
	cmark_node		*node;
	int			 heading = level - 1;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		node = cmark_iter_get_node(iter);
		if (event == CMARK_EVENT_EXIT || is_leaf(node))
			change_node(node, level, &heading);
	}
	cmark_iter_free(iter);
}

/* heading: the level of the one before. */
static void
change_node(cmark_node *node, int level, int *heading)
{
	int	wanted;

	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_HEADING:
		wanted = cmark_node_get_heading_level(node) + level - 1;
		if (wanted > *heading + 1)
			wanted = *heading + 1;
		if (wanted > HEADING_MAX)
			wanted = HEADING_MAX;
		(void)cmark_node_set_heading_level(node, wanted);
		*heading = wanted;
		break;
	case CMARK_NODE_HTML_BLOCK:
	case CMARK_NODE_HTML_INLINE:
		change_html(node);
		break;
	case CMARK_NODE_IMAGE:
		unwrap(node);
		break;
	case CMARK_NODE_LINK:
		if (!url_good(cmark_node_get_url(node)))
			unwrap(node);
		break;
	default:
		break;
	}
}

/* To the text that was typed; a block becomes a paragraph. */
static void
change_html(cmark_node *node)
{
	cmark_node	*text = cmark_node_new(CMARK_NODE_TEXT), *in = text;

	(void)cmark_node_set_literal(text, cmark_node_get_literal(node));
	if (cmark_node_get_type(node) == CMARK_NODE_HTML_BLOCK) {
		in = cmark_node_new(CMARK_NODE_PARAGRAPH);
		(void)cmark_node_append_child(in, text);
	}
	if (cmark_node_insert_before(node, in) == 0)
		cmark_node_free(in);
	cmark_node_free(node);
}

/* What stands in it takes its place. */
static void
unwrap(cmark_node *node)
{
	cmark_node	*child;

	while ((child = cmark_node_first_child(node)) != NULL) {
		if (cmark_node_insert_before(node, child) == 0)
			break;
	}
	cmark_node_free(node);
}

static bool
url_good(const char *url)
{
	static const char *const schemes[] = { "https://", "http://",
		"mailto:" };
	size_t	i;

	if (url[0] == '/')
		return (url[1] != '/' && url[1] != '\\');
	for (i = 0; i < COUNT(schemes); i++) {
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return (true);
	}
	return (false);
}

/* One paragraph, as typed. */
static const struct html *
plain(struct arena *a, const char *text)
{
	struct html	*html = arena_alloc(a, sizeof(*html));
	struct buf	 b;

	buf_init(&b, a, HTML_BYTES);
	buf_str(&b, "<p>");
	buf_html(&b, text);
	buf_str(&b, "</p>\n");
	html->text = buf_text(&b);
	return (html);
}
