/*
 * When what was called is written, and by whom: each second, by the worker that
 * has the lease (meter.h).  It reads what waits for the metrics, too; and every
 * worker the key profiles, when it is told that they have changed.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "db/pool.h"
#include "gateway/gateway.h"
#include "gateway/meter.h"
#include "gateway/watch.h"
#include "run/co.h"

/* A batch of 4096 cells: 0.4 MB, their texts 1.5 MB and as arrays 2.2 MB. */
#define FLUSH_ARENA_MAX	(16u * 1024 * 1024)
#define WATCH_ARENA_MAX	(64u * 1024)
#define KEYWAY_ARENA_MAX (4u * 1024 * 1024)

static int64_t		 flush_at;	/* monotonic */
static struct arena	*flush_arena;	/* NULL: this worker writes nothing */
static int64_t		 watch_at;	/* monotonic */
static struct arena	*watch_arena;	/* NULL: nothing is read */
static struct arena	*keyway_arena;	/* NULL: nothing is read */

static void	 flush_run(void *);
static void	 flush_failed(void *, enum db_failure, const char *);
static void	 learn(void);
static void	 learn_run(void *);
static void	 learn_failed(void *, enum db_failure, const char *);
static void	 watch(int64_t now);
static void	 watch_run(void *);
static void	 watch_failed(void *, enum db_failure, const char *);

void
gateway_tick(bool leaves)
{
	static int64_t	 lost_at;
	static uint64_t	 lost;
	int64_t		 now = clock_monotonic();

	if (!setting->gateway)
		return;
	watch_tick();
	if (!leaves)
		learn();
	if (meter_lost() != lost && now - lost_at > MINUTE_US) {
		lost_at = now;
		lost = meter_lost();
		log_event(LOG_LEVEL_WARN, "usage_not_counted", "calls",
		    LOG_NUM(lost), "why", "LATCHKEY_GATEWAY_USAGE is too small, "
		    "or the database away for long", NULL);
	}
	if (!leaves && now - watch_at >= WATCH_DB_EVERY_US)
		watch(now);
	if (flush_arena != NULL || meter_settled() || !pool_up() ||
	    (!leaves && now - flush_at < METER_EVERY_US) || !meter_lease())
		return;
	flush_at = now;
	flush_arena = arena_new(FLUSH_ARENA_MAX, NULL, NULL);
	if (!co_start(flush_run, NULL)) {
		arena_free(flush_arena);
		flush_arena = NULL;
	}
}

/* "*" is told of what may be anybody's: products and profiles among it. */
void
gateway_told(const char *what)
{
	cache_told(what);
	if (what[0] == '*')
		keyway_told();
}

static void
learn(void)
{
	if (keyway_arena != NULL || !pool_up() || !keyway_wanted())
		return;
	keyway_arena = arena_new(KEYWAY_ARENA_MAX, NULL, NULL);
	if (!co_start(learn_run, NULL)) {
		arena_free(keyway_arena);
		keyway_arena = NULL;
		keyway_told();
	}
}

static void
watch(int64_t now)
{
	watch_at = now;
	if (!meter_lease()) {
		watch_db_none();
		return;
	}
	if (watch_arena != NULL || !pool_up())
		return;
	watch_arena = arena_new(WATCH_ARENA_MAX, NULL, NULL);
	if (!co_start(watch_run, NULL)) {
		arena_free(watch_arena);
		watch_arena = NULL;
	}
}

bool
gateway_settled(void)
{
	return (!setting->gateway || meter_settled());
}

static WAITS void
flush_run(void *arg)
{
	struct db	*db = pool_handle(flush_arena, flush_failed, NULL);

	(void)arg;
	/* There are more. */
	if (meter_db_flush(db) == METER_BATCH)
		flush_at = 0;
	arena_free(flush_arena);
	flush_arena = NULL;
}

/* It is sent again, as it is. */
static void
flush_failed(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	log_event(failure == DB_FAIL_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    "usage_flush", "why", why, NULL);
	arena_free(flush_arena);
	flush_arena = NULL;
	co_exit();
}

static WAITS void
learn_run(void *arg)
{
	(void)arg;
	keyway_db_read(pool_handle(keyway_arena, learn_failed, NULL));
	arena_free(keyway_arena);
	keyway_arena = NULL;
}

/* What was known stays; the next turn asks again. */
static void
learn_failed(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	log_event(failure == DB_FAIL_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    "profiles_unread", "why", why, NULL);
	arena_free(keyway_arena);
	keyway_arena = NULL;
	keyway_told();
	co_exit();
}

static WAITS void
watch_run(void *arg)
{
	(void)arg;
	watch_db_read(pool_handle(watch_arena, watch_failed, NULL));
	arena_free(watch_arena);
	watch_arena = NULL;
}

/* The figures stay; the next turn asks again. */
static void
watch_failed(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	log_event(failure == DB_FAIL_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    "metrics_unread", "why", why, NULL);
	arena_free(watch_arena);
	watch_arena = NULL;
	co_exit();
}
