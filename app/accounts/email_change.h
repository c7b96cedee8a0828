/*
 * A new e-mail address (ASVS 6.3.7).  It is confirmed by a link that works
 * once, for 24 hours, the newest only, for whoever is signed in to the
 * account: a mistyped address does not hand the account to a stranger.  The
 * address from before is told then, and can undo it for 7 days by a link of
 * its own, which ends all sessions.
 *
 * Whether an address has an account is not told: the page is the same, and a
 * mail goes to that account in place of the link.
 */
#ifndef ACCOUNTS_EMAIL_CHANGE_H
#define ACCOUNTS_EMAIL_CHANGE_H

#include "accounts/account.h"

#define EMAIL_LINK_S	(24 * 3600)
#define EMAIL_UNDO_S	(7 * 24 * 3600)
#define EMAIL_MAILS	3	/* an hour, of an account and to an address */

/* As signup_db_ask(). */
WAITS struct signup_answer email_change_db_ask(struct db *,
		    const char *account_id, const struct address *,
		    const char *network);

struct email_change {
	const char	*email;		/* to be confirmed, or to go back to */
	const char	*present;	/* what the account has */
};
/* False when the link does not count (any more), or is another account's. */
WAITS MUST_CHECK bool email_change_db_find(struct db *, const char *token,
		    const char *account_id, struct email_change *ret_change);
enum email_result {
	EMAIL_DONE,
	EMAIL_GONE,		/* the link does not count any more */
	EMAIL_TAKEN,		/* the address has another account meanwhile */
};
WAITS MUST_CHECK enum email_result email_change_db_confirm(struct db *,
		    const char *token, const char *account_id);

/* The same for the link that undoes; whoever has it may. */
WAITS MUST_CHECK bool email_change_db_find_undo(struct db *, const char *token,
		    struct email_change *ret_change);
WAITS MUST_CHECK enum email_result email_change_db_undo(struct db *,
		    const char *token);

#endif
