/*
 * Handlers of accounts, for the route table.
 */
#ifndef ACCOUNTS_ACCOUNT_PAGES_H
#define ACCOUNTS_ACCOUNT_PAGES_H

#include "sessions/session.h"
#include "web/req.h"

/* signup_pages.c */
WAITS void	signup_page(struct req *);		/* GET /signup */
WAITS void	signup_page_ask(struct req *);		/* POST */
WAITS void	signup_page_sent(struct req *);		/* GET /signup/sent */
WAITS void	signup_page_resend(struct req *);	/* POST /verify/resend */
WAITS void	signup_page_verify(struct req *);	/* GET /verify/:token */
WAITS void	signup_page_create(struct req *);	/* POST */

/* signin_pages.c */
WAITS void	signin_page(struct req *);		/* GET /signin */
WAITS void	signin_page_enter(struct req *);	/* POST */
WAITS void	signin_page_leave(struct req *);	/* POST /signout */

/* again_pages.c */
WAITS void	signin_page_again(struct req *);	/* GET /signin/again */
WAITS void	signin_page_again_enter(struct req *);	/* POST */
/* For session_again, sessions/session.h. */
WAITS enum session_again again_page_carry_on(struct req *);

/* second_pages.c: after the password, the second factor. */
WAITS void	second_page(struct req *);		/* GET /signin/second */
WAITS void	second_page_enter(struct req *);	/* POST */

struct credential;
/* Answers 303 to that page after the right password; false when the account
 * or its password changed meanwhile.  new_hash and next may be NULL. */
WAITS MUST_CHECK bool second_begin(struct req *, const struct credential *,
		    const char *new_hash, const char *next);

/* factor_pages.c */
WAITS void	factor_page(struct req *);	/* GET /account/two-factor */
WAITS void	factor_page_set_up(struct req *);	/* GET .../set-up */
WAITS void	factor_page_turn_on(struct req *);	/* POST .../set-up */
WAITS void	factor_page_remove(struct req *);	/* POST .../remove */
struct recovery_codes;
/* Shows new codes, once. */
void		factor_codes_page(struct req *, const struct recovery_codes *,
		    bool is_set_up);
WAITS void	factor_page_recovery(struct req *);	/* POST
							 * .../recovery-codes */

/* account_pages.c */
WAITS void	account_page(struct req *);		/* GET /account */

/* What was just done, by the query's "done" as a redirection sets it: "done"
 * in the view, with a title and a text, or "" for a word that it does not
 * know. */
void		account_page_done(struct req *, struct view *);
struct tries;
/* tries_db_begin(); false when it has answered 429. */
WAITS MUST_CHECK bool account_page_try(struct req *, const struct tries *,
		    const char *what);
/* Answers 429: too many of `what` ("sign-ins"), go on in so many seconds. */
void		account_page_wait(struct req *, const char *what,
		    int64_t wait_s);

#endif
