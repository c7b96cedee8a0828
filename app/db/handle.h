/*
 * A handle from the inside: what db.c, wait.c, blocking.c and the pool share.
 */
#ifndef DB_HANDLE_H
#define DB_HANDLE_H

#include "db/conn.h"

struct blocking;		/* db/blocking.c */

struct db {
	struct arena	*arena;
	db_fail_fn	 fail;
	void		*arg;
	struct blocking	*blocking;	/* NULL: the pool's connections */
	unsigned	 writes;	/* done, see db_writes() */
};

enum submit {
	SUBMIT_TAKEN,	/* wait for it */
	SUBMIT_DOWN,	/* no connection; nothing was sent */
	SUBMIT_BUSY,	/* too many before it; nothing was sent */
};

/* Sends the operation, or puts it in a queue. */
MUST_CHECK enum submit	 wait_submit(struct db *, struct op *);
/* Returns when op->end says how it ended. */
WAITS void		 wait_for(struct db *, struct op *);

/* Calls db->fail and takes care that it does not return. */
_Noreturn void		 handle_fail(struct db *, enum db_failure,
			    const char *why);

/* db/blocking.c: sends, after connecting again if need be. */
MUST_CHECK enum submit	 blocking_submit(struct blocking *, struct op *);
/* Waits until something happens or the time is over (-1: never is), at most
 * half a second.  False if a signal came. */
bool			 blocking_pump(struct blocking *, int timeout_ms);

#endif
