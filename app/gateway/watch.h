/*
 * The check's metrics (base/metric.h) and what the log says of grace: verdicts,
 * time of a check, cache, how late a change may be heard, grace in use, limits,
 * Redis where it counts them, and the pool behind them.
 */
#ifndef GATEWAY_WATCH_H
#define GATEWAY_WATCH_H

#include "db/db.h"
#include "gateway/gateway.h"

/* /metrics: 1500 lines of routes at 100 bytes each, and the rest. */
#define WATCH_TEXT_MAX	(256u * 1024)

/* Before the fork, after metric_setup(). */
void	 watch_setup(void);
/* A check is answered; it waited for the database, or not. */
void	 watch_check(const struct check *, bool waited);
/* Redis has answered a check, or is not waited for any more. */
void	 watch_redis(int64_t took_us);
/* In each worker, every now and then: gauges. */
void	 watch_tick(void);
/* For the pool's ear: the cache's, and the log. */
void	 watch_hears(void);
void	 watch_deaf(void);

/* What waits, of the database: one worker asks so often, the others have
 * none. */
#define WATCH_DB_EVERY_US	(10 * SECOND_US)
void	 watch_db_setup(void);		/* as watch_setup() */
WAITS void watch_db_read(struct db *);
void	 watch_db_none(void);

#endif
