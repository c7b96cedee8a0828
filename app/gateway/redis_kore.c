/*
 * The connection to Redis on Kore's event loop; see db/pool_kore.c for its
 * traps.
 */
#include <sys/types.h>

#include <kore/kore.h>

#include "base/setting.h"
#include "gateway/redis.h"

#define EVENT_TYPE	142	/* none of Kore's own, nor of db/ or main.c */

static struct kore_event	event;

static void	 watch(int, bool);
static void	 call_in(enum redis_timer, unsigned);
static void	 on_event(void *, int);
static void	 on_link(void *, uint64_t);
static void	 on_asks(void *, uint64_t);

void
redis_setup(void)
{
	static const struct redis_loop	 kore = { watch, call_in };

	event.type = EVENT_TYPE;
	event.handle = on_event;
	redis_start(&setting->redis_url, setting->public_url,
	    (unsigned)setting->redis_wait_ms, &kore);
}

static void
watch(int fd, bool write)
{
	if (write)
		kore_platform_event_level_all(fd, &event);
	else
		kore_platform_event_level_read(fd, &event);
}

static void
call_in(enum redis_timer timer, unsigned ms)
{
	(void)kore_timer_add(timer == REDIS_TIMER_LINK ? on_link : on_asks, ms,
	    NULL, KORE_TIMER_ONESHOT);
}

/* An error needs no care of its own: hiredis finds it when it reads. */
static void
on_event(void *arg, int error)
{
	(void)arg;
	(void)error;
	event.flags = 0;
	redis_event();
}

static void
on_link(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
	redis_due(REDIS_TIMER_LINK);
}

static void
on_asks(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
	redis_due(REDIS_TIMER_ASKS);
}
