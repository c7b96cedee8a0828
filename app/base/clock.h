/*
 * Time.  An instant is microseconds since 1970 UTC in an int64_t, as in the
 * database; the program's own waits are measured on the monotonic clock.
 * People read absolute times with the zone, always UTC, in English.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/arena.h"

#define SECOND_US	INT64_C(1000000)
#define MINUTE_US	(60 * SECOND_US)
#define HOUR_US		(60 * MINUTE_US)
#define DAY_US		(24 * HOUR_US)

int64_t	 clock_now(void);		/* wall clock, microseconds */
int64_t	 clock_monotonic(void);		/* never goes back, microseconds */

/* "2026-11-22T14:05:00Z", for <time datetime> and JSON. */
char	*clock_iso(struct arena *, int64_t at);
/* "2026-11-22T14:05:00.000000Z", for the log.. */
#define CLOCK_STAMP	64
void	 clock_stamp(char ret_stamp[CLOCK_STAMP], int64_t at);
/* "22 November 2026, 14:05 UTC" */
char	*clock_long(struct arena *, int64_t at);
/* "Sunday 22 November, 14:05 UTC" */
char	*clock_day(struct arena *, int64_t at);
/* "22 November 2026" */
char	*clock_date(struct arena *, int64_t at);
/* "19 hours ago", "2 minutes ago", "just now"; whole units, rounded down. */
char	*clock_ago(struct arena *, int64_t at, int64_t now);
/* "29 hours", "1 hour", "40 minutes", "5 seconds", "3 days" (from 72 hours
 * on): a length of time, rounded down, never negative. */
char	*clock_span(struct arena *, int64_t length_us);
/* The time left until an instant, for these words: from one hour on rounded
 * to the nearest hour, so that 48 hours are 48 when they have just begun.
 * Negative when it has passed. */
int64_t	 clock_left(int64_t until, int64_t now);
/*
 * An instant that was typed, in UTC: "2026-11-22", its midnight, or
 * "2026-11-22T14:05", as <input type="date"> and "datetime-local" send them.
 * False for anything else, also for days that no calendar has.
 */
MUST_CHECK bool	 clock_parse(const char *, int64_t *ret_at);
/* "2026-11-22" and "2026-11-22T14:05", for the same inputs. */
char	*clock_input_date(struct arena *, int64_t at);
char	*clock_input_time(struct arena *, int64_t at);
/* RFC 5322 date: "Sun, 22 Nov 2026 14:05:00 +0000". */
char	*clock_mail(struct arena *, int64_t at);
/* RFC 9110 date: "Sun, 22 Nov 2026 14:05:00 GMT". */
char	*clock_http(struct arena *, int64_t at);

#endif
