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

enum account_kind { ACCOUNT_CONTACT, ACCOUNT_STAFF, ACCOUNT_ADMIN };
enum member_role { MEMBER_NONE, MEMBER_MEMBER, MEMBER_MANAGER, MEMBER_OWNER };

/* Who asks: the session's row with its account, person and membership. */
struct session {
	const char	*account_id;
	enum account_kind kind;
	const char	*name, *email, *email_domain, *client;
	const char	*tenant_id;		/* NULL: no tenant yet */
	const char	*tenant_code, *tenant_name;
	enum member_role role;
	int64_t		 fresh_at;		/* microseconds */
	bool		 fresh;			/* within SESSION_FRESH_S */
	const char	*cookie;		/* the token itself */
};

/*
 * The router's guard: reads the session of a request (unless the guard has
 * NODB) and answers what the guard refuses: 303 to /signin?next= for the
 * anonymous, 404 without the right, a fresh sign-in where it is FRESH.  False
 * when it has answered.
 */
WAITS MUST_CHECK bool session_admit(struct req *, unsigned guard);

/* Makes sure that rq->csrf_base is set: the session's cookie or that of a
 * pre-session, which is made when there is none. */
void	session_csrf_base(struct req *);

/*
 * Cookies of a session that was just made by accounts/ with session_sql():
 * the new cookie is set and the pre-session's ended.
 */
void	session_set_cookie(struct req *, const char *token);
void	session_end_cookie(struct req *);

/* Ends the session of this request. */
WAITS void session_db_end(struct db *, const char *token);

/* The client's network as text, for throttles: IPv4 address, IPv6 /64. */
const char *session_network(struct req *);

#endif
