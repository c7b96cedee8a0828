/*
 * The sessions of an account, for its page: where they are, and ending them
 * (ASVS 7.5.2).  Ended means ended in all workers on the next request, since
 * every request reads the row.
 */
#ifndef SESSIONS_SESSION_LIST_H
#define SESSIONS_SESSION_LIST_H

#include "sessions/session.h"

#define SESSION_LIST_MAX	50	/* shown, the last used first */

struct session_row {
	const char	*id;		/* public, not the cookie's hash */
	const char	*agent;		/* User-Agent as sent */
	const char	*address;	/* "" when it is not known */
	int64_t		 created_at, last_used_at;
	bool		 is_mine;	/* of the cookie */
};
struct session_list {
	struct session_row *list;
	int		 n;
};

/* Of those that still live. */
WAITS struct session_list session_db_list(struct db *, const char *account_id,
		    const char *cookie);
enum session_ended { SESSION_ENDED_NONE, SESSION_ENDED_OTHER,
	SESSION_ENDED_MINE };
/* Ends one by its id, if it is the account's. */
WAITS MUST_CHECK enum session_ended session_db_end_one(struct db *,
		    const char *account_id, const char *id,
		    const char *cookie);
/* Ends all but that of the cookie; how many. */
WAITS int64_t	 session_db_end_others(struct db *, const char *account_id,
		    const char *cookie);

/* Handlers, for the route table. */
WAITS void	session_page_list(struct req *);	/* GET /account/sessions */
WAITS void	session_page_end(struct req *);	/* POST .../:id/end */
WAITS void	session_page_end_others(struct req *);	/* POST .../end */

#endif
