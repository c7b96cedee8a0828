/*
 * What was called: by key, API user, hour and what became of it, counted in
 * memory that all workers share, until one of them writes it to the database
 * (meter_db.c), each METER_EVERY_US.
 *
 * A cell is claimed and counted by compare-and-swap on one word, which holds
 * its generation and its count: who would count into a cell that has become
 * another's fails, and looks again.  The first call after each flush also
 * leaves time and address, for "last used", which is told once in
 * METER_TELL_US, or when the address is another.
 *
 * One worker at a time flushes, under a lease; when it dies another takes it,
 * at once.  It takes cells into a batch, which has a number, and writes them
 * in one statement that does nothing where that number was written before.  So
 * a batch whose answer was lost, or whose worker died, is sent again as it is:
 * nothing is lost and nothing counted twice.  What kill -9 of the whole portal
 * loses is what came after the last flush.
 *
 * While the database is away counts stay here.  A cell that is empty may become
 * another's; where all of a bucket are full, the call isn't counted, and that
 * is (meter_lost()).
 */
#ifndef GATEWAY_METER_H
#define GATEWAY_METER_H

#include "db/db.h"
#include "gateway/verdict.h"

#define METER_ID	16u
#define METER_ADDRESS	16u
#define METER_EVERY_US	INT64_C(1000000)
/* Longer than a statement may wait for a connection and run. */
#define METER_LEASE_US	(10 * INT64_C(1000000))
#define METER_TELL_US	(10 * INT64_C(1000000))
#define METER_BATCH	4096u	/* cells; 1 MB of text */

struct meter_cell {
	unsigned char	 key[METER_ID];		/* zeros: not known */
	unsigned char	 user[METER_ID];	/* zeros: none */
	unsigned char	 subscription[METER_ID];	/* the key's */
	uint32_t	 hour;			/* since 1970 */
	uint8_t		 outcome;		/* enum verdict */
	/* Of the first call since the last flush. */
	uint8_t		 family;		/* 0: not known */
	unsigned char	 address[METER_ADDRESS];
	bool		 tells;			/* in a batch: "last used" */
	bool		 has_quota;		/* of a day or month */
	int64_t		 used_at;		/* wall clock, microseconds */
};

/* Who called, when it is asked for: into family and address. */
typedef void	(*meter_address_fn)(void *arg, struct meter_cell *);

/* Once, before forking.  cells: 96 bytes each, rounded up to a power of two. */
void	 meter_setup(uint32_t cells);
void	 meter_end(void);

/* Counts a call: key, subscription, user and outcome of the cell; hour and the rest are
 * filled in. */
void	 meter_add(const struct meter_cell *, int64_t now, meter_address_fn,
	    void *arg);
/* Calls that were not counted, since the start. */
uint64_t meter_lost(void);

/* Everything is in the database. */
bool	 meter_settled(void);
/* True: the caller is who flushes, for METER_LEASE_US from now. */
MUST_CHECK bool	 meter_lease(void);

/* Who flushes: up to METER_BATCH cells with their counts, and the number of
 * their batch: the same as before until it is settled.  0: nothing to do. */
unsigned meter_take(struct meter_cell *ret_cells, uint32_t *ret_calls,
	    uint64_t *ret_batch);
/* The batch is written. */
void	 meter_settle(uint64_t batch);

/* Takes one batch, writes and settles it, and tells limit_raise() what is used
 * of the quotas in it, by all portals;
 * how many cells there were. */
WAITS unsigned	 meter_db_flush(struct db *);
/* The portal, from its start to its end. */
const char	*meter_source(void);

#endif
