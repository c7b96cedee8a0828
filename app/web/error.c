/*
 * Error pages: one template, a row of words for each status.  They are
 * rendered without session and without database.
 */
#include <assert.h>

#include "base/log.h"
#include "base/setting.h"
#include "web/respond.h"
#include "web/template.h"

struct words {
	int		 status;
	const char	*title, *lead;
	bool		 can_retry, to_signin, to_profile;
	const char	*headers;
};

/* Where a `why` has words of its own, its row stands before the status's. */
static const struct {
	const char	*why;
	struct words	 words;
} words_of_why[] = {
	{ "csrf", { 403, "This form can’t be accepted",
	    "The form is from before you signed in or out, or did not come "
	    "from this site. Nothing was changed. Go back, load the page "
	    "again and send it once more.", false, true, true, "" } },
	{ "again_csrf", { 403, "This was sent already",
	    "This page is the answer to a form that was sent before; loading "
	    "it again does nothing a second time, and what it showed is not "
	    "shown again. Look whether what you wanted was done.",
	    false, false, true, "" } },
	{ "origin", { 403, "This form came from another site",
	    "It was sent from a page that is not ours, so nothing was "
	    "changed. Open the page here and fill it in there.",
	    false, true, true, "" } },
	{ "busy", { 503, "Many people are signing in right now",
	    "Nothing was changed. Wait a few seconds, go back and send the "
	    "form again.", false, false, false, "retry-after: 5\r\n" } },
};

static const struct words words[] = {
	{ 400, "We can’t read this request",
	    "Something in it is not as a browser sends it. Nothing was "
	    "changed.", false, false, false, "" },
	{ 403, "This is not allowed",
	    "Nothing was changed.", false, true, true, "" },
	{ 404, "We can’t find this page",
	    "The address may be mistyped, the thing may have been removed, or "
	    "it belongs to a company that you are not signed in for.",
	    false, true, true, "" },
	{ 405, "This address does not take that",
	    "The page exists, but not for this kind of request. Nothing was "
	    "changed.", false, false, true, "" },
	{ 408, "The request came too slowly",
	    "We stopped waiting for the rest of it. Nothing was changed.",
	    false, false, false, "" },
	{ 409, "Someone was faster",
	    "What you wanted to change has changed meanwhile. Nothing was done "
	    "twice. Load the page again to see how it stands.",
	    false, false, true, "" },
	{ 411, "The length of the request is missing",
	    "A form must say how long it is. Nothing was changed.",
	    false, false, false, "" },
	{ 413, "That is too much",
	    "The form is larger than 64 kB, or has more than 256 fields. "
	    "Nothing was changed.", false, false, true, "" },
	{ 414, "The address is too long",
	    "No page of ours has an address this long.",
	    false, false, false, "" },
	{ 421, "This is not the site you asked for",
	    "The name of the site and that of the connection differ.",
	    false, false, false, "" },
	{ 422, "Something needs your attention",
	    "The form could not be accepted as it was. Nothing was changed.",
	    false, false, true, "" },
	{ 429, "Wait a moment",
	    "There were too many tries in a short time.",
	    false, false, false, "retry-after: 60\r\n" },
	{ 431, "The request’s headers are too large",
	    "Often that is a cookie too many: delete the cookies of this site "
	    "and try again.", false, false, false, "" },
	{ 500, "Something went wrong on our side",
	    "It is written down and we will look at it. Look whether what you "
	    "sent was done before you send it again.",
	    false, false, true, "" },
	{ 503, "The portal will be back in a moment",
	    "We can’t reach our records right now, so we can’t show this page. "
	    "What you saved before is safe. If you just sent a form, look "
	    "first whether it arrived before you send it again.",
	    true, false, false, "retry-after: 2\r\n" },
	{ 505, "This version of HTTP is not spoken here",
	    "Use HTTP/1.1 or later.", false, false, false, "" },
};

/* What Kore answers itself, rendered once. */
static struct {
	int		 status;
	const char	*page, *problem;
	size_t		 n, problem_n;
} statics[COUNT(words)];

static const struct words *words_find(int status, const char *why);
static void	problem_render(struct req *, int status, const char *code);
static void	problem_body(struct buf *, int status, const char *code,
		    const char *detail, const char *id);
static const char *status_title(int status);
static void	words_render(const struct words *, bool get, const char *id,
		    struct buf *);

void
respond_error(struct req *rq, int status, const char *why)
{
	const struct words	*w;
	struct answer		*an = rq->answer;
	struct buf		 b;
	bool			 get = rq->method == METHOD_GET ||
				    rq->method == METHOD_HEAD;

	if (an->is_api) {
		problem_render(rq, status, why);
		return;
	}
	w = words_find(status, why);
	buf_init(&b, rq->arena, PAGE_MAX);
	words_render(w, get, rq->id, &b);
	an->status = status;
	buf_init(&an->headers, rq->arena, 8192);
	buf_fmt(&an->headers, "content-type: text/html; charset=utf-8\r\n"
	    "%s%s", respond_security_headers(), w->headers);
	if (an->allow != NULL)
		buf_fmt(&an->headers, "allow: %s\r\n", an->allow);
	buf_fmt(&an->headers, "cache-control: no-store\r\nx-request-id: %s",
	    rq->id);
	an->body = buf_text(&b);
	an->n = b.n;
}

