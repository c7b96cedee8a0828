/*
 * How many calls may pass: rates and quotas, counted in memory that all
 * workers share, made before they fork; or by Redis, for all portals.
 *
 * A rate is GCRA (the leaky bucket as a meter, ITU-T I.371): a window is one
 * 64-bit time, the one at which its bucket will be empty again, and a call
 * moves it by window / quota.  So `quota` calls may come at once, and then one
 * for each that has leaked.  A quota is a count of a day or a month of the
 * calendar, UTC.
 *
 * A call passes by all of its windows or is counted by none.  It looks at all
 * first, then takes one after the other, each by compare-and-swap, and gives
 * back what it took where one was full by then.  So never more pass than may;
 * and one may be refused although it would have fitted only while another that
 * is being refused at the same moment holds its place: at most one a worker.
 *
 * The table has a fixed size.  A place is found by the last 8 bytes of an id
 * (62 random bits of a UUIDv7).  Where all eight places of a bucket are taken,
 * goes the one that is empty for longest, or emptiest: it forgets at most one
 * window's calls, is counted, and never denies a call.  Rates begin anew when
 * the portal starts; quotas are read from the database (limit_load()).
 */
#ifndef GATEWAY_LIMIT_H
#define GATEWAY_LIMIT_H

#include "base/base.h"

#define LIMIT_ID	16u	/* bytes of a UUID */
#define LIMIT_ROWS	8u
#define LIMIT_PLACES	8u	/* of a bucket */
#define LIMIT_ADDRESSES	16384u	/* 640 kB */

/* Calls; 0: no limit. */
struct plan {
	/* of a subscription; day and month are quotas */
	uint32_t	 second, minute, day, month;
	uint32_t	 user_minute;		/* of each API user */
	uint32_t	 key_minute;		/* of each issued key */
	uint32_t	 tenant_minute, tenant_day; /* of all keys, rates */
};

struct limit_ids {
	const unsigned char	*subscription, *tenant;
	const unsigned char	*user;		/* NULL: none */
	const unsigned char	*key;		/* issued; NULL: none */
};

enum limit_verdict {
	LIMIT_PASSED,
	LIMIT_RATE,
	LIMIT_QUOTA,
	LIMIT_UNKNOWN,	/* the quota's count is to be loaded first */
};

/*
 * Counted elsewhere: what is asked of whoever counts for several portals
 * (gateway/redis.h), and what was answered.  Decision and arithmetic are the
 * same, but the clock is theirs.
 */
enum limit_kind { LIMIT_WINDOW, LIMIT_DAY, LIMIT_MONTH };
struct limit_ask {
	struct limit_want {
		const char	*name;
		enum limit_kind	 kind;
		uint32_t	 quota, window_s;	/* of a rate */
		unsigned char	 id[LIMIT_ID];
		/* A rate: nanoseconds that a call takes of it.  A quota: what
		 * is known of it here, and of which day or month. */
		int64_t		 step;
		uint64_t	 period, known;
		unsigned	 slot;
	}		 list[LIMIT_ROWS];
	unsigned	 n;
};
struct limit_answer {
	int64_t		 now;		/* microseconds, their wall clock */
	uint32_t	 full;		/* a bit for each that refused */
	/* Of each, after the call: nanoseconds until a rate is empty, calls of a
	 * quota. */
	int64_t		 is[LIMIT_ROWS];
};

/* What is said of a limit (draft-ietf-httpapi-ratelimit-headers-11). */
struct limit_row {
	const char	*name;		/* "minute", "client-day" */
	uint32_t	 quota, window_s;
	uint32_t	 left;
	/* Seconds until it is whole again; with nothing left, until there is
	 * place for one call. */
	uint32_t	 reset_s;
	bool		 full;		/* it refused */
};
struct limits {
	struct limit_row rows[LIMIT_ROWS];
	unsigned	 n;
	uint32_t	 retry_s;	/* after a refusal, 1 or more */
};

/*
 * Once, before forking.  places: subscriptions, API users and clients that are
 * counted at once, 40 bytes each; rounded up to a power of two.  Aborts
 * without memory.
 */
void	 limit_setup(uint32_t places);
void	 limit_end(void);

/*
 * May the call pass?  Counts it if so.  now: wall clock, monotonic: both in
 * microseconds.  known: a quota whose count was not loaded counts from 0, in
 * place of LIMIT_UNKNOWN.
 */
enum limit_verdict limit_take(const struct plan *, const struct limit_ids *,
	    int64_t now, int64_t monotonic, bool known,
	    struct limits *ret_limits);
/*
 * The same call, asked of others: what is to be asked, n 0: nothing.
 * LIMIT_UNKNOWN as above, else LIMIT_PASSED.  And what they said: the verdict,
 * which is also kept here, so that they can be done without from one call to
 * the next.
 */
enum limit_verdict limit_prepare(const struct plan *,
	    const struct limit_ids *, int64_t now, int64_t monotonic,
	    bool known, struct limit_ask *ret_ask);
enum limit_verdict limit_told(const struct limit_ask *,
	    const struct limit_answer *, int64_t monotonic,
	    struct limits *ret_limits);
/*
 * What one of so many portals may let pass by itself: that part of each rate,
 * but one call at least.  Quotas stay whole: all portals hear each second from
 * the database what was called (limit_raise()).
 */
struct plan limit_share(const struct plan *, uint32_t portals);

/* What the database has counted of a day and a month (limit_day() and
 * limit_month(), 0: of none); the latest period and its largest count hold. */
struct limit_counts {
	int64_t		 day, month;
	uint64_t	 day_calls, month_calls;
};
void	 limit_load(const unsigned char subscription[LIMIT_ID],
	    const struct limit_counts *);
/* The same, of one that is counted here; another isn't begun with. */
void	 limit_raise(const unsigned char subscription[LIMIT_ID],
	    const struct limit_counts *);

/*
 * A wrong key or API user from an address, or a network of an IPv6 one.
 * False: that was more than a_minute; ret_retry_s until the next.
 */
bool	 limit_failure(const unsigned char network[LIMIT_ID],
	    uint32_t a_minute, int64_t monotonic, uint32_t *ret_retry_s);

/* Places that were taken from another before it was empty, since the start. */
uint64_t limit_pushed_out(void);

/* Days since 1970, and months, of an instant. */
int64_t	 limit_day(int64_t now);
int64_t	 limit_month(int64_t now);

#endif
