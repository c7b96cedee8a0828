/*
 * Sessions towards the browser: the router's guard, the cookies, and what a new
 * session keeps of the request that began it.
 */
#include <arpa/inet.h>

#include "base/setting.h"
#include "crypto/token.h"
#include "sessions/session.h"
#include "web/address.h"
#include "web/respond.h"
#include "web/route.h"

enum session_again	(*session_again)(struct req *);

WAITS static void session_read(struct req *);
static void	 to_signin(struct req *);
static void	 to_signin_again(struct req *);
WAITS static bool ask_again(struct req *);
static const char *here(struct req *);
static const char *page_at_or_above(struct req *, const char *path);
static bool	 is_address(const char *);

bool
session_admit(struct req *rq, unsigned guard)
{
	if ((guard & (NODB | MACHINE)) == 0)
		session_read(rq);
	switch (session_right(rq->session, guard)) {
	case SESSION_MAY:
		return (true);
	case SESSION_SIGN_IN:
		to_signin(rq);
		return (false);
	case SESSION_SIGN_IN_AGAIN:
		return (ask_again(rq));
	case SESSION_SET_UP:
		respond_see_other(rq, "/account/two-factor");
		return (false);
	case SESSION_MAY_NOT:
		break;
	}
	req_not_found(rq);
}

void
session_csrf_base(struct req *rq)
{
	const char	*names[2] = { session_cookie_name(rq, ""),
			    session_cookie_name(rq, "form") };
	const char	*cookie;
	char		*fresh;
	size_t		 i;

	if (rq->csrf_base != NULL)
		return;
	/* Asked before and after the session is read, so it must not depend
	 * on that; whether the session still lives does not matter here. */
	for (i = 0; i < COUNT(names); i++) {
		cookie = req_cookie(rq, names[i]);
		if (cookie != NULL && token_shaped(cookie)) {
			rq->csrf_base = cookie;
			return;
		}
	}
	fresh = arena_alloc(rq->arena, TOKEN_TEXT);
	token_make(fresh);
	respond_cookie(rq, names[1], fresh, -1);
	rq->csrf_base = fresh;
}

struct session_start
session_begin(struct req *rq)
{
	struct session_start	 start = { .agent = "" };
	const char		*agent = req_header(rq, "user-agent");
	char			*token = arena_alloc(rq->arena, TOKEN_TEXT);
	size_t			 n;

	token_make(token);
	start.token = token;
	start.network = session_network(rq);
	if (is_address(rq->address))
		start.address = rq->address;
	if (agent != NULL) {
		/* Cut at a character: nothing but ASCII is kept anyway by
		 * any browser, so a longer or odd one just gets shorter. */
		n = strlen(agent);
		if (n > SESSION_AGENT_MAX)
			n = SESSION_AGENT_MAX;
		while (n > 0 && !str_utf8(agent, n))
			n--;
		agent = arena_strndup(rq->arena, agent, n);
		if (!str_has_control(agent))
			start.agent = agent;
	}
	if (rq->session != NULL)
		start.old = rq->session->cookie;
	start.browser = session_browser(rq);
	return (start);
}

void
session_set_cookies(struct req *rq, const struct session_start *start)
{
	session_set_cookie(rq, start->token);
	session_set_browser(rq, start->browser);
}

void
session_set_cookie(struct req *rq, const char *token)
{
	respond_cookie(rq, session_cookie_name(rq, ""), token, SESSION_LIFE_S);
	if (req_cookie(rq, session_cookie_name(rq, "form")) != NULL)
		respond_cookie(rq, session_cookie_name(rq, "form"), "", 0);
}

void
session_set_browser(struct req *rq, const char *browser)
{
	respond_cookie(rq, session_cookie_name(rq, "browser"), browser,
	    SESSION_BROWSER_S);
}

const char *
session_browser(struct req *rq)
{
	const char	*kept = session_visitor(rq).browser;
	char		*token;

	if (kept != NULL)
		return (kept);
	token = arena_alloc(rq->arena, TOKEN_TEXT);
	token_make(token);
	return (token);
}

struct visitor
session_visitor(struct req *rq)
{
	const char *token = req_cookie(rq, session_cookie_name(rq, "browser"));

	return ((struct visitor){ .network = session_network(rq),
	    .browser = token != NULL && token_shaped(token) ? token : NULL });
}

void
session_end_cookie(struct req *rq)
{
	respond_cookie(rq, session_cookie_name(rq, ""), "", 0);
}

const char *
session_network(struct req *rq)
{
	/* A proxy on a Unix socket that does not say for whom it asks. */
	if (!is_address(rq->address))
		return ("::");
	return (client_network(rq->arena, rq->address));
}

