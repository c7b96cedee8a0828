/*
 * View: the values that a template shows, built by _pages.c from domain
 * structs, in the request's arena, and finished: dates are formatted, booleans
 * decided.  A view is a map from names to text, truth, lists of maps, or maps.
 *
 *	struct view *v = view_new(arena);
 *	view_text(v, "name", account->name);
 *	view_bool(v, "is_owner", true);
 *	for (...) { struct view *row = view_row(v, "rows"); view_text(row, ...); }
 *
 * Names must outlive the view (they are literals); text is not copied either
 * and must live in the arena or be static.  Setting a name again replaces it.
 */
#ifndef WEB_VIEW_H
#define WEB_VIEW_H

#include "base/arena.h"

struct view;
struct html;			/* web/markdown.h */

struct view	*view_new(struct arena *);
/* NULL is stored as "", which is false in a section, as Mustache has it.  So
 * are 0, an empty list and false; a map is true. */
void		 view_text(struct view *, const char *name, const char *text);
void		 view_int(struct view *, const char *name, int64_t);
void		 view_bool(struct view *, const char *name, bool);
/*
 * HTML that is shown as it is: the one value that is not escaped.  Only
 * web/markdown.c can make one.  The name must end in "_html", so that a
 * template shows what it has there, and a lint can see that it stands in the
 * content of an element; rendering fails otherwise, and in a mail's text.
 */
void		 view_html(struct view *, const char *name,
		    const struct html *);
/* A fresh map under the name. */
struct view	*view_map(struct view *, const char *name);
/* Puts a map that exists under a name. */
void		 view_put(struct view *, const char *name, struct view *map);
/* Makes sure that the list exists (and may be empty). */
void		 view_list(struct view *, const char *name);
/* Appends a fresh map to the list, made when it is not there yet. */
struct view	*view_row(struct view *, const char *name);
/* Appends a text to the list; {{.}} shows it. */
void		 view_row_text(struct view *, const char *name,
		    const char *text);
/* Whether the name was set, to whatever value. */
bool		 view_has(const struct view *, const char *name);

#endif
