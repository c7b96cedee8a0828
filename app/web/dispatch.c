/*
 * From a raw request to its handler: see dispatch.h.
 */
#include "web/dispatch.h"

#include "base/setting.h"
#include "crypto/token.h"
#include "web/address.h"
#include "web/form.h"
#include "web/route.h"

static struct networks	proxies;

static void	 check_headers(struct req *);
static void	 read_request(struct req *, const struct raw_request *);
static void	 read_form(struct req *, const struct raw_request *);
static void	 check_csrf(struct req *);
static bool	 origin_fits(struct req *, const char *origin);
_Noreturn static void refuse(struct req *, const char *why);

bool
dispatch_setup(void)
{
	return (networks_parse(setting->trusted_proxies, &proxies));
}

WAITS void
dispatch(struct req *rq, const struct raw_request *raw)
{
	const struct route	*route;

	rq->answer->is_api = str_starts(raw->path, "/api/");
	check_headers(rq);
	read_request(rq, raw);
	route = route_find(rq, &rq->answer->allow);
	rq->route = route;
	if (route == NULL) {
		if (rq->answer->allow == NULL)
			req_not_found(rq);
		if (rq->method != METHOD_OPTIONS)
			req_fail(rq, 405, "method");
		respond_header(rq, "allow", rq->answer->allow);
		respond_bytes(rq, 204, NULL, NULL, 0);
		return;
	}
	if ((route->guard & API) != 0) {
		rq->body = raw->body;
		rq->body_bytes = raw->body_bytes;
	} else if (raw->body_bytes > 0) {
		read_form(rq, raw);
	}
	if (route->method == METHOD_POST && (route->guard & (MACHINE | API)) == 0)
		check_csrf(rq);
	if ((route->guard & NODB) == 0 && !web_hooks.admit(rq, route->guard))
		return;
	route->handler(rq);
}

/*
 * What two readers could understand differently is refused and the connection
 * closed, so that nothing can be smuggled past a proxy (RFC 9112 section 6.3).
 */
static void
check_headers(struct req *rq)
{
	const struct field	*f;
	unsigned		 lengths = 0;
	size_t			 i;

	for (i = 0; i < rq->headers.n; i++) {
		f = &rq->headers.list[i];
		if (str_eq_nocase(f->name, "content-length")) {
			if (++lengths > 1 || f->value[0] == '\0' ||
			    f->value[strspn(f->value, "0123456789")] != '\0')
				refuse(rq, "content_length");
		} else if (str_eq_nocase(f->name, "transfer-encoding")) {
			refuse(rq, "transfer_encoding");
		} else if (str_eq_nocase(f->name, "host")) {
			refuse(rq, "second_host");
		}
	}
	if (rq->host[0] == '\0' || rq->host[strspn(rq->host,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-_:[]")] != '\0')
		refuse(rq, "host");
}

static void
read_request(struct req *rq, const struct raw_request *raw)
{
	size_t	i;

	rq->address = client_address(rq->arena, &proxies, raw->peer,
	    req_header(rq, "x-forwarded-for"));
	for (i = 0; i < rq->headers.n; i++) {
		if (str_eq_nocase(rq->headers.list[i].name, "cookie"))
			cookie_parse(rq->arena, rq->headers.list[i].value,
			    &rq->cookies);
	}
	rq->path = path_decode(rq->arena, raw->path);
	if (rq->path == NULL)
		refuse(rq, "path");
	if (raw->query != NULL && form_parse(rq->arena, raw->query,
	    strlen(raw->query), &rq->query) != FORM_OK)
		refuse(rq, "query");
}

static void
read_form(struct req *rq, const struct raw_request *raw)
{
	static const char	 form[] = "application/x-www-form-urlencoded";
	const char		*type = req_header(rq, "content-type");
	enum form_result	 result;

	if (type == NULL || strncasecmp(type, form, strlen(form)) != 0 ||
	    (type[strlen(form)] != '\0' && type[strlen(form)] != ';' &&
	    type[strlen(form)] != ' ')) {
		/* A machine may send another form: its handler does not ask
		 * for fields. */
		if ((rq->route->guard & MACHINE) != 0)
			return;
		refuse(rq, "content_type");
	}
	result = form_parse(rq->arena, raw->body, raw->body_bytes, &rq->form);
	if (result == FORM_TOO_MANY)
		req_fail(rq, 413, "fields");
	if (result == FORM_BAD)
		refuse(rq, "form");
}

/*
 * The Origin must be ours: that of the Host or of PUBLIC_URL.  A client that
 * sends none (it is no browser of today) is left to the token.  The token is
 * derived from the cookie, so it fits this visitor only (ASVS 3.5.1).
 */
static void
check_csrf(struct req *rq)
{
	const char	*origin = req_header(rq, "origin");

	if (origin != NULL && !origin_fits(rq, origin))
		req_fail(rq, 403, "origin");
	if (token_eq(req_form(rq, "csrf"), respond_csrf(rq)))
		return;
	/* A fresh sign-in gave the session a new cookie: who loads the page
	 * again that came of it sends a form of the old one. */
	req_fail(rq, 403, req_form(rq, "again_body")[0] != '\0' &&
	    origin != NULL ? "again_csrf" : "csrf");
}

static bool
origin_fits(struct req *rq, const char *origin)
{
	const char	*host = strstr(origin, "://");

	if (str_eq_nocase(origin, setting->public_origin))
		return (true);
	return (host != NULL && (str_starts(origin, "http://") ||
	    str_starts(origin, "https://")) &&
	    str_eq_nocase(host + 3, rq->host));
}

_Noreturn static void
refuse(struct req *rq, const char *why)
{
	rq->answer->close = true;
	req_fail(rq, 400, why);
}
