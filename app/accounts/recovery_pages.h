/*
 * Handlers of forgotten and of changed passwords, for the route table.
 */
#ifndef ACCOUNTS_RECOVERY_PAGES_H
#define ACCOUNTS_RECOVERY_PAGES_H

#include "accounts/second.h"
#include "web/req.h"

/* recovery_pages.c */
WAITS void	recovery_page(struct req *);		/* GET /forgot */
WAITS void	recovery_page_ask(struct req *);	/* POST */
WAITS void	recovery_page_sent(struct req *);	/* GET /forgot/sent */
WAITS void	recovery_page_form(struct req *);	/* GET /reset/:token */
WAITS void	recovery_page_reset(struct req *);	/* POST */

/* password_pages.c */
WAITS void	password_page(struct req *);		/* GET /account/password */
WAITS void	password_page_change(struct req *);	/* POST */
WAITS void	password_page_well_known(struct req *);
struct password_job;
/* Judges and hashes a password that is chosen: for work_run(), with what
 * belongs to the person and to the portal among the words that it must not be
 * made of. */
WAITS struct password_job *password_page_job(struct req *, const char *wanted,
		    const char *name, const char *email, const char *client);

/* second_pages.c.  Whether a reset asks for a second factor, also as
 * "asks_factor" in the view; and whether the field "code" has one, which is
 * used up then. */
WAITS bool	recovery_page_asks(struct req *, struct view *,
		    const char *account_id);
WAITS MUST_CHECK enum second_result recovery_page_factor(struct req *,
		    struct view *, const char *account_id);

#endif
