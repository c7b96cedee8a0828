/*
 * Answers.  One call ends the work of a handler; it returns afterwards.
 * Header values are checked: CR, LF and NUL are a bug and abort the request
 * with 500.  Every answer gets the security headers of web/respond.c; pages
 * and errors get Cache-Control: no-store.
 */
#ifndef WEB_RESPOND_H
#define WEB_RESPOND_H

#include "web/mustache.h"
#include "web/req.h"

#define PAGE_MAX	(2u * 1024 * 1024)	/* bytes of a rendered page */
#define PAGE_USUAL	(8u * 1024)

/*
 * Renders templates/NAME.html with the view, to which the frame's values are
 * added (site, person, csrf).  status 200 unless it says why.
 */
void	respond_page(struct req *, int status, const char *template,
	    struct view *);
/* 303 See Other to a path of our own ("/profile"). */
void	respond_see_other(struct req *, const char *path);
/* text/plain */
void	respond_text(struct req *, int status, const char *text);
/* application/json */
void	respond_json(struct req *, int status, const char *json);
/* Any body; it must outlive the request.  type NULL: no body at all. */
void	respond_bytes(struct req *, int status, const char *type,
	    const void *body, size_t bytes);
/*
 * An answer whose length nobody knows, written piece by piece while the
 * handler runs: begin, write, end.  Write waits until the pieces before have
 * gone to the network, so what is made costs no more memory than one piece; it
 * is false when the rest is of no use: the visitor is gone, takes nothing for
 * 30 seconds, or the portal is about to stop.  End is called when all is
 * written; an answer that ends without it, by req_fail() say, is cut off in a
 * way that the visitor's browser tells from a whole one (RFC 9112 section 8).
 * Begin is false when STREAMS_MAX run in this worker: nothing was answered.
 */
#define STREAMS_MAX	8u
WAITS MUST_CHECK bool respond_stream(struct req *, int status,
	    const char *type);
WAITS MUST_CHECK bool respond_stream_write(struct req *, const void *,
	    size_t bytes);
void	respond_stream_end(struct req *);
/* An extra header of the answer; call it before the answer. */
void	respond_header(struct req *, const char *name, const char *value);
/*
 * A cookie that scripts can't read: Path=/; HttpOnly; SameSite=Lax, and Secure
 * where PUBLIC_URL is https.  max_age_s 0 ends it; -1 lasts as long as the
 * browser runs.
 */
void	respond_cookie(struct req *, const char *name, const char *value,
	    int64_t max_age_s);

/*
 * Form errors: the page shows a summary linked to the fields.  form_error adds
 * {field, text} to the list "errors" and sets "<field>_error" and
 * "has_errors".  form_fields makes sure that these names exist for the fields
 * of a form (closed by NULL), as templates want it; call it for every form,
 * before or after the errors.
 */
void	form_error(struct view *, const char *field, const char *text);
bool	form_has_errors(const struct view *);
/* The i-th of them, from 0; false when there are no more. */
bool	form_error_at(const struct view *, size_t i, const char **ret_field,
	    const char **ret_text);
void	form_fields(struct view *, ...) __attribute__((sentinel));

/* The value for the hidden field `csrf` of this visitor's forms. */
const char *respond_csrf(struct req *);

/* ---- for web/serve and main.c ---- */

struct answer {
	int		 status;	/* 0: none yet */
	struct buf	 headers;	/* "name: value\r\n", content-type first */
	const void	*body;
	size_t		 n;
	const char	*allow;		/* for 405; NULL */
	bool		 close;		/* the connection, afterwards */
	bool		 stream;	/* the body comes piece by piece */
	/* Below /api/: errors are problems.  NULL: none. */
	bool		 is_api;
	const char	*detail;	/* a sentence */
	const char	*errors;	/* JSON: [{"field": ..., "text": ...}] */
	const char	*more;		/* headers, each with CRLF at its end */
};

/* What the slices give to the web layer, set once by main.c. */
struct web_hooks {
	/* sessions/session.h */
	bool	(*admit)(struct req *, unsigned guard);
	void	(*csrf_base)(struct req *);
	/* The frame's values of the person who asks. */
	void	(*frame)(struct req *, struct view *);
};
extern struct web_hooks	web_hooks;

/* Templates and assets, before the fork; exits with one line on an error. */
void	respond_setup(void);
/* An error page, or a problem, without request, for what Kore answers itself. */
const char *respond_static_error(int status, bool is_api, size_t *ret_bytes);
/* Headers that every answer has, each with CRLF at its end. */
const char *respond_security_headers(void);
/* Fills the answer of a failed request. */
void	respond_error(struct req *, int status, const char *why);

#endif
