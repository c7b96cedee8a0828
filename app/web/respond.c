/*
 * Answers: see respond.h.  An answer is gathered in the request's arena and
 * handed to the server when the handler has ended, so that nothing is sent
 * half.
 */
#include "web/respond.h"

#include <assert.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/setting.h"
#include "crypto/token.h"
#include "web/asset.h"
#include "web/template.h"
#include "web/view_read.h"

#define HEADERS_MAX	8192u

/* The whole policy: nothing inline, nothing from elsewhere (ASVS 3.4.3). */
#define CSP "default-src 'none'; script-src 'self'; style-src 'self'; "	\
	"img-src 'self'; connect-src 'self'; form-action 'self'; "	\
	"base-uri 'none'; frame-ancestors 'none'"
#define SECURITY_HEADERS						\
	"content-security-policy: " CSP "\r\n"				\
	"x-content-type-options: nosniff\r\n"				\
	"referrer-policy: same-origin\r\n"				\
	"permissions-policy: camera=(), geolocation=(), microphone=(), "	\
	"payment=(), usb=()\r\n"					\
	"cross-origin-opener-policy: same-origin\r\n"			\
	"cross-origin-resource-policy: same-origin\r\n"
#define HSTS "strict-transport-security: max-age=31536000\r\n"

struct web_hooks	web_hooks;

static void	answer_begin(struct req *, int status, const char *type);
static void	render(struct req *, const char *template, struct view *,
		    struct buf *);
static bool	header_safe(const char *);
static const char *frame_field_error(struct view *, const char *field);

void
respond_page(struct req *rq, int status, const char *template,
    struct view *view)
{
	struct buf	b;

	view_text(view, "site_name", setting->site_name);
	view_text(view, "support_email", setting->support_email);
	view_text(view, "request_id", rq->id);
	view_int(view, "sla_hours", setting->sla_hours);
	if (web_hooks.frame != NULL)
		web_hooks.frame(rq, view);
	view_text(view, "csrf",
	    rq->csrf_base == NULL ? "" : respond_csrf(rq));
	render(rq, template, view, &b);
	/* A visitor gets a cookie with his first form, not with a look. */
	if (rq->csrf_base == NULL && strstr(b.p, "name=\"csrf\"") != NULL) {
		view_text(view, "csrf", respond_csrf(rq));
		render(rq, template, view, &b);
	}
	respond_header(rq, "cache-control", "no-store");
	respond_bytes(rq, status, "text/html; charset=utf-8", b.p, b.n);
}

void
respond_see_other(struct req *rq, const char *path)
{
	assert(path[0] == '/' && path[1] != '/' && path[1] != '\\');
	respond_header(rq, "location", path);
	respond_header(rq, "cache-control", "no-store");
	respond_bytes(rq, 303, "text/plain; charset=utf-8", "", 0);
}

void
respond_text(struct req *rq, int status, const char *text)
{
	respond_header(rq, "cache-control", "no-store");
	respond_bytes(rq, status, "text/plain; charset=utf-8", text,
	    strlen(text));
}

void
respond_json(struct req *rq, int status, const char *json)
{
	respond_header(rq, "cache-control", "no-store");
	respond_bytes(rq, status, "application/json", json, strlen(json));
}

void
respond_bytes(struct req *rq, int status, const char *type, const void *body,
    size_t bytes)
{
	answer_begin(rq, status, type);
	rq->answer->body = body;
	rq->answer->n = bytes;
}

void
respond_header(struct req *rq, const char *name, const char *value)
{
	struct buf	*h = &rq->answer->headers;

	if (!header_safe(value))
		req_fail(rq, 500, "header_unsafe");
	if (h->arena == NULL)
		buf_init(h, rq->arena, HEADERS_MAX);
	buf_fmt(h, "%s: %s\r\n", name, value);
}

