/*
 * Limits that several portals share, counted by Redis: a connection in each
 * worker, on which the checks of one turn of the event loop go out together.
 *
 * While Redis is away each portal counts by itself, in the memory of its
 * workers, and lets its share of each rate pass (limit_share()).  It comes back
 * by itself.  Away is also one that refuses the password, may not be written
 * to, or leaves a check without an answer for the time that a check may wait:
 * then the connection is given up at once, so no other check waits for it.
 *
 * A call whose answer came too late may be counted in both places: never too
 * few.  redis.c knows no event loop: redis_kore.c ties it to Kore's, the tests
 * to one of poll().
 */
#ifndef GATEWAY_REDIS_H
#define GATEWAY_REDIS_H

#include "base/redis_url.h"
#include "gateway/limit.h"

/* Checks without an answer; Kore takes 2048 connections a worker. */
#define REDIS_ASKS_MAX		4096u
/* From connecting until Redis has done all that a check needs. */
#define REDIS_HELLO_MS		1000u
/* Connecting again: doubled from the first to the last, with jitter. */
#define REDIS_RETRY_MIN_MS	50u
#define REDIS_RETRY_MAX_MS	1000u
/* So often one that nobody asks is asked for a sign of life. */
#define REDIS_IDLE_US		INT64_C(1000000)
#define REDIS_WHY_MAX		160u	/* bytes */

/* One check's question.  It is its owner's until redis_leave(). */
struct redis_ask {
	struct limit_ask	 what;
	enum { REDIS_WAITS, REDIS_TOLD, REDIS_LOST } state;
	struct limit_answer	 answer;	/* REDIS_TOLD */
	/* From the event loop, when it waits no more; waits for nothing. */
	void			(*done)(void *arg);
	void			*arg;
	/* redis.c's own */
	struct redis_ask	*prev, *next;	/* by age, while it waits */
	int64_t			 since;		/* monotonic */
	bool			 sent, left;
};

/* In each worker, where LATCHKEY_REDIS_URL is set (redis_kore.c). */
void	 redis_setup(void);
/* True: checks can be asked. */
bool	 redis_up(void);
/* NULL: it can't be asked, now. */
MUST_CHECK struct redis_ask *redis_ask(const struct limit_ask *,
	    void (*done)(void *), void *arg);
/* done() isn't called any more, and the ask gone. */
void	 redis_leave(struct redis_ask *);
/* At the end of each turn of the event loop, before it waits. */
void	 redis_turn(void);
/* Every 100 ms or so. */
void	 redis_tick(void);

struct redis_count {
	bool		 up;
	int64_t		 away_us;	/* 0: it is not */
};
struct redis_count redis_count(void);

/*
 * Can it be used?  Connects and waits, at most a few seconds (redis_look.c):
 * for latchkeyctl.  False: ret_why says why not.  ret_why otherwise has its
 * version.
 */
MUST_CHECK bool	 redis_look(const struct redis_url *, const char *public_url,
	    char ret_why[REDIS_WHY_MAX]);

/* ---- between the connection and its event loop ---- */

enum redis_timer { REDIS_TIMER_LINK, REDIS_TIMER_ASKS };
#define REDIS_TIMERS	2u
struct redis_loop {
	/* Level triggered, for reading, and for writing too or not; also for
	 * a descriptor that is watched.  One that is closed needs no notice. */
	void	(*watch)(int fd, bool write);
	/* Call redis_due() once, after ms; several may be under way. */
	void	(*call_in)(enum redis_timer, unsigned ms);
};
/* The url is kept as it is; wait_ms: LATCHKEY_REDIS_WAIT_MS. */
void	 redis_start(const struct redis_url *, const char *public_url,
	    unsigned wait_ms, const struct redis_loop *);
void	 redis_end(void);
void	 redis_event(void);
void	 redis_due(enum redis_timer);

#endif
