/*
 * The reading side of a view, for mustache_render.c: pages build views through
 * view.h and never look into them.  What HTML is made of stands here, too, so
 * that web/markdown.c alone can make some; a lint keeps others out.
 *
 * A look-up compares the name's hash, which a template computes when it is
 * parsed and a view when the name is set.  Hashes stand apart from the
 * entries, so that going through some thirty of them touches two cache lines,
 * and `seen` tells of most names that a view does not have without looking.
 */
#ifndef WEB_VIEW_READ_H
#define WEB_VIEW_READ_H

#include "web/view.h"

enum value_kind { VALUE_TEXT, VALUE_INT, VALUE_BOOL, VALUE_MAP, VALUE_LIST,
	VALUE_HTML };

/* Finished HTML: complete elements, for the content of one. */
struct html {
	const char	*text;
};

struct value {
	enum value_kind	 kind;
	union {
		const char		*text;
		int64_t			 number;
		bool			 truth;
		struct view		*map;
		struct value_list	*list;
		const struct html	*html;
	};
};

struct value_list {
	struct value	*items;
	uint32_t	 n, size;
};

struct view_entry {
	const char	*name;
	struct value	 value;
};

struct view {
	struct arena		*arena;
	uint64_t		 seen;	/* bit (hash % 64) of every name */
	uint32_t		 n, size;
	uint32_t		*hashes;
	struct view_entry	*entries;
};

uint32_t	 view_hash(const char *name);
/* NULL: the view has no such name. */
struct value	*view_find(const struct view *, uint32_t hash,
		    const char *name);

#endif
