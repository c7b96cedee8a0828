/*
 * What becomes of a subscription: staff suspend and reactivate it, set, change
 * and take away its expiry, and cancel it, each with a reason; an owner may
 * cancel it.  The courier ends it when its time comes, and reminds 30, 14, 7
 * and 1 days before (jobs/).  All contacts of the client are told by mail, with
 * the reason in it.
 *
 * A subscription whose time has come counts as expired by the clock, before
 * the courier has written it down.
 */
#ifndef SUBSCRIPTIONS_CHANGE_H
#define SUBSCRIPTIONS_CHANGE_H

#include "db/db.h"

struct req;
struct view;

#define SUBSCRIPTION_REASON_MAX	1000	/* characters */
#define SUBSCRIPTION_PAGE_ROWS	50
#define SUBSCRIPTION_CHANGES_MAX 100	/* shown */
#define SUBSCRIPTION_EXPIRY_MAX_DAYS 3660	/* ten years ahead */

struct subscription {
	const char	*id, *name, *product, *environment;
	const char	*tenant_id, *tenant_code, *tenant_name;
	const char	*state;		/* by the clock */
	const char	*approved_by;	/* "" when it was imported */
	const char	*last4s;	/* "9f3c and c07e"; "" without a pair */
	const char	*product_id, *profile;
	bool		 is_pair;	/* else keys are issued (key_profile) */
	int64_t		 created_at;
	int64_t		 expires_at, ended_at;	/* 0: never, not yet */
	bool		 is_live;	/* active or suspended */
};

/* A value of a key: the current one of a slot, or an old one that still
 * works. */
struct subscription_value {
	const char	*id, *slot, *last4;
	bool		 is_old;
	int64_t		 made_at, ends_at;	/* 0: does not end */
	const char	*made_by;	/* "" when it was imported */
	int64_t		 used_at;	/* 0: not known */
	const char	*used_address;	/* "" */
};
struct subscription_values {
	struct subscription_value *list;	/* primary first, old last */
	int		 n;
};

/* What was done, newest first. */
struct subscription_change {
	const char	*what;		/* "suspended", "key_regenerated" */
	const char	*by;		/* name; "" for nobody */
	const char	*slot, *reason;	/* "" */
	int64_t		 at, expires_at;
};
struct subscription_changes {
	struct subscription_change *list;
	int		 n;
};

enum subscription_filter {
	SUBSCRIPTION_ALL,
	SUBSCRIPTION_ACTIVE,
	SUBSCRIPTION_SUSPENDED,
	SUBSCRIPTION_ENDING,	/* live, with an expiry; soonest first */
	SUBSCRIPTION_EXPIRED,
	SUBSCRIPTION_CANCELLED,
};
struct subscription_list {
	struct subscription *list;
	int		 n;
	const char	*next_after;	/* "" at the end */
};

/* NULL: no such subscription. */
WAITS struct subscription *subscription_db_find(struct db *, const char *id);
WAITS struct subscription_values subscription_db_values(struct db *,
		    const char *id);
WAITS struct subscription_changes subscription_db_changes(struct db *,
		    const char *id);
/* Newest first, or by their end; after is next_after of the page before, or
 * "". */
WAITS struct subscription_list subscription_db_list(struct db *,
		    enum subscription_filter, const char *after);

/* The same of one client, newest first. */
WAITS struct subscription_list subscription_db_of_tenant(struct db *,
		    const char *tenant_id, const char *after);

/* ---- changes: one statement each --------------------------------------- */

enum subscription_result {
	SUBSCRIPTION_DONE,
	SUBSCRIPTION_NOT,	/* it is not, or no more, as it should be */
};
/* By staff; the reason must not be blank. */
WAITS MUST_CHECK enum subscription_result subscription_db_suspend(struct db *,
		    const char *who, const char *id, const char *reason);
WAITS MUST_CHECK enum subscription_result subscription_db_reactivate(
		    struct db *, const char *who, const char *id,
		    const char *reason);
WAITS MUST_CHECK enum subscription_result subscription_db_cancel(struct db *,
		    const char *who, const char *id, const char *reason);
/* From `was` to `expires_at`, 0 being no expiry, which lies ahead. */
WAITS MUST_CHECK enum subscription_result subscription_db_set_expiry(
		    struct db *, const char *who, const char *id,
		    const char *reason, int64_t was, int64_t expires_at);
/* By an owner of the client, who typed the name; the reason may be "". */
WAITS MUST_CHECK enum subscription_result subscription_db_give_up(struct db *,
		    const char *who, const char *id, const char *typed_name,
		    const char *reason);

/* ---- pages -------------------------------------------------------------- */

/* The last moment of a typed day, "2026-11-22": midnight after it.  NULL, or a
 * sentence that says what is wrong. */
const char	*subscription_day_wrong(const char *typed, int64_t now,
		    int64_t *ret_expires_at);
/* "suspended it", "regenerated the primary key". */
const char	*subscription_did(struct arena *,
		    const struct subscription_change *);
/* Fills the lists "values" and "changes". */
void		 subscription_view_values(struct req *, struct view *,
		    const struct subscription_values *);
void		 subscription_view_changes(struct req *, struct view *,
		    const struct subscription_changes *);

/* The page of staff with a view that may hold errors of its forms. */
WAITS void	 subscription_page_staff(struct req *, int status,
		    struct view *);
/* GET /staff/subscriptions, GET /staff/subscriptions/:id, and its forms */
WAITS void	 subscription_page_list(struct req *);
WAITS void	 subscription_page_show(struct req *);
WAITS void	 subscription_page_suspend(struct req *);
WAITS void	 subscription_page_reactivate(struct req *);
WAITS void	 subscription_page_cancel(struct req *);
WAITS void	 subscription_page_expiry(struct req *);
/* GET and POST /subscriptions/:id/cancel, for owners */
WAITS void	 subscription_page_give_up(struct req *);
WAITS void	 subscription_page_give_up_done(struct req *);

#endif
