/*
 * Hand-overs: a link for the vendor, without sign-in, for at most 7 days.  It
 * carries the right to make a password once, not a password: its form's POST
 * makes one, stores its HMAC and shows it to whoever holds the link, who is
 * the only one to see it.  GET shows the form alone, since mail scanners
 * follow links.  The token is derived (mail/link.h) under the row's id.
 *
 * A newer link ends the one before.  A link is void while its user is not
 * enabled, and when who made it may no longer look after API users.  The
 * primary key is shown as well only where an owner ticked it, and only as long
 * as that person is an owner.
 */
#ifndef APIUSERS_HAND_OVER_H
#define APIUSERS_HAND_OVER_H

#include "apiusers/apiuser.h"

#define HAND_OVER_DAYS_MAX	7

struct hand_over_form {
	const char	*id;		/* made by the caller */
	int64_t		 days, overlap_s;
	bool		 with_key;	/* by an owner */
	const char	*send_to;	/* mailed by the courier; NULL: shown */
};
/* API_CHANGE_NONE also where with_key is not an owner's to say. */
WAITS MUST_CHECK enum api_change_result hand_over_db_make(struct db *,
		    const char *who, const char *user_id,
		    const struct hand_over_form *, const char *nonce);
/* False: no open link of a user that one may look after. */
WAITS MUST_CHECK bool hand_over_db_withdraw(struct db *, const char *who,
		    const char *user_id);

struct hand_over {
	const char	*user_id, *username, *code, *client;
	const char	*base_url, *example_path;	/* "" without a product */
	bool		 with_key;
	int64_t		 until;
};
/* False for every link that counts no more, whatever the reason. */
WAITS MUST_CHECK bool hand_over_db_find(struct db *, const char *token,
		    struct hand_over *ret_hand_over);

/* What opens the key; NULL without one. */
struct hand_over_key {
	const char	*id;
	const void	*sealed;
	size_t		 bytes;
};
/* Uses the link, once; false when somebody was faster. */
WAITS MUST_CHECK bool hand_over_db_use(struct db *, const char *token,
		    const struct api_password *,
		    struct hand_over_key *ret_key);

WAITS void	 hand_over_page_make(struct req *);	/* POST .../hand-over */
WAITS void	 hand_over_page_staff(struct req *);	/* the same, an admin */
WAITS void	 hand_over_page_withdraw(struct req *);
WAITS void	 hand_over_page_staff_withdraw(struct req *);
WAITS void	 hand_over_page(struct req *);	/* GET /hand-over/:token */
WAITS void	 hand_over_page_use(struct req *);	/* POST */

#endif
