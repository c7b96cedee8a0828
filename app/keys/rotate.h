/*
 * Rotating keys: a manager or owner regenerates one of the two, and says how
 * long the old value goes on beside the new one, not at all unless asked for.
 * The other key is untouched.  A slot has at most one old value: who
 * regenerates again ends the one before.  An overlap can be ended at any time,
 * and never becomes longer.  An old value counts until its time by the clock;
 * the courier writes down that it has ended (jobs/).
 *
 * Staff revoke a value, with a reason: a current one is regenerated, and only
 * the client sees the new one; an old one ends.
 *
 * Of two who regenerate at once, one does: each names the value that it
 * replaces.  All contacts are told by mail.
 */
#ifndef KEYS_ROTATE_H
#define KEYS_ROTATE_H

#include "keys/key.h"
#include "subscriptions/change.h"

#define KEY_OVERLAP_MAX_S	(30 * 24 * 3600)	/* of a time that is typed */
#define KEY_LOOKS_MAX		50			/* shown */

enum rotate_result {
	ROTATE_DONE,
	ROTATE_NONE,		/* no such key for this account */
	ROTATE_AGAIN,		/* the nonce was used before: nothing done */
	ROTATE_LATE,		/* another value is current by now */
};

/* Seconds of a typed overlap: "" and "0" are none, a number is seconds, and
 * "until" is a time in UTC, typed as "2026-11-22T14:05".  NULL, or a sentence
 * that says what is wrong. */
const char	*rotate_overlap_wrong(const char *overlap, const char *until,
		    int64_t now, int64_t *ret_seconds);

/* What a Regenerate form replaces; goes into its nonce as the slot. */
const char	*rotate_context(struct arena *, const char *slot,
		    const char *key_id);

/* Replaces the value key_id, with the new one in ret_revealed when done. */
WAITS MUST_CHECK enum rotate_result rotate_db_regenerate(struct db *,
		    const struct keyring *, const char *who,
		    const char *subscription_id, const char *slot,
		    const char *key_id, int64_t overlap_s, const char *nonce,
		    struct key_revealed *ret_revealed);
/* By a manager or owner.  LATE: it has ended by now. */
WAITS MUST_CHECK enum rotate_result rotate_db_end(struct db *,
		    const char *who, const char *subscription_id,
		    const char *key_id);
/* By staff, or, with who NULL, an operator.  NONE: no such value, or it has
 * ended.  The overlap is that of a current value. */
WAITS MUST_CHECK enum rotate_result rotate_db_revoke(struct db *,
		    const struct keyring *, const char *who,
		    const char *key_id, int64_t overlap_s,
		    const char *reason);

/* Who looked at a subscription's keys, newest first. */
struct key_look {
	const char	*person, *slot;	/* person "" when erased */
	int64_t		 at;
};
struct key_looks {
	struct key_look	*list;
	int		 n;
};
WAITS struct key_looks rotate_db_looks(struct db *,
		    const char *subscription_id);

/* What the keys' page says of calls. */
struct key_try {
	const char	*base_url, *example_path;
	bool		 needs_api_user;
};
WAITS struct key_try rotate_db_try(struct db *, const char *subscription_id);

/* GET /subscriptions/:id: the page of a subscription's keys, for contacts. */
WAITS void	 rotate_page(struct req *);
/* POST /subscriptions/:id/keys/primary/regenerate and .../secondary/... */
WAITS void	 rotate_page_primary(struct req *);
WAITS void	 rotate_page_secondary(struct req *);
/* POST /subscriptions/:id/keys/end */
WAITS void	 rotate_page_end(struct req *);
/* POST /staff/subscriptions/:id/revoke */
WAITS void	 rotate_page_revoke(struct req *);

/* The page that shows a key, of keys/key_pages.c. */
WAITS void	 key_page_shown(struct req *, const char *subscription_id,
		    const struct key_revealed *, bool is_new,
		    int64_t old_until);

#endif
