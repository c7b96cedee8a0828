/*
 * Sessions (ASVS 7).  A session is 256 random bits in a cookie, of which the
 * database keeps only the SHA-256: __Host-latchkey (Secure, HttpOnly,
 * SameSite=Lax) where PUBLIC_URL is https, else latchkey_<port>, since cookies
 * ignore ports.  It ends after 12 hours without use, after 14 days in any case,
 * and at sign-out, when its row goes: ended means ended in all workers on the
 * next request, because every request reads the row.
 *
 * An anonymous visitor has a pre-session: a random cookie that form tokens are
 * bound to and that sign-in replaces.
 */
#ifndef SESSIONS_SESSION_H
#define SESSIONS_SESSION_H

#include "web/req.h"

#define SESSION_IDLE_S		(12 * 3600)
#define SESSION_LIFE_S		(14 * 24 * 3600)
#define SESSION_FRESH_S		(15 * 60)
#define SESSION_TOUCH_S		(5 * 60)	/* last use is written so often */
#define SESSION_NEXT_MAX	512		/* bytes of a path to go on to */
#define SESSION_AGENT_MAX	200		/* bytes kept of User-Agent */
#define SESSION_BROWSER_S	(365 * 24 * 3600)	/* of its cookie */

enum account_kind { ACCOUNT_CONTACT, ACCOUNT_STAFF, ACCOUNT_ADMIN };
enum member_role { MEMBER_NONE, MEMBER_MEMBER, MEMBER_MANAGER, MEMBER_OWNER };

/* Who asks: the session's row with its account, person and membership. */
struct kept;
struct session {
	const char	*account_id;
	enum account_kind kind;
	const char	*name, *email, *email_domain, *client;
	const char	*tenant_id;		/* NULL: no tenant yet */
	const char	*tenant_code, *tenant_name;
	enum member_role role;
	bool		 fresh;			/* within SESSION_FRESH_S */
	bool		 stale;			/* last use is to be written */
	bool		 has_second;		/* a second factor is set */
	int		 unread;		/* notices, 10 at most */
	bool		 must_set_up;		/* one must be, before anything */
	const char	*cookie;		/* the token itself */
	const char	*form_cookie;		/* the one that the form was
						 * made under: another after a
						 * fresh sign-in */
	struct kept	*kept;			/* session_kept.h; NULL: not */
};

/* ---- the guard, as web_hooks of web/respond.h ---- */

/*
 * The router's guard: reads the session of a request (unless the guard has
 * NODB or MACHINE, which need ANYONE beside them) and answers what the guard
 * refuses: 303 to /signin?next= for the anonymous, 404 without the right,
 * where it is FRESH and the sign-in is not 303 to /signin/again, or, for a
 * POST, 200 with a page that asks and then carries on, 303 to
 * /account/two-factor for staff who must set up a second factor first (in
 * production) unless the guard has SETUP.  False when it has answered.
 */
WAITS MUST_CHECK bool session_admit(struct req *, unsigned guard);

/* Makes sure that rq->csrf_base is set: the session's cookie, living or not, or
 * that of a pre-session, which is made when there is none.  Does not need the
 * session to be read. */
void	session_csrf_base(struct req *);

/*
 * What is asked when a POST needs a fresh sign-in: main.c sets it to
 * again_page_carry_on(), accounts/account_pages.h.  NULL is as REDIRECT.
 */
enum session_again {
	SESSION_AGAIN_GO_ON,		/* it is fresh now, the form in place */
	SESSION_AGAIN_ANSWERED,
	SESSION_AGAIN_REDIRECT,		/* to /signin/again: the form is lost */
};
extern enum session_again	(*session_again)(struct req *);

/* ---- beginning and ending ---- */

/* What a statement needs to begin a session; texts are in the request's
 * arena. */
struct session_start {
	const char	*token;		/* new, for the cookie */
	const char	*address;	/* NULL: not an IP address */
	const char	*network;
	const char	*agent;
	const char	*old;		/* cookie of the session that it replaces,
					 * NULL for none */
	const char	*browser;	/* cookie that the browser keeps when
					 * the session ends, NULL for none */
};
struct session_start session_begin(struct req *);

/*
 * CTEs that begin a session for the row `from` (a CTE with the account's id as
 * `id`), in the statement that decides on it: the new row, the end of the one
 * that the browser had, the network as one that somebody has signed in from,
 * the device as one of the account, with the mail about a new one, and the
 * browser as one that is known.  token to browser are placeholders ("$3"),
 * filled by SESSION_ARGS().
 */
