/*
 * Work threads: what would hold up the event loop (password hashing, 20 ms)
 * runs on a few threads of low priority.  The queue is bounded, so that a flood
 * of sign-ins is answered 503 in place of being kept waiting, and its last
 * place is kept for people who have signed in from their address before.
 *
 * A job's function sees its argument only: no request, no arena, no log.
 */
#ifndef RUN_WORK_H
#define RUN_WORK_H

#include "base/base.h"

#define WORK_QUEUE_MAX	16	/* waiting jobs a process: 16 × 20 ms = 0.3 s */

/* In each worker; `wake(fd)` tells the event loop to watch fd and call
 * work_finish() when it can be read. */
void	work_setup(unsigned threads, void (*watch)(int fd));
void	work_finish(void);

/* Runs fn(arg) on a thread and waits.  False, and nothing is run, when the
 * queue is full (for a job that is not favoured: but for the last place). */
WAITS MUST_CHECK bool work_run(void (*fn)(void *), void *arg, bool favoured);

#endif
