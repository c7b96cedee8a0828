/*
 * Coroutines: a request that waits runs on a small stack of its own, so that
 * its handler reads straight from top to bottom.  One at a time runs in a
 * process; it goes on until it waits.
 *
 * Whatever it waits for (a database answer, a password hash) calls co_resume()
 * when that is there, from the event loop.  A coroutine is never ended from
 * outside: a browser that hangs up only drops the answer.
 */
#ifndef RUN_CO_H
#define RUN_CO_H

#include "base/base.h"

/* 64 kB of stack with a guard page below: frames are held under 4 kB by the
 * compiler (-Wframe-larger-than), the deepest path is 12 frames of ours and
 * then libpq and OpenSSL, which need the most. */
#define CO_STACK	(64u * 1024)
#define CO_MAX		1024u		/* at once, a process */

struct co;

/* Starts fn(arg); returns when it waits for the first time or has ended.
 * False, and nothing is run, when CO_MAX run already. */
MUST_CHECK bool	 co_start(void (*fn)(void *), void *arg);
/* The one that runs now, NULL in the event loop. */
struct co	*co_current(void);
/* Waits until co_resume() is called for it. */
WAITS void	 co_wait(void);
/* Goes on with it; only from the event loop. */
void		 co_resume(struct co *);
/* Ends the running one at once; its stack is dropped. */
_Noreturn void	 co_exit(void);
unsigned	 co_count(void);

#endif
