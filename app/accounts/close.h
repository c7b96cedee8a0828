/*
 * The end of an account, and what we know of a person.
 *
 * Closing leaves the client's key as it is.  Name and address go from all side
 * tables with everything that opened the account; the audit keeps ids, which
 * name nobody any more.
 */
#ifndef ACCOUNTS_CLOSE_H
#define ACCOUNTS_CLOSE_H

#include "accounts/account.h"

enum close_result {
	CLOSE_DONE,
	CLOSE_CHANGED,		/* account or password changed meanwhile */
	CLOSE_LAST_OWNER,	/* of a client with a living key */
	CLOSE_LAST_ADMIN,
};
/* After the password was right. */
WAITS MUST_CHECK enum close_result close_db_account(struct db *,
		    const struct credential *);

#define DATA_AUDIT_MAX	5000	/* rows, the newest */

/* What is stored about a person, as JSON: an object with a member for each
 * subject, times as RFC 3339.  No secrets and no hashes of them, and of others
 * only what they did about this person, without names. */
WAITS const char *close_db_data(struct db *, const char *account_id);

#endif
