/*
 * The portal's connections, a set in each worker: reads are pipelined on a
 * connection that all requests share, those of one turn of the event loop in
 * one batch; writes go one at a time on connections
 * of their own, with a queue in front, so that a statement that waits for a
 * row lock holds up no page.  While the connection for reads is away, reads go
 * the way of the writes.
 *
 * What is asked while the database is away is refused at once; connections
 * come back by themselves within a second of its return.  A connection is used
 * only after the check query (the schema's version) was answered to our liking.
 *
 * The pool itself knows no event loop: db/pool_kore.c ties it to Kore's, the
 * tests to one of poll().
 */
#ifndef DB_POOL_H
#define DB_POOL_H

#include "db/db.h"

#define POOL_READERS		1u	/* 2 where answers are large */
#define POOL_WRITERS		2u
#define POOL_EAR		(POOL_READERS + POOL_WRITERS)
#define POOL_CONNS		(POOL_EAR + 1)
/* Reads without an answer on a connection: at 50 000/s 10 ms of work. */
#define POOL_READS_MAX		512u
/* Writes that wait for a connection, and for how long. */
#define POOL_WRITES_MAX		64u
#define POOL_WAIT_US		(3 * INT64_C(1000000))
/* Connecting again: doubled from the first to the last, with jitter, so that
 * the workers don't come all at once. */
#define POOL_RETRY_MIN_MS	50u
#define POOL_RETRY_MAX_MS	1000u
#define POOL_TICK_MS		500u

struct op;

/*
 * In each worker (db/pool_kore.c).  The texts are copied.  pool_set_check()
 * comes before it, if at all.
 */
void		 pool_setup(const char *conninfo, const char *application);
/* The query has no parameters; what it returns is shown to ok(). */
void		 pool_set_check(const struct db_query *,
		    bool (*ok)(const struct db_rows *));
/*
 * One connection more, which hears notifications on a channel (a plain name) and
 * is asked for a sign of life with every tick.  hears() is called when LISTEN
 * was answered: whatever is committed from then on is told; deaf() when it was
 * lost, at the latest POOL_EAR_US after the last sign.  They are called from
 * the event loop and wait for nothing.  Before pool_setup(), if at all.
 */
#define POOL_EAR_US		(2 * INT64_C(1000000))
struct pool_ear {
	const char	*channel;
	void		(*told)(const char *payload);
	void		(*hears)(void);
	void		(*deaf)(void);
};
void		 pool_set_ear(const struct pool_ear *);
/* The check would say no by now (someone migrated): every connection goes down
 * once what was sent on it is answered, and comes back by the check. */
void		 pool_distrust(void);
/* Every POOL_TICK_MS: time-outs. */
void		 pool_tick(void);

/* At the end of each turn of the event loop, before it waits: sends the reads
 * that were asked for in it. */
void		 pool_turn(void);

/* A request's handle, in its arena; works in a coroutine only. */
struct db	*pool_handle(struct arena *, db_fail_fn, void *arg);

enum pool_state {
	POOL_DOWN,
	POOL_MISMATCH,		/* connected, but the check says no */
	POOL_UP,
};
enum pool_state	 pool_state(void);
bool		 pool_up(void);

/* For metrics. */
struct pool_count {
	unsigned	 connections;		/* up */
	unsigned	 reads, writes;		/* sent, without an answer */
	unsigned	 queued;		/* wait for a connection */
	/* The ear's last round trip, or how long the one under way takes. */
	int64_t		 ear_lag_us;
};
struct pool_count pool_count(void);

/* ---- between the pool and its event loop ---- */

struct pool_loop {
	/* Watch fd for the connection (0 ... POOL_CONNS - 1): level
	 * triggered, for reading, and for writing too or not.  Also for a
	 * descriptor that is watched already.  A descriptor that is closed
	 * needs no notice. */
	void	(*watch)(unsigned index, int fd, bool write);
	/* Call pool_due(index) once, after ms. */
	void	(*call_in)(unsigned index, unsigned ms);
};
void		 pool_start(const char *conninfo, const char *application,
		    const struct pool_loop *);
void		 pool_event(unsigned index);
void		 pool_due(unsigned index);

/* For db/wait.c: enum submit of db/handle.h. */
MUST_CHECK int	 pool_submit(struct op *);

#endif
