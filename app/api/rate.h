/*
 * How many calls are let through: a token bucket for each key, by the generic
 * cell rate algorithm (a time before which nothing is let through), in memory
 * that all workers share, without locks.  A key is put at a place by a hash
 * under a random salt; two that meet there share a bucket, which with 65,536
 * places hits one in 650 among 100 busy keys.
 */
#ifndef API_RATE_H
#define API_RATE_H

#include "base/base.h"

#define RATE_PLACES	65536u

/* Before the fork. */
void	 rate_setup(void);
/*
 * Takes one of `key`: 0 when it is let through, else microseconds until the
 * next would be.  every_us is the time that one takes, burst how many may come
 * at once; now is the monotonic clock.
 */
int64_t	 rate_take(const char *key, int64_t every_us, int64_t burst,
	    int64_t now);

#endif
