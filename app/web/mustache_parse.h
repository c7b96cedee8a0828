/*
 * Inside of the parser: mustache_parse.c goes from tag to tag and decides what
 * belongs to which line; mustache_nodes.c makes the nodes, the names and the
 * text of what it is told.
 */
#ifndef WEB_MUSTACHE_PARSE_H
#define WEB_MUSTACHE_PARSE_H

#include "web/mustache_tree.h"

#define NONE	UINT32_MAX

/* A section, parent or block whose closing tag is still to come. */
struct open {
	uint32_t	 node;
	uint32_t	 blank;		/* parent: text node in front, or NONE */
	bool		 is_first;	/* nothing before it on its line */
	size_t		 content;	/* offset behind the opening tag */
	size_t		 margin;	/* of what is around it */
};

struct parser {
	struct mustache_set	*set;
	struct template		*t;
	const char		*source;
	size_t			 n;
	size_t			 at;		/* first byte not yet taken */
	size_t			 counted;	/* lines are, up to here */
	uint32_t		 line;
	size_t			 margin;	/* taken from each line */
	bool			 is_open_text;	/* last node is text that may
						 * be added to */
	char			 left[DELIMITER_MAX + 1];
	char			 right[DELIMITER_MAX + 2];
	uint32_t		 depth;
	struct open		 open[NEST_MAX];
};

struct tag {
	char		 sigil;		/* 0: a value */
	const char	*name;		/* without white space around it */
	size_t		 name_n;
	size_t		 start, end;
	size_t		 line_start;	/* end of what is left of blanks */
	size_t		 next;		/* start of the next line, or end */
	bool		 is_first, is_last;	/* on its line */
	uint32_t	 line;
};

/* What follows may move the template's nodes: keep indexes, not pointers. */
uint32_t	 node_add(struct parser *, enum node_kind, uint32_t line);
/* Takes the tag's content as a name of the view: "a", "a.b" or ".". */
MUST_CHECK bool	 node_name(struct parser *, const struct tag *, uint32_t);
/* Takes the tag's content as the name of a template. */
MUST_CHECK bool	 node_template(struct parser *, const struct tag *, uint32_t);
/* Notes the blanks of [from, to), less the margin, as the node's indent. */
void		 node_indent(struct parser *, uint32_t, size_t from,
		    size_t to);
/* Takes [from, to) as literal text, without the margin of its lines. */
MUST_CHECK bool	 text_add(struct parser *, size_t from, size_t to);
/* The line of an offset: asked for in rising order, but for messages. */
uint32_t	 line_of(struct parser *, size_t at);

static inline bool
is_blank(char c)
{
	return (c == ' ' || c == '\t');
}

static inline bool
is_space(char c)
{
	return (is_blank(c) || c == '\n' || c == '\r');
}

#endif
