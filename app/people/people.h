/*
 * The people of a client: who belongs to it, as what, and how they come and
 * go.  A contact belongs to one client at the most.
 *
 *	owner	invites, changes and removes everybody
 *	manager	invites and removes members
 *	member	may leave
 *
 * A client that has an owner always keeps one: the last can neither leave nor
 * be lowered or removed.  That stands in the statements, which lock the rows of
 * all owners in one order first, so that it also holds for two at once.
 *
 * Whoever is removed loses access with the next request, since each reads the
 * membership.  What they know of keys they still know: owners see which ones
 * were looked at, and when.
 */
#ifndef PEOPLE_PEOPLE_H
#define PEOPLE_PEOPLE_H

#include "mail/address.h"
#include "sessions/session.h"

#define PEOPLE_MAX		200	/* shown of one client */
#define PEOPLE_INVITATIONS_MAX	50	/* open ones, shown */
#define PEOPLE_GONE_DAYS	90	/* who left is shown so long */
#define PEOPLE_GONE_MAX		20
#define PEOPLE_LOOKS_MAX	100	/* looks at keys, shown */
#define INVITATION_DAYS		7

/* ---- rules ---- */

/* False unless it is owner, manager or member. */
MUST_CHECK bool	 people_role_parse(const char *, enum member_role *ret_role);
const char	*people_role_name(enum member_role);	/* "owner" */
/* May somebody with this role invite, or remove, somebody with that one. */
bool		 people_may_invite(enum member_role who, enum member_role whom);
bool		 people_may_remove(enum member_role who, enum member_role whom);

/* ---- who is there ---- */

struct people_member {
	const char	*account_id, *person, *email;
	enum member_role role;
	int64_t		 joined_at;
	bool		 is_active;	/* the account is not disabled */
	const char	*permits;	/* names of roles, "" for none */
	bool		 makes_keys;	/* for the whole client */
};
struct people_invitation {
	const char	*id, *email, *by;	/* by: name, or "" */
	enum member_role role;
	int64_t		 sent_at, until;
};
struct people_gone {
	const char	*account_id, *person;	/* "" when erased */
	int64_t		 at;
	bool		 left;		/* by themselves */
};
struct people {
	struct people_member *members;		/* owners first */
	int		 members_n;
	struct people_invitation *invitations;	/* open, newest first */
	int		 invitations_n;
	struct people_gone *gone;		/* newest first; owners only */
	int		 gone_n;
};
WAITS struct people people_db_read(struct db *, const char *tenant_id,
		    enum member_role who);

/* When somebody looked at a key of the client. */
struct people_look {
	const char	*subscription, *slot;
	int64_t		 at;
};
struct people_looks {
	const char	*person;	/* "" when erased */
	bool		 is_member;	/* still */
	struct people_look *list;	/* newest first */
	int		 n;
};
/* For an owner: NULL when that account neither is nor was of the client. */
WAITS struct people_looks *people_db_looks(struct db *, const char *tenant_id,
		    const char *account_id);

/* ---- changes: one statement each, which asks for the rights itself ---- */

enum people_result {
	PEOPLE_DONE,
	PEOPLE_NONE,		/* nobody of that id in the client of who asks */
	PEOPLE_MAY_NOT,
	PEOPLE_LAST_OWNER,	/* the client would be without one */
};
/* By an owner.  To the role that they have already: done, and nothing is. */
WAITS MUST_CHECK enum people_result people_db_change(struct db *,
		    const char *who, const char *whom, enum member_role);
/* Removes, or, for oneself, leaves.  An open request of theirs in the name of
 * the client is withdrawn; the owners are told. */
WAITS MUST_CHECK enum people_result people_db_remove(struct db *,
		    const char *who, const char *whom);

/* ---- invitations ---- */

/*
 * A link by mail, for 7 days, once, and for that address alone.  It counts as
 * long as who sent it may still invite somebody of that role.  The answer is
 * the same whether the address has an account or not.
 */
enum invite_result {
	INVITE_SENT,
	INVITE_IS_MEMBER,	/* of this client already */
	INVITE_MAY_NOT,
	INVITE_BUSY,		/* too many in a row */
};
struct invite_answer {
	enum invite_result result;
	int64_t		 wait_s;	/* BUSY */
};
WAITS struct invite_answer invite_db_send(struct db *, const char *who,
		    const struct address *, enum member_role);
/* False: no such open invitation of the client, or no right to. */
WAITS MUST_CHECK bool invite_db_withdraw(struct db *, const char *who,
		    const char *id);

/* What stands behind a link, for who holds it. */
enum invite_state {
	INVITE_NEW,		/* the address has no account: make one */
	INVITE_JOIN,		/* it is who asks, without a client yet */
	INVITE_SIGN_IN,		/* it has an account, and nobody is signed in */
	INVITE_OTHER,		/* signed in is somebody else */
	INVITE_SEATED,		/* it is who asks, and can't: staff, or of a
				 * client already */
};
struct invite {
	enum invite_state state;
	const char	*email, *client, *by;	/* by: name of who invited */
	enum member_role role;
	int64_t		 until;
};
/* account_id NULL: anonymous.  False when the link does not count. */
WAITS MUST_CHECK bool invite_db_find(struct db *, const char *token,
		    const char *account_id, struct invite *ret_invite);
/* Joins with the account that has the address.  False: not any more. */
WAITS MUST_CHECK bool invite_db_join(struct db *, const char *token,
		    const char *account_id);
/* Makes the account, seats it, and begins a session.  False: not any more. */
WAITS MUST_CHECK bool invite_db_create(struct db *, const char *token,
		    const char *name, const char *password_hash,
		    const struct session_start *);

/* ---- pages ---- */

/* The page with a view that may hold errors: forms that stand on it. */
WAITS void	 people_page_show(struct req *, int status, struct view *);
WAITS void	 people_page(struct req *);		/* GET /people */
WAITS void	 people_page_invite(struct req *);	/* POST .../invite */
WAITS void	 people_page_withdraw(struct req *);
				/* POST .../invitations/:id/withdraw */
WAITS void	 people_page_change(struct req *);	/* POST .../:id/role */
WAITS void	 people_page_remove(struct req *);	/* POST .../:id/unseat */
WAITS void	 people_page_leave(struct req *);	/* POST .../leave */
WAITS void	 people_page_looks(struct req *);	/* GET .../:id/keys */
WAITS void	 invite_page(struct req *);		/* GET /invite/:token */
WAITS void	 invite_page_accept(struct req *);	/* POST */

/* Whether a mail domain is on a client's list and nobody else's: one of the
 * rules that let people in. */
#define PEOPLE_LISTED(tenant, domain)					\
    "EXISTS (SELECT FROM tenant_domain td WHERE td.tenant_id = "	\
    tenant " AND td.domain = " domain " AND NOT EXISTS (SELECT FROM "	\
    "public_mail_domain pm WHERE pm.domain = td.domain))"

#endif
