/*
 * Mustache templates: https://mustache.github.io, core modules (comments,
 * delimiters, interpolation, inverted, partials, sections) and inheritance
 * ({{<parent}} {{$block}}), without lambdas, dynamic names and without any way
 * to show text unescaped: {{{x}}} and {{&x}} are errors at load.  Finished HTML
 * is a kind of value of its own: see view_html().
 *
 * A set holds every template below a folder, parsed once, before the workers
 * fork; its names are paths without ".html" or ".txt" endings stripped to the
 * first kind: templates/accounts/signup.html is "accounts/signup", and
 * templates/mail/verify.txt is "mail/verify.txt" (text, not HTML-escaped).
 */
#ifndef WEB_MUSTACHE_H
#define WEB_MUSTACHE_H

#include "base/str.h"
#include "web/view.h"

struct mustache_set;

struct mustache_options {
	/*
	 * Literal text of the form /assets/NAME is given to this function as
	 * NAME and replaced by what it returns (the fingerprinted name); NULL
	 * from it means that there is no such asset: an error at load.  NAME
	 * is of letters, digits, ".", "_" and "-".  No function: text stays.
	 */
	const char	*(*asset)(const char *name);
	/* An unknown name in a view is an error when rendering (development
	 * and tests), else it is empty (production). */
	bool		 strict;
	/* For the conformance suite only: take {{{x}}} and {{&x}}, and let a
	 * partial that does not exist be empty. */
	bool		 raw;
};

/*
 * Reads all *.html and *.txt below dir, up to 8 levels deep.  NULL on the
 * first error, with "file:line: what is wrong" in ret_error (allocated, to be
 * freed by the caller).  A partial or parent that does not exist is an error.
 */
struct mustache_set *mustache_load(const char *dir,
		    const struct mustache_options *, char **ret_error);
/* The same from pairs of name and text, closed by NULL: tests. */
struct mustache_set *mustache_load_text(const char *const *pairs,
		    const struct mustache_options *, char **ret_error);
void		 mustache_free(struct mustache_set *);
bool		 mustache_has(const struct mustache_set *, const char *name);

/*
 * Appends the rendered template.  False, with a sentence in ret_error (in the
 * buffer's arena), when there is no such template, when partials nest deeper
 * than 32, when strict and a name is unknown or a map or list stands where
 * text is shown, or when the buffer is full.  Nothing is allocated but in the
 * buffer's arena; the set is only read.
 */
MUST_CHECK bool	 mustache_render(const struct mustache_set *,
		    const char *name, const struct view *, struct buf *out,
		    const char **ret_error);

#endif