void
respond_cookie(struct req *rq, const char *name, const char *value,
    int64_t max_age_s)
{
	const char	*age = "";

	if (max_age_s >= 0)
		age = arena_fmt(rq->arena, "; Max-Age=%lld",
		    (long long)max_age_s);
	respond_header(rq, "set-cookie", arena_fmt(rq->arena,
	    "%s=%s; Path=/%s; HttpOnly; SameSite=Lax%s", name, value,
	    setting->public_https ? "; Secure" : "", age));
}

void
form_error(struct view *view, const char *field, const char *text)
{
	struct view	*row = view_row(view, "errors");

	view_text(row, "field", field);
	view_text(row, "text", text);
	view_text(view, frame_field_error(view, field), text);
	view_bool(view, "has_errors", true);
}

bool
form_has_errors(const struct view *view)
{
	const struct value	*v;

	v = view_find(view, view_hash("has_errors"), "has_errors");
	return (v != NULL && v->truth);
}

bool
form_error_at(const struct view *view, size_t i, const char **ret_field,
    const char **ret_text)
{
	const struct value	*v, *field, *text;
	const struct view	*row;

	v = view_find(view, view_hash("errors"), "errors");
	if (v == NULL || v->kind != VALUE_LIST || i >= v->list->n)
		return (false);
	row = v->list->items[i].map;
	field = view_find(row, view_hash("field"), "field");
	text = view_find(row, view_hash("text"), "text");
	assert(field != NULL && text != NULL);
	*ret_field = field->text;
	*ret_text = text->text;
	return (true);
}

void
form_fields(struct view *view, ...)
{
	const char	*field, *name;
	va_list		 ap;

	va_start(ap, view);
	while ((field = va_arg(ap, const char *)) != NULL) {
		name = frame_field_error(view, field);
		if (view_find(view, view_hash(name), name) == NULL)
			view_text(view, name, "");
	}
	va_end(ap);
	if (!form_has_errors(view)) {
		view_bool(view, "has_errors", false);
		view_list(view, "errors");
	}
}

const char *
respond_csrf(struct req *rq)
{
	char	*token;

	if (rq->csrf_base == NULL)
		web_hooks.csrf_base(rq);
	assert(rq->csrf_base != NULL);
	token = arena_alloc(rq->arena, TOKEN_TEXT);
	token_derive(token, rq->csrf_base, "csrf", "");
	return (token);
}

const char *
respond_security_headers(void)
{
	return (setting->public_https ? SECURITY_HEADERS HSTS :
	    SECURITY_HEADERS);
}

/*
 * The headers that respond_header() gathered stay; content type goes first,
 * since the server hands that one to Kore as the name and all else as its
 * value.
 */
static void
answer_begin(struct req *rq, int status, const char *type)
{
	struct answer	*an = rq->answer;
	struct buf	 extra = an->headers;

	assert(an->status == 0);
	an->status = status;
	buf_init(&an->headers, rq->arena, HEADERS_MAX);
	if (type != NULL)
		buf_fmt(&an->headers, "content-type: %s\r\n", type);
	buf_str(&an->headers, respond_security_headers());
	if (extra.n > 0)
		buf_add(&an->headers, extra.p, extra.n);
	buf_fmt(&an->headers, "x-request-id: %s", rq->id);
	if (an->headers.full)
		req_fail(rq, 500, "headers_full");
}

static void
render(struct req *rq, const char *template, struct view *view, struct buf *b)
{
	const char	*why = "";

	buf_init(b, rq->arena, PAGE_MAX);
	buf_expect(b, PAGE_USUAL);
	if (template_render(template, view, b, &why))
		return;
	log_event(LOG_LEVEL_ERROR, "template", "request", rq->id, "template",
	    template, "why", why, NULL);
	req_fail(rq, 500, "template");
}

static bool
header_safe(const char *value)
{
	return (value[strcspn(value, "\r\n")] == '\0');
}

/* "<field>_error", in the view's arena, for as long as the view lives. */
static const char *
frame_field_error(struct view *view, const char *field)
{
	return (arena_fmt(view->arena, "%s_error", field));
}
