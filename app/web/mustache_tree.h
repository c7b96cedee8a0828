/*
 * Inside of mustache*.c: what a parsed template is.
 *
 * A template is one array of nodes in the order of the source.  A node with
 * content is followed by it, and `end` is the index behind: skipping is an
 * assignment and rendering walks forward through memory.  Literal text and
 * names lie in one block of bytes, the pool.  mustache_parse.c and _nodes.c
 * make it, mustache_render.c reads it, mustache.c keeps the set and resolves
 * names.
 *
 * About lines: the parser takes away what the source has only for looks (the
 * lines of standalone tags, the margin of a block's content) and notes how far
 * a partial, a parent or a block is indented; the renderer adds that in front
 * of each line that literal text begins.
 */
#ifndef WEB_MUSTACHE_TREE_H
#define WEB_MUSTACHE_TREE_H

#include "web/mustache.h"

#define TEMPLATE_MAX	(256u * 1024)	/* bytes of a file */
#define TEMPLATES_MAX	4096u		/* in a set */
#define FOLDER_DEPTH	8u
#define TAG_MAX		256u		/* bytes in a tag; comments: no end */
#define DELIMITER_MAX	16u		/* bytes */
#define NAME_PARTS	8u		/* a.b.c.d.e.f.g.h */
#define NEST_MAX	32u		/* open sections in a template */
#define ASSET_MAX	255u		/* bytes of an asset's name */
/*
 * While rendering: partials and parents in each other, and these with sections
 * and blocks.  A level costs a frame of 240 bytes, so 64 take 15 kB, less than
 * a quarter of the stack of a coroutine (run/co.h).
 */
#define PARTIAL_DEPTH	32u
#define RENDER_DEPTH	64u
/* Nodes looked at: ends partials that double without writing anything. */
#define RENDER_STEPS	(1u << 20)
#define INDENT_MAX	256u		/* bytes in front of a line, in all */

enum node_kind {
	NODE_TEXT,		/* text, length */
	NODE_VALUE,		/* {{name}} */
	NODE_SECTION,		/* {{#name}} */
	NODE_INVERTED,		/* {{^name}} */
	NODE_PARTIAL,		/* {{>name}}: target */
	NODE_PARENT,		/* {{<name}}: target; content is NODE_BLOCKs */
	NODE_BLOCK,		/* {{$name}} */
};

#define NO_TARGET	UINT32_MAX	/* raw only: stays empty */

struct node {
	uint8_t		 kind;
	uint8_t		 parts;		/* of the name; 0 is {{.}} */
	uint8_t		 is_raw;	/* {{{name}}} */
	uint8_t		 ends_line;	/* the text's last byte is LF */
	uint32_t	 line;		/* in the source, from 1 */
	uint32_t	 end;		/* index of the node behind */
	uint32_t	 text;		/* in the pool: text, or whole name */
	uint32_t	 length;
	uint32_t	 name;		/* index of the first part in names */
	uint32_t	 target;	/* index in the set */
	uint32_t	 indent;	/* in the pool */
	uint32_t	 indent_length;
};

struct name {
	uint32_t	 hash;		/* view_hash() */
	uint32_t	 text;		/* in the pool, NUL behind it */
};

struct template {
	char		*name;		/* "accounts/signup" */
	char		*file;		/* for messages */
	char		*pool;
	struct node	*nodes;
	struct name	*names;
	uint32_t	 pool_n, pool_size;
	uint32_t	 nodes_n, nodes_size;
	uint32_t	 names_n, names_size;
	bool		 is_text;	/* not escaped */
};

struct mustache_set {
	struct mustache_options	 options;
	struct template		*templates;	/* sorted by name */
	uint32_t		 n, size;
	char			*error;
};

/*
 * Fills the template from its source of n bytes.  False, with a message in
 * set->error, when the source is malformed.
 */
MUST_CHECK bool	 template_parse(struct mustache_set *, struct template *,
		    const char *source, size_t n);
void		 template_free(struct template *);

/* Keeps "file:line: sentence" as the set's error; false, to be returned. */
bool		 set_fail(struct mustache_set *, const char *file,
		    uint32_t line, const char *fmt, ...) FORMAT(4, 5);
/* NULL if there is none of this name. */
const struct template *set_find(const struct mustache_set *, const char *name);

/* A place for `more` items behind the n of an array, grown when needed. */
void		*grow(void *array, uint32_t n, uint32_t *size, uint32_t more,
		    size_t item);

#endif
