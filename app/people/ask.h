/*
 * A contact without a client asks to join one: a name that was typed, which
 * becomes a note for staff.  The answer is the same whether there is such a
 * client or not, so nobody learns by it who is one.  Staff see who that may be:
 * they ask an owner to invite the contact, or let the contact in by the same
 * rule as a request's (requests/request.h).
 */
#ifndef PEOPLE_ASK_H
#define PEOPLE_ASK_H

#include "db/db.h"

struct req;

#define ASKS_MAX	100	/* the oldest are shown */

struct ask {
	const char	*id, *person, *email, *client;
	const char	*tenant_code, *tenant_name;	/* that it may be; "" */
	bool		 has_domain;	/* the address is on that one's list */
	/* What that one's owners said of a request of the contact: "yes",
	 * "no", "asked" or ""; and that request. */
	const char	*consent, *request_id;
	int64_t		 at;
};
struct asks {
	struct ask	*list;		/* oldest first */
	int		 n;
	int64_t		 total;
};

/* One is open an account: a second one takes its place.  Nothing is asked for
 * somebody who has a client. */
WAITS void	 ask_db_make(struct db *, const char *account_id,
		    const char *client);
/* What is open of this account: the client's name, or NULL. */
WAITS const char *ask_db_open(struct db *, const char *account_id);
WAITS struct asks ask_db_list(struct db *);
/* False: no such open one. */
WAITS MUST_CHECK bool ask_db_end(struct db *, const char *staff_id,
		    const char *id);

enum ask_result {
	ASK_DONE,
	ASK_NONE,		/* no such open one, or who asked has a client */
	ASK_RULE,		/* no such client, or neither its mail domain,
				 * an owner nor a reason lets this contact in */
};
/* Lets the contact in: as a member, or as owner where nobody is there.  The
 * mail domain must be on the client's list, or an owner have agreed when staff
 * asked because of a request, or reason says why (not ""). */
WAITS MUST_CHECK enum ask_result ask_db_share(struct db *,
		    const char *staff_id, const char *id,
		    const char *tenant_code, const char *reason);

#define ASK_REASON_MAX	1000	/* characters */

/* POST /staff/asks/:id/share, fields tenant and reason */
WAITS void	 ask_page_share(struct req *);
WAITS void	 ask_page_make(struct req *);	/* POST /people/ask */
WAITS void	 ask_page_list(struct req *);	/* GET /staff/asks */
WAITS void	 ask_page_end(struct req *);	/* POST /staff/asks/:id/end */

#endif
