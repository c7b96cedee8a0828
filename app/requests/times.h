/*
 * How long decisions took, by month: without the time that a request waited on
 * its contact.  What was withdrawn was not decided and is not counted.
 */
#ifndef REQUESTS_TIMES_H
#define REQUESTS_TIMES_H

#include "db/db.h"

struct req;

#define TIMES_MONTHS	12	/* this one and those before */

struct times_month {
	int64_t	begins_at;
	int64_t	decided;		/* requests */
	int64_t	median, p95;		/* microseconds; 0 where none is */
	int64_t	late;			/* of them after the promised time */
};
struct times {
	struct times_month list[TIMES_MONTHS];	/* newest first */
	int	 n;
};

/* What a monitor asks for: decisions of the last 30 days, and what waits. */
struct times_recent {
	int64_t	decided;
	int64_t	median, p95;	/* microseconds; 0 where none is */
	int64_t	late;
	int64_t	waiting;	/* for us, up to TIMES_WAITING_MAX */
	int64_t	overdue;	/* of them */
};
#define TIMES_WAITING_MAX	100000

WAITS void	 times_db_recent(struct db *, struct times_recent *ret_recent);
WAITS void	 times_db_read(struct db *, struct times *ret_times);

WAITS void	 times_page(struct req *);	/* GET /staff/times */

#endif
