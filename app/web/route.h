/*
 * The router: one table (routes.c), read from top to bottom.  A pattern's part
 * that begins with ":" matches one part of a path.  A row without a guard lets
 * nobody in.  Every POST checks CSRF (the hidden field `csrf` and a fitting
 * Origin) unless its guard has MACHINE or API.
 */
#ifndef WEB_ROUTE_H
#define WEB_ROUTE_H

#include "web/req.h"
#include "web/scope.h"

enum guard {
	ANYONE	= 1 << 0,	/* signed in or not */
	CONTACT	= 1 << 1,	/* a contact of a client */
	STAFF	= 1 << 2,	/* staff and admins */
	ADMIN	= 1 << 3,	/* admins */
	ACCOUNT	= 1 << 4,	/* anybody signed in */
	FRESH	= 1 << 5,	/* and signed in within 15 minutes */
	MACHINE	= 1 << 6,	/* no cookies, no CSRF */
	NODB	= 1 << 7,	/* works without database: no session read */
	SETUP	= 1 << 8,	/* open to staff who must still set up a second
				 * factor */
	API	= 1 << 9,	/* for scripts: an access token, no cookies, no
				 * CSRF; with a scope of web/scope.h */
};

struct route {
	enum method	 method;
	const char	*pattern;
	void		(*handler)(struct req *);
	unsigned	 guard;
};

/* The table, closed by a row whose pattern is NULL. */
extern const struct route routes[];

/* Checks the table and makes it quick to search; call before the fork. */
void	route_setup(const struct route *table);
/* "GET" */
const char	*method_name(enum method);
/* What a route does, by its last two words that are no parameters: "requests/
 * approve" of "/staff/requests/:id/approve". */
const char	*route_word(struct arena *, const struct route *);
/* "CONTACT|FRESH"; static until the next call. */
const char	*guard_text(unsigned guard);
/* Finds the row; NULL if none.  ret_allowed is set to the methods of the
 * path's rows as for Allow ("GET, HEAD, POST, OPTIONS"), or NULL for no row. */
const struct route *route_find(struct req *, const char **ret_allowed);

#endif
