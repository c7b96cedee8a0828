/*
 * Asking for a second factor on a page: what signing in and a fresh sign-in
 * share.  The form has one field, `code`, for a one-time and for a recovery
 * code.
 */
#ifndef ACCOUNTS_SECOND_H
#define ACCOUNTS_SECOND_H

#include "accounts/factor.h"
#include "web/view.h"

struct req;

enum second_result {
	SECOND_RIGHT,		/* and still to be used up: then tries_db_right()
				 * of the proof */
	SECOND_WRONG,		/* the view has the error, the failure counts */
	SECOND_WAIT,		/* and answered: too many failures */
};
/* Holds the form's code against the challenge; has_link: of somebody with a
 * link that was mailed. */
WAITS MUST_CHECK enum second_result second_check(struct req *, struct view *,
		    const struct challenge *, bool has_link,
		    struct proof *ret_proof);
/* Writes a failure down and puts the error into the view; with the proof that
 * a statement found used, NULL for a code that is not right. */
WAITS void	 second_wrong(struct req *, struct view *,
		    const struct challenge *, const struct proof *);

#endif