#define SESSION_SQL(from, token, address, network, agent, old, browser)	\
	"session_new AS (INSERT INTO session (id_hash, account_id, "	\
	"expires_at, address, agent) SELECT " token "::bytea, id, "	\
	"now() + interval '14 days', " address "::inet, "		\
	agent "::text FROM " from "), "					\
	"session_old AS (DELETE FROM session WHERE id_hash = "		\
	old "::bytea AND EXISTS (SELECT FROM " from ")), "		\
	"session_network AS (INSERT INTO known_network AS k (network) "	\
	"SELECT " network "::inet FROM " from " "			\
	"ON CONFLICT (network) DO UPDATE "				\
	"SET last_at = now() WHERE k.last_at < now() - interval '1 day'), " \
	"session_device AS (INSERT INTO known_device AS d "		\
	"(account_id, device, told) SELECT id, "			\
	"device_of(" network "::inet, " agent "::text), "		\
	"device_seen(id, " address "::inet, " network "::inet, "	\
	agent "::text) FROM " from " "					\
	"ON CONFLICT (account_id, device) DO UPDATE SET last_at = now(), " \
	"told = coalesce(excluded.told, d.told)), "			\
	"session_browser AS (INSERT INTO known_browser AS b "		\
	"(id_hash, account_id) SELECT " browser "::bytea, id FROM " from " " \
	"WHERE " browser "::bytea IS NOT NULL "			\
	"ON CONFLICT (account_id, id_hash) DO UPDATE SET last_at = now())"
/* The six parameters, in the macro's order. */
#define SESSION_ARGS(db, start)						\
	session_hash((db), (start)->token), (start)->address,		\
	(start)->network, (start)->agent, session_hash((db), (start)->old), \
	session_hash((db), (start)->browser)

/* The SHA-256 of a cookie as a bytea parameter; NULL for NULL. */
const char *session_hash(struct db *, const char *token);

/*
 * Cookies of a session that was just made by accounts/ with SESSION_SQL: its
 * own and the browser's are set, and the pre-session's ended.
 */
void	session_set_cookies(struct req *, const struct session_start *);
/* A living session has a new token. */
void	session_set_cookie(struct req *, const char *token);
void	session_set_browser(struct req *, const char *browser);
void	session_end_cookie(struct req *);
/* A new cookie for a browser that has none, else the one that it has. */
const char *session_browser(struct req *);
/* "" for the session's, or a word for another cookie of ours. */
const char *session_cookie_name(struct req *, const char *word);

/* ---- the database ---- */

/* NULL: no such session, or ended, idle, or its account is not active. */
WAITS MUST_CHECK struct session *session_db_find(struct db *,
	    const char *token);
/*
 * Rows that a page read for the session's account, kept for as long as nothing
 * of what it shows changes (session_kept.h).  NULL: none are kept; they live
 * as long as the request.
 */
const struct db_rows *session_kept(const struct session *);
void		 session_keep(const struct session *, const struct db_rows *);
/* Ends one session. */
WAITS void session_db_end(struct db *, const char *token);
/* Writes that these sessions (hashes in hexadecimal) were used just now. */
WAITS void session_db_touch(struct db *, const char *const *hashes, size_t n);

/*
 * Last use is written behind the answers: session_admit() notes the session,
 * and session_tick(), called twice a second from the event loop, writes all
 * noted ones with one statement of its own.  A failure is logged and hurts
 * nobody.
 */
#define SESSION_TOUCHES_MAX	512u	/* noted at once; more wait for their
					 * next request */
void	session_touch(const char *token);
void	session_tick(void);

/* ---- rules ---- */

enum session_right { SESSION_MAY, SESSION_MAY_NOT, SESSION_SIGN_IN,
	SESSION_SIGN_IN_AGAIN, SESSION_SET_UP };
/* What a guard says to a session (NULL: anonymous). */
enum session_right session_right(const struct session *, unsigned guard);

/*
 * Where to go on: the path, with what a Location must not hold encoded, if it
 * is one of our own: it begins with a single "/", holds no backslash and no
 * control character, and has at most SESSION_NEXT_MAX bytes.  Else NULL.
 */
const char *session_next(struct arena *, const char *typed);
/* The part behind the origin of a Referer, if it is ours and passes
 * session_next(); else NULL. */
const char *session_referer(struct arena *, const char *referer,
	    const char *origin);

/* The client's network as text, for throttles: IPv4 address, IPv6 /64, "::"
 * for a client without an address. */
const char *session_network(struct req *);

/* Where a try comes from. */
struct visitor {
	const char	*network;
	const char	*browser;	/* its cookie, NULL: none */
};
struct visitor session_visitor(struct req *);

#endif
