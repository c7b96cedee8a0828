/*
 * Request and answer, as handlers see them.  A request owns everything that it
 * touches: strings, rows and views come from rq->arena.
 *
 * A handler reads the request, may wait, answers once with one of the
 * functions of web/respond.h and returns.  req_fail() answers with an error
 * page and does not return.
 */
#ifndef WEB_REQ_H
#define WEB_REQ_H

#include "base/str.h"
#include "db/db.h"
#include "web/view.h"

#define REQ_ARENA_MAX	(4u * 1024 * 1024)	/* bytes */
#define REQ_BODY_MAX	(64u * 1024)		/* bytes of a form */
/* Fields of a form or query: the 150 resources that a role shows, with 5
 * operations each, and the rest of its form. */
#define REQ_FIELDS_MAX	1024
#define REQ_COOKIES_MAX	32
#define REQ_PATH_MAX	1024			/* bytes, decoded */

struct answer;			/* web/respond.h */
struct session;			/* sessions/session.h */
struct route;			/* web/route.h */
struct api_call;		/* api/api_pages.h */

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_DELETE,
	METHOD_OPTIONS, METHOD_PATCH, METHOD_OTHER };

struct field {			/* of a form, query or cookie header */
	const char	*name;
	const char	*value;
};

struct fields {
	struct field	*list;
	size_t		 n;
};

struct req {
	struct arena	*arena;
	struct db	*db;
	enum method	 method;
	const char	*path;		/* decoded, checked */
	const char	*host;		/* as sent, checked */
	const char	*id;		/* "r-" and 12 hexadecimal: log, pages */
	const char	*address;	/* of the client, by TRUSTED_PROXIES */
	struct fields	 headers, query, form, cookies;
	const char	*body;		/* as sent, of a route with API */
	size_t		 body_bytes;
	struct api_call	*api;		/* NULL on pages */
	const struct route *route;
	const char	*params[4];	/* by place of ":x" in the pattern */
	int64_t		 now;		/* wall clock at arrival */
	struct session	*session;	/* NULL while anonymous */
	const char	*account_id;	/* for the log; NULL while anonymous */
	const char	*csrf_base;	/* cookie value that csrf derives from */
	struct answer	*answer;	/* web/respond.h */
	const char	*failed;	/* why, for the log; NULL */
	/* Called once by req_fail() of a 5xx, save when a write's answer was
	 * lost; may wait, and fail itself.  NULL: nothing to do. */
	void		(*broke)(struct req *);
	void		*server;	/* web/serve_kore.c's own */
};

/* NULL if the header was not sent; the first if there are several. */
const char	*req_header(struct req *, const char *name);
/* The part of the path under ":name" in the route's pattern; never NULL. */
const char	*req_param(struct req *, const char *name);
/* The first field of that name, NULL if there is none. */
const char	*req_query(struct req *, const char *name);
const char	*req_cookie(struct req *, const char *name);
/* Never NULL: "" for a field that was not sent.  As typed, NFC. */
const char	*req_form(struct req *, const char *name);
/* The same, with white space squeezed (str_squeeze). */
const char	*req_form_line(struct req *, const char *name);

/*
 * Answers with our error page of that status (400 403 404 405 409 413 422 429
 * 500 503) and ends the coroutine.  `why` is for the log and holds nothing
 * secret.  503 and 429 carry Retry-After.
 */
_Noreturn void	 req_fail(struct req *, int status, const char *why);
_Noreturn void	 req_not_found(struct req *);	/* 404 "not_found" */
/*
 * The same below /api/, where every error is a problem (RFC 9457): any status
 * of 400 or more, a code that programs read, and a sentence for people, which
 * must live as long as the request.
 */
_Noreturn void	 req_problem(struct req *, int status, const char *code,
		    const char *detail);

#endif
