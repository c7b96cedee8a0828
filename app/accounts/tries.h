/*
 * Tries at a password or a code (ASVS 6.3.1).  A try counts before it is looked
 * at, in the database, so for all workers and beyond their end, and is given
 * back when it was right: several at once can't slip past.
 *
 * It counts in one or two lanes.  After its first failures a lane is closed for
 * 1, 2, 4, 8 ... seconds, at most TRY_CLOSED_MAX_S, and forgets one failure in
 * that time; so it never lets more than 96 a day through.  A right password
 * that comes meanwhile is not looked at.
 *
 * No stranger holds anybody up by that: a browser that somebody has signed in
 * with, or has chosen a new password with by a link of the mailbox, has a lane
 * of its own for that account.  All others share one for each account and one
 * for each network.
 */
#ifndef ACCOUNTS_TRIES_H
#define ACCOUNTS_TRIES_H

#include "db/db.h"

#define TRY_CLOSED_MAX_S	900	/* as in the migration "tries" */
/*
 * Let through before a lane closes.  A password withstands 10^8 guesses, of
 * which an account's lane takes 35 000 a year.  A one-time code is right with a
 * chance of 3 in 10^6, since three steps are taken: with 96 tries a day, one
 * in 3 500 days for who has the password already.
 */
#define TRIES_BROWSER		5
#define TRIES_ACCOUNT		5
#define TRIES_NETWORK		20	/* an office has many people */

enum try_kind {
	TRY_PASSWORD,
	TRY_CODE,		/* one-time code, by who has the password */
	TRY_RECOVERY_CODE,	/* nobody guesses one, so the account's lane
				 * does not hold them up */
	TRY_LINK_CODE,		/* by who has a link of the mailbox */
};

struct tries {			/* where one counts */
	const char	*lanes[2], *keys[2], *free[2];
	size_t		 n;
};
/* `who` is an account's id, or what stands for it where there is none; browser
 * is the cookie (session_browser()) of one that is known for that account, else
 * NULL. */
struct tries	 tries_of(struct arena *, enum try_kind, const char *who,
		    const char *network, const char *browser);

/* A hash of both, since neither addresses nor cookies stand in tables of
 * failures. */
const char	*tries_key(struct arena *, const char *who,
		    const char *browser);

/* Counts one and returns 0, or the seconds until the next may come. */
WAITS MUST_CHECK int64_t tries_db_begin(struct db *, const struct tries *);
/* It was right: gives it back. */
WAITS void	 tries_db_right(struct db *, const struct tries *);

#endif