/*
 * __Host- binds a cookie to this host and to https.  On plain http, which is
 * for development, the port keeps two portals on one host apart.
 */
const char *
session_cookie_name(struct req *rq, const char *more)
{
	const char	*port;

	if (setting->public_https) {
		return (arena_fmt(rq->arena, "__Host-latchkey%s%s",
		    *more == '\0' ? "" : "-", more));
	}
	port = strrchr(setting->public_origin, ':');
	if (port == NULL || port[1] == '/')
		port = ":80";
	return (arena_fmt(rq->arena, "latchkey_%s%s%s", port + 1,
	    *more == '\0' ? "" : "_", more));
}

static void
session_read(struct req *rq)
{
	const char	*token = req_cookie(rq, session_cookie_name(rq, ""));

	/* A cookie without a session is left alone: it may be the old one of
	 * a session that another tab has just given a new one. */
	if (token == NULL || !token_shaped(token))
		return;
	rq->session = session_db_find(rq->db, token);
	if (rq->session == NULL)
		return;
	rq->account_id = rq->session->account_id;
	rq->session->must_set_up = setting->production &&
	    rq->session->kind != ACCOUNT_CONTACT && !rq->session->has_second;
	if (rq->session->stale)
		session_touch(token);
}

static void
to_signin(struct req *rq)
{
	struct buf	b;

	buf_init(&b, rq->arena, 4 * SESSION_NEXT_MAX);
	buf_str(&b, "/signin?next=");
	buf_url(&b, here(rq));
	respond_see_other(rq, buf_text(&b));
}

static bool
ask_again(struct req *rq)
{
	if (rq->method == METHOD_POST && session_again != NULL) {
		switch (session_again(rq)) {
		case SESSION_AGAIN_GO_ON:
			return (true);
		case SESSION_AGAIN_ANSWERED:
			return (false);
		case SESSION_AGAIN_REDIRECT:
			break;
		}
	}
	to_signin_again(rq);
	return (false);
}

/* `for` is what the route does ("requests/approve"), which the page says in a
 * sentence of its own. */
static void
to_signin_again(struct req *rq)
{
	struct buf	 b;

	buf_init(&b, rq->arena, 4 * SESSION_NEXT_MAX);
	buf_str(&b, "/signin/again?for=");
	buf_url(&b, route_word(rq->arena, rq->route));
	buf_str(&b, "&next=");
	buf_url(&b, here(rq));
	respond_see_other(rq, buf_text(&b));
}

/*
 * The page to come back to: this one, or, where a form was sent, the page that
 * the form was on.
 */
static const char *
here(struct req *rq)
{
	const char	*path, *p;
	struct buf	 b;
	size_t		 i;

	if (rq->method == METHOD_GET || rq->method == METHOD_HEAD) {
		buf_init(&b, rq->arena, SESSION_NEXT_MAX + 1);
		/* Decoded, so that what was encoded must be so again. */
		for (p = rq->path; *p != '\0'; p++) {
			if (*p == '/')
				buf_chr(&b, '/');
			else
				buf_url(&b, (char[2]){ *p, '\0' });
		}
		for (i = 0; i < rq->query.n; i++) {
			buf_chr(&b, i == 0 ? '?' : '&');
			buf_url(&b, rq->query.list[i].name);
			buf_chr(&b, '=');
			buf_url(&b, rq->query.list[i].value);
		}
		path = b.full ? NULL : session_next(rq->arena, buf_text(&b));
	} else {
		path = session_referer(rq->arena, req_header(rq, "referer"),
		    setting->public_origin);
		path = session_next(rq->arena, page_at_or_above(rq,
		    path != NULL ? path : rq->path));
	}
	if (path != NULL && strlen(path) <= SESSION_NEXT_MAX)
		return (path);
	return ("/profile");
}

/*
 * A form that was refused stands at the address that it was sent to, which
 * nobody can GET: then it is the nearest page above that one can, as
 * /staff/requests/1 is for /staff/requests/1/approve.  NULL: only "/" is.
 */
static const char *
page_at_or_above(struct req *rq, const char *path)
{
	struct req	 probe = *rq;
	const char	*allowed;
	size_t		 whole = strcspn(path, "?");
	char		*above = arena_strndup(rq->arena, path, whole);

	probe.method = METHOD_GET;
	probe.path = above;
	while (above[1] != '\0') {
		if (route_find(&probe, &allowed) != NULL)
			return (strlen(above) == whole ? path : above);
		*strrchr(above, '/') = '\0';
		if (above[0] == '\0')
			break;
	}
	return (NULL);
}

static bool
is_address(const char *text)
{
	unsigned char	ip[16];

	return (inet_pton(AF_INET, text, ip) == 1 ||
	    inet_pton(AF_INET6, text, ip) == 1);
}
