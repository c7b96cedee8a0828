/*
 * The pool on Kore's event loop.  Two traps: the struct that Kore gets back in
 * an event has `struct kore_event` first, and it is static, since events of a
 * descriptor that was closed may still follow in the same batch.
 */
#include <sys/types.h>

#include <kore/kore.h>

#include "db/pool.h"

#define EVENT_TYPE	140	/* none of Kore's own */

struct watched {
	struct kore_event	event;		/* must be first */
	unsigned		index;
};

static struct watched	watched[POOL_CONNS];

static void	 watch(unsigned, int, bool);
static void	 call_in(unsigned, unsigned);
static void	 on_event(void *, int);
static void	 on_timer(void *, uint64_t);

void
pool_setup(const char *conninfo, const char *application)
{
	static const struct pool_loop	 kore = { watch, call_in };
	unsigned			 i;

	for (i = 0; i < POOL_CONNS; i++) {
		watched[i].index = i;
		watched[i].event.type = EVENT_TYPE;
		watched[i].event.handle = on_event;
	}
	pool_start(conninfo, application, &kore);
}

/* Level triggered, since libpq may leave bytes unread. */
static void
watch(unsigned index, int fd, bool write)
{
	if (write)
		kore_platform_event_level_all(fd, &watched[index]);
	else
		kore_platform_event_level_read(fd, &watched[index]);
}

static void
call_in(unsigned index, unsigned ms)
{
	(void)kore_timer_add(on_timer, ms, &watched[index],
	    KORE_TIMER_ONESHOT);
}

/* An error needs no care of its own: libpq finds it when it reads. */
static void
on_event(void *arg, int error)
{
	struct watched	*w = arg;

	(void)error;
	w->event.flags = 0;
	pool_event(w->index);
}

static void
on_timer(void *arg, uint64_t now)
{
	struct watched	*w = arg;

	(void)now;
	pool_due(w->index);
}
