/*
 * Where limit.c counts: two tables in memory that all workers share, one by id
 * and one by address.  limit.h says what happens where one is full.
 */
#ifndef GATEWAY_LIMIT_TABLE_H
#define GATEWAY_LIMIT_TABLE_H

#include <stdatomic.h>

#include "gateway/limit.h"

#define PLACE_RATES	2u

/* A subscription has second and minute, day and month; a client minute and
 * day; an API user, an issued key or an address a minute. */
struct place {
	_Atomic uint64_t tag;		/* 0: free */
	_Atomic int64_t	 empty_at[PLACE_RATES];	/* monotonic nanoseconds */
	_Atomic uint64_t counts[2];	/* day, month; 0: not loaded */
};

/* Never NULL; made where there is none.  monotonic: microseconds. */
struct place	*place_of(const unsigned char id[LIMIT_ID],
		    int64_t monotonic);
struct place	*place_of_address(const unsigned char network[LIMIT_ID],
		    int64_t monotonic);
/* NULL: there is none. */
struct place	*place_if_any(const unsigned char id[LIMIT_ID]);

#endif