/* Before the fork, so what is rendered here lives as long as the program. */
void
respond_setup(void)
{
	struct arena	*a = arena_new(4u * 1024 * 1024, NULL, NULL);
	struct buf	 b;
	char		*page;
	size_t		 i;

	for (i = 0; i < COUNT(words); i++) {
		buf_init(&b, a, PAGE_MAX);
		words_render(&words[i], false, "", &b);
		page = strdup(buf_text(&b));
		assert(page != NULL);
		statics[i].status = words[i].status;
		statics[i].page = page;
		statics[i].n = b.n;
		buf_init(&b, a, PAGE_MAX);
		problem_body(&b, words[i].status, words[i].status == 413 ?
		    "too_large" : arena_fmt(a, "http_%d", words[i].status),
		    NULL, "");
		buf_str(&b, "}\n");
		page = strdup(buf_text(&b));
		assert(page != NULL);
		statics[i].problem = page;
		statics[i].problem_n = b.n;
	}
	arena_free(a);
}

const char *
respond_static_error(int status, bool is_api, size_t *ret_bytes)
{
	size_t	i;

	for (i = 0; i < COUNT(statics) - 1; i++) {
		if (statics[i].status == status)
			break;
	}
	*ret_bytes = is_api ? statics[i].problem_n : statics[i].n;
	return (is_api ? statics[i].problem : statics[i].page);
}

/* RFC 9457; the code is what a program may branch on. */
static void
problem_render(struct req *rq, int status, const char *code)
{
	struct answer		*an = rq->answer;
	const char		*detail = an->detail, *headers = "";
	struct buf		 b;
	size_t			 i;

	for (i = 0; i < COUNT(words); i++) {
		if (words[i].status == status)
			headers = words[i].headers;
	}
	if (detail == NULL && status == 503)
		detail = str_eq(code, "db_unknown") ? "The connection to our "
		    "records was lost: it is not known whether this was done. "
		    "Look before you send it again." : "We can't reach our "
		    "records right now. Nothing was changed.";
	buf_init(&b, rq->arena, PAGE_MAX);
	problem_body(&b, status, code, detail, rq->id);
	if (an->errors != NULL)
		buf_fmt(&b, ",\"errors\":%s", an->errors);
	buf_str(&b, "}\n");
	an->status = status;
	buf_init(&an->headers, rq->arena, 8192);
	buf_fmt(&an->headers, "content-type: application/problem+json\r\n"
	    "%s%s%s", respond_security_headers(),
	    an->more == NULL || strstr(an->more, "retry-after") == NULL ?
	    headers : "", an->more == NULL ? "" : an->more);
	if (an->allow != NULL)
		buf_fmt(&an->headers, "allow: %s\r\n", an->allow);
	buf_fmt(&an->headers, "cache-control: no-store\r\nx-request-id: %s",
	    rq->id);
	an->body = buf_text(&b);
	an->n = b.n;
}

/* Without the brace at its end. */
static void
problem_body(struct buf *b, int status, const char *code, const char *detail,
    const char *id)
{
	buf_fmt(b, "{\"type\":\"about:blank\",\"title\":\"%s\","
	    "\"status\":%d,\"code\":\"", status_title(status), status);
	buf_json(b, code);
	buf_chr(b, '"');
	if (detail != NULL) {
		buf_str(b, ",\"detail\":\"");
		buf_json(b, detail);
		buf_chr(b, '"');
	}
	if (*id != '\0')
		buf_fmt(b, ",\"request_id\":\"%s\"", id);
}

/* As RFC 9110 names them. */
static const char *
status_title(int status)
{
	static const struct {
		int		 status;
		const char	*title;
	} titles[] = {
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" },
		{ 409, "Conflict" }, { 411, "Length Required" },
		{ 412, "Precondition Failed" }, { 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
	};
	size_t	i;

	for (i = 0; i < COUNT(titles); i++) {
		if (titles[i].status == status)
			return (titles[i].title);
	}
	return ("Error");
}

static const struct words *
words_find(int status, const char *why)
{
	size_t	i;

	for (i = 0; i < COUNT(words_of_why); i++) {
		if (words_of_why[i].words.status == status &&
		    str_eq(words_of_why[i].why, why))
			return (&words_of_why[i].words);
	}
	for (i = 0; i < COUNT(words); i++) {
		if (words[i].status == status)
			return (&words[i]);
	}
	assert(!"an error without words");
	abort();
}

static void
words_render(const struct words *w, bool get, const char *id, struct buf *b)
{
	struct view	*v = view_new(b->arena);
	const char	*why = "";

	view_text(v, "site_name", setting->site_name);
	view_text(v, "support_email", setting->support_email);
	view_text(v, "request_id", id);
	view_text(v, "code", arena_fmt(b->arena, "%d", w->status));
	view_text(v, "title", w->title);
	view_text(v, "lead", w->lead);
	view_bool(v, "can_retry", w->can_retry && get);
	view_bool(v, "to_signin", w->to_signin);
	view_bool(v, "to_profile", w->to_profile);
	if (!template_render("errors/error", v, b, &why)) {
		log_event(LOG_LEVEL_ERROR, "template", "template",
		    "errors/error", "why", why, NULL);
		buf_init(b, b->arena, PAGE_MAX);
		buf_fmt(b, "<!doctype html><title>%d</title><h1>%s</h1>",
		    w->status, w->title);
	}
}
