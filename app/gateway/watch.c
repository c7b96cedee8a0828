/*
 * See watch.h.
 */
#include "gateway/watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/setting.h"
#include "db/pool.h"
#include "gateway/meter.h"
#include "gateway/redis.h"
#include "run/co.h"

static unsigned	 checks[VERDICTS], took, hits, misses, grace_served;
static unsigned	 cached[3], hearing, deaf_for, grace_left, lag;
static unsigned	 pushed_out, lost;
static unsigned	 by_redis, by_share, redis_is_up, redis_away, redis_took;
static unsigned	 connections, reads, writes, queued, coroutines;
static bool	 hears;
static int64_t	 deaf_at;	/* monotonic; 0: since the start, if at all */

static void	 setup_shared(void);

void
watch_setup(void)
{
	static const char	*const kinds[] = { "kind=\"key\"",
	    "kind=\"api_user\"", "kind=\"permissions\"" };
	static char		 labels[VERDICTS][48];
	unsigned		 i;

	for (i = 0; i < VERDICTS; i++) {
		(void)snprintf(labels[i], sizeof(labels[i]), "verdict=\"%s\"",
		    i == VERDICT_ALLOWED ? "allowed" :
		    verdict_denial((enum verdict)i)->code);
		checks[i] = metric_new(METRIC_COUNTER,
		    "latchkey_gateway_checks_total",
		    "Checks that were answered, by verdict.", labels[i]);
	}
	took = metric_new(METRIC_HISTOGRAM,
	    "latchkey_gateway_check_duration_seconds",
	    "From a check's headers to its answer.", "");
	hits = metric_new(METRIC_COUNTER, "latchkey_gateway_cache_hits_total",
	    "Checks that asked nobody.", "");
	misses = metric_new(METRIC_COUNTER,
	    "latchkey_gateway_cache_misses_total",
	    "Checks that waited for the database.", "");
	for (i = 0; i < COUNT(cached); i++)
		cached[i] = metric_new(METRIC_SUM,
		    "latchkey_gateway_cache_entries",
		    "What all workers remember.", kinds[i]);
	hearing = metric_new(METRIC_SMALLEST, "latchkey_gateway_hears",
	    "1 while every worker hears what changes, else 0.", "");
	deaf_for = metric_new(METRIC_LARGEST, "latchkey_gateway_deaf_seconds",
	    "For how long a worker has not heard what changes.", "");
	grace_left = metric_new(METRIC_SMALLEST,
	    "latchkey_gateway_grace_left_seconds",
	    "How much longer known keys go on without the database.", "");
	grace_served = metric_new(METRIC_COUNTER,
	    "latchkey_gateway_grace_served_total",
	    "Calls that passed while the database could not be asked.", "");
	lag = metric_new(METRIC_LARGEST, "latchkey_gateway_ear_lag_seconds",
	    "Last round trip where notifications come in, or the one under "
	    "way.", "");
	pushed_out = metric_new(METRIC_KEPT,
	    "latchkey_gateway_limit_pushed_out_total",
	    "Limits that were forgotten for want of room.", "");
	lost = metric_new(METRIC_KEPT, "latchkey_gateway_usage_lost_total",
	    "Calls that are in no usage for want of room.", "");
	setup_shared();
	connections = metric_new(METRIC_SUM, "latchkey_database_connections",
	    "Connections to the database that are up.", "");
	reads = metric_new(METRIC_SUM, "latchkey_database_reads",
	    "Reads without an answer.", "");
	writes = metric_new(METRIC_SUM, "latchkey_database_writes",
	    "Writes without an answer.", "");
	queued = metric_new(METRIC_SUM, "latchkey_database_queue",
	    "Writes that wait for a connection.", "");
	coroutines = metric_new(METRIC_SUM, "latchkey_coroutines",
	    "Requests and reads that wait.", "");
	watch_db_setup();
}

/* The gauges are set where LATCHKEY_REDIS_URL is. */
static void
setup_shared(void)
{
	static const char	 limited[] = "latchkey_gateway_limited_total",
				 help[] = "Checks whose limits were counted "
				 "for all portals, or by this one's share.";

	by_redis = metric_new(METRIC_COUNTER, limited, help, "by=\"redis\"");
	by_share = metric_new(METRIC_COUNTER, limited, help, "by=\"share\"");
	redis_is_up = metric_new(METRIC_SMALLEST, "latchkey_gateway_redis_up",
	    "1 while every worker counts limits in Redis, else 0.", "");
	redis_away = metric_new(METRIC_LARGEST,
	    "latchkey_gateway_redis_away_seconds",
	    "For how long a worker has been without Redis.", "");
	redis_took = metric_new(METRIC_HISTOGRAM,
	    "latchkey_gateway_redis_duration_seconds",
	    "From asking Redis to its answer, or until it was not waited for "
	    "any more.", "");
}

void
watch_check(const struct check *check, bool waited)
{
	metric_add(checks[check->verdict], 1);
	metric_add(waited ? misses : hits, 1);
	metric_observe(took, clock_monotonic() - check->since);
	if (check->unreadable && check->verdict == VERDICT_ALLOWED)
		metric_add(grace_served, 1);
	if (check->limits.n == 0)
		return;
	if (check->by == CHECK_TOLD)
		metric_add(by_redis, 1);
	else if (check->by == CHECK_BY_SHARE)
		metric_add(by_share, 1);
}

void
watch_redis(int64_t took_us)
{
	metric_observe(redis_took, took_us);
}

void
watch_tick(void)
{
	struct cache_count	 count = cache_count();
	struct pool_count	 pool = pool_count();
	int64_t			 deaf = hears || deaf_at == 0 ? 0 :
	    clock_monotonic() - deaf_at;
	int64_t			 left = setting->grace_s * SECOND_US - deaf;

	metric_set(cached[0], count.keys);
	metric_set(cached[1], count.users);
	metric_set(cached[2], count.sets);
	metric_set(hearing, hears);
	metric_set(deaf_for, deaf);
	metric_set(grace_left, left > 0 ? left : 0);
	metric_set(lag, pool.ear_lag_us);
	metric_set(pushed_out, (int64_t)limit_pushed_out());
	metric_set(lost, (int64_t)meter_lost());
	if (setting->redis) {
		redis_tick();
		metric_set(redis_is_up, redis_count().up);
		metric_set(redis_away, redis_count().away_us);
	}
	metric_set(connections, pool.connections);
	metric_set(reads, pool.reads);
	metric_set(writes, pool.writes);
	metric_set(queued, pool.queued);
	metric_set(coroutines, co_count());
}

void
watch_hears(void)
{
	if (deaf_at != 0)
		log_event(LOG_LEVEL_WARN, "gateway_hears", "deaf_ms",
		    LOG_NUM((clock_monotonic() - deaf_at) / 1000), NULL);
	hears = true;
	cache_hears();
	keyway_told();
}

void
watch_deaf(void)
{
	hears = false;
	deaf_at = clock_monotonic();
	log_event(LOG_LEVEL_WARN, "gateway_deaf", "grace_s",
	    LOG_NUM(setting->grace_s), "why", "the database is away: known "
	    "keys go on for the grace time", NULL);
	cache_deaf();
}
