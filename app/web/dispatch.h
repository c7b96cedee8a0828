/*
 * From a request as the server got it to its handler: what is not HTTP as RFC
 * 9110 and 9112 have it is refused, path, query, cookies and form are read,
 * the route is found, and the guards are asked in this order: CSRF, session
 * and rights, fresh sign-in.
 */
#ifndef WEB_DISPATCH_H
#define WEB_DISPATCH_H

#include "web/respond.h"

struct raw_request {			/* in the request's arena */
	const char	*path;		/* as sent, without the query */
	const char	*query;		/* NULL: none */
	const char	*body;		/* NULL: none */
	size_t		 body_bytes;
	const char	*peer;		/* address, or "unix" */
};

/* Reads TRUSTED_PROXIES; false when it is malformed. */
MUST_CHECK bool	 dispatch_setup(void);

/* Runs in a coroutine; the request is answered when it returns, if it does. */
WAITS void	 dispatch(struct req *, const struct raw_request *);

#endif
