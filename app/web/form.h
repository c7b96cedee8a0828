/*
 * Parsers of what a browser sends: application/x-www-form-urlencoded (WHATWG
 * URL, section 5.1) for forms and queries, the Cookie header (RFC 6265 section
 * 4.2, read leniently), and paths.  They are our own because Kore's cut values
 * at "=", drop fields that hold line breaks, and decode no paths.
 *
 * Values come out as NFC, NUL-terminated UTF-8 in the arena; anything else is
 * refused: a form that is not UTF-8 or that holds a NUL is nobody's typing.
 */
#ifndef WEB_FORM_H
#define WEB_FORM_H

#include "web/req.h"

enum form_result {
	FORM_OK,
	FORM_TOO_MANY,		/* more than REQ_FIELDS_MAX fields */
	FORM_BAD,		/* a broken %-sequence, a NUL, no UTF-8 */
};

MUST_CHECK enum form_result form_parse(struct arena *, const char *text,
	    size_t bytes, struct fields *ret_fields);

/* A cookie that can't be read is passed over; at most REQ_COOKIES_MAX. */
void	cookie_parse(struct arena *, const char *header, struct fields *add_to);

/*
 * Decodes a path: NULL when it does not begin with "/", is longer than
 * REQ_PATH_MAX, holds "." or ".." as a part, "//", an encoded slash,
 * backslash, NUL or control character, or is no UTF-8.
 */
MUST_CHECK char *path_decode(struct arena *, const char *raw);

#endif
