/*
 * The contact's profile: requests and where they stand, subscriptions and
 * their keys, masked.  It is the page that people open most, so all of it
 * comes in one statement of index look-ups.
 */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include "sessions/session.h"

struct req;

#define PROFILE_REQUESTS_MAX		10	/* the newest of the contact */
#define PROFILE_DECIDED_DAYS		30	/* shown after the answer */
#define PROFILE_SUBSCRIPTIONS_MAX	20

enum profile_kind { PROFILE_SUBSCRIPTION, PROFILE_REQUEST };

/* A row of either kind. */
struct profile_row {
	enum profile_kind kind;
	const char	*id, *name, *product, *product_slug, *state;
	const char	*by;		/* who approved or decided, "" for none */
	int64_t		 at;		/* made; sent */
	/* Subscriptions.  A key's last4 is NULL when it has none. */
	/* As they hold for this client; 0: none. */
	int64_t		 calls_a_minute, calls_a_day, user_calls_a_minute;
	const char	*primary_last4, *secondary_last4;
	int64_t		 primary_at, secondary_at;
	bool		 is_pair;	/* else keys are issued, */
	const char	*menu;		/* under "Settings → Developer" */
	const char	*environment;
	int64_t		 expires_at, ended_at;	/* 0: no end, not yet */
	const char	*why;		/* it was suspended or cancelled */
	int64_t		 why_at;	/* 0: nobody did */
	/* Requests. */
	int64_t		 due_at, decided_at;	/* decided_at 0: not yet */
	const char	*reason;
	bool		 is_own;	/* the contact's, not a colleague's */
	bool		 waits_on_contact;	/* staff asked back */
};

struct profile {
	struct profile_row *list;
	int		 n;
};

/* Subscriptions of the tenant, if there is one, then the open request of a
 * colleague, then the contact's own: open, or answered lately; newest first. */
WAITS struct profile profile_db_read(struct db *, const struct session *);

WAITS void	 profile_page(struct req *);		/* GET /profile */

#endif
