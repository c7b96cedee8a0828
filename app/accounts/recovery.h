/*
 * Passwords that were forgotten, and passwords that are changed (ASVS 6.2.3,
 * 6.4).  Whoever asks gets the same answer for every address; a mail goes to
 * those with an account.  Its link works once, for 30 minutes, and only the
 * newest one does; a password that was changed meanwhile ends it, too.  Mails
 * to an address go ever more slowly (RECOVERY_EVERY_MAX_S), and always within
 * the life of the link before: who asks in another's name locks nobody out.
 *
 * A new password ends all sessions and is told to the address by mail.
 */
#ifndef ACCOUNTS_RECOVERY_H
#define ACCOUNTS_RECOVERY_H

#include "accounts/account.h"

#define RECOVERY_LINK_S		(30 * 60)
#define RECOVERY_MAILS		3	/* at once */
#define RECOVERY_EVERY_MAX_S	(20 * 60)	/* then 1, 2, 4 ... minutes */

/* As signup_db_ask(): SIGNUP_QUEUED also where no mail is due. */
WAITS struct signup_answer recovery_db_ask(struct db *, const struct address *,
		    const char *network);

struct recovery {		/* behind a link */
	const char	*account_id;
	const char	*email, *name, *client;	/* client: company or "" */
};
/* False when the link does not count (any more), for whatever reason. */
WAITS MUST_CHECK bool recovery_db_find(struct db *, const char *token,
		    struct recovery *ret_recovery);
/* Uses the link: the account has this password and no session any more, and
 * of all browsers knows this one alone.  False when the link does not count any
 * more: somebody was faster. */
WAITS MUST_CHECK bool recovery_db_reset(struct db *, const char *token,
		    const char *password_hash, const char *browser);

/*
 * Changes the password of somebody signed in whose present one was right.  The
 * session `cookie` goes on as `token`, all others end.  False when the
 * password or the session changed meanwhile.
 */
WAITS MUST_CHECK bool password_db_change(struct db *, const struct credential *,
		    const char *new_hash, const char *cookie,
		    const char *token);

/* The names of all products that people see, in one text. */
WAITS const char *password_db_products(struct db *);

/* ---- work for a thread (run/work.h), which sees nothing but the job ---- */

struct password_job {
	struct secret		 present;	/* compared if it has bytes */
	const char		*present_hash;
	struct secret		 wanted;	/* judged and hashed if it has
						 * bytes, and present is right */
	const char		*own_words[6];	/* as password_judge() */
	/* What came out. */
	bool			 is_right;	/* present, or none was given */
	enum password_verdict	 verdict;
	bool			 done;		/* hash is there */
	char			 hash[PASSWORD_HASH_BYTES];
};
void	password_job_run(void *job);

#endif
