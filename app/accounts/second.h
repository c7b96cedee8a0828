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
	SECOND_RIGHT,		/* and still to be used up */
	SECOND_WRONG,		/* the view has the error, the failure counts */
	SECOND_WAIT,		/* too many failures: ret_wait_s */
};
/* Holds the form's code against the challenge. */
WAITS MUST_CHECK enum second_result second_check(struct req *, struct view *,
		    const struct challenge *, struct proof *ret_proof,
		    int64_t *ret_wait_s);
/* Counts a failure and puts the error into the view; with the proof that a
 * statement found used, NULL for a code that is not right. */
WAITS void	 second_wrong(struct req *, struct view *,
		    const struct challenge *, const struct proof *);

#endif
