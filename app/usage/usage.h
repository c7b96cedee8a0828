/*
 * What was called, as people look at it: a client's calls of a span of time, by
 * API user and by what became of them, with what is left of its quotas; and for
 * staff, who calls most, what is refused, and which keys nobody uses.
 *
 * The gateway counts (gateway/meter.h); what is shown here is a second old at
 * most.  All times are UTC.
 */
#ifndef USAGE_USAGE_H
#define USAGE_USAGE_H

#include "db/db.h"

struct req;
struct view;

#define USAGE_BARS_MAX	31
#define USAGE_ROWS	50	/* API users, or clients */
#define USAGE_EXPORT	10000	/* rows */
#define USAGE_UNUSED_DAYS 60

/* 24 hours, 7 days, 30 days, 12 months. */
struct usage_span {
	const char	*word, *label;	/* "30d", "30 days" */
	const char	*step;		/* of a bar: "hour", "day", "month" */
	int		 bars;
};
extern const struct usage_span usage_spans[4];
/* Of a word; 30 days for any other. */
const struct usage_span *usage_span(const char *word);

struct usage_bar {
	int64_t		 at;
	int64_t		 allowed, refused;
};
struct usage_bars {
	struct usage_bar *list;		/* oldest first, without gaps */
	int		 n;
};
struct usage_part {
	const char	*name;		/* of an API user, "" for none; or the
					 * code of what became of the calls */
	int64_t		 allowed, refused;
};
struct usage_parts {
	struct usage_part *list;	/* most calls first */
	int		 n;
};
struct usage_quota {
	const char	*name, *product;
	int64_t		 day, month;		/* 0: no quota */
	int64_t		 day_calls, month_calls;
};
struct usage_quotas {
	struct usage_quota *list;
	int		 n;
};

/* user_id: of this API user of the client's; NULL is of all, and of calls
 * without one. */
WAITS struct usage_bars usage_db_bars(struct db *, const char *tenant_id,
		    const char *user_id, const struct usage_span *);
WAITS struct usage_parts usage_db_users(struct db *, const char *tenant_id,
		    const struct usage_span *);
WAITS struct usage_parts usage_db_outcomes(struct db *, const char *tenant_id,
		    const char *user_id, const struct usage_span *);
/* Of live subscriptions. */
WAITS struct usage_quotas usage_db_quotas(struct db *, const char *tenant_id);
/* Lines of CSV: time,subscription,api_user,outcome,calls. */
WAITS struct buf *usage_db_export(struct db *, const char *tenant_id,
		    const struct usage_span *);

struct usage_client {
	const char	*code, *name, *subscription;	/* the last: an id */
	int64_t		 allowed, refused;
	int64_t		 used_at;	/* 0: never */
};
/* A page of USAGE_ROWS. */
struct usage_clients {
	struct usage_client *list;
	int		 n;
	const char	*next_after;	/* an id, "" at the end */
	int64_t		 next_calls;
};
/* Of the month in UTC, most allowed calls first; goes on behind a row's calls
 * and id, NULL both from the first. */
WAITS struct usage_clients usage_db_top(struct db *, const char *calls,
		    const char *after);
/* Of 30 days. */
WAITS struct usage_parts usage_db_refusals(struct db *);
/* Active subscriptions none of whose keys was used for USAGE_UNUSED_DAYS, in
 * the order in which they were made, behind an id or from the first (NULL).
 * It looks at 2,000 at a time, so a page may have less than USAGE_ROWS and yet
 * a next one. */
WAITS struct usage_clients usage_db_unused(struct db *, const char *after);

/* "rate_limited" in words. */
const char	*usage_words(const char *outcome);

/* Values of the list "spans" and of templates usage/chart, usage/bars and usage/outcomes:
 * the calls of a client, or of one API user, in the span that the address asks
 * for. */
WAITS void	 usage_show(struct req *, struct view *, const char *tenant_id,
		    const char *user_id);

WAITS void	 usage_page(struct req *);		/* GET /usage */
WAITS void	 usage_page_export(struct req *);	/* GET /usage/export */
WAITS void	 usage_page_staff(struct req *);	/* GET /staff/usage */

#endif
