/*
 * Markdown (CommonMark 0.30) to HTML that stands in a page: the only maker of
 * a `struct html`, and the only user of libcmark.
 *
 * Whoever writes the text gets no more than prose out of it:
 *
 *	- HTML in the text is text, shown as it was typed
 *	- a link leads to http:, https:, mailto: or a path of ours ("/terms");
 *	  of any other its words stay
 *	- a picture is its description, since the policy of our pages loads none
 *	  from elsewhere
 *	- headings fit into the page: the first one is of `level`, none is more
 *	  than one step below the one before it, none is below 6
 */
#ifndef WEB_MARKDOWN_H
#define WEB_MARKDOWN_H

#include "base/arena.h"

struct html;

#define MARKDOWN_BYTES	(128u * 1024)	/* of text */

/* level: of the first heading, 2 to 6.  A text that is too long or nests too
 * deeply is shown as one paragraph, as it was typed. */
const struct html *markdown_html(struct arena *, const char *text, int level);
/* Nothing of the text would be seen. */
bool		 markdown_empty(const char *text);

#endif
