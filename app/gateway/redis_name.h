/*
 * Redis' host by its name: the resolver waits, so it is asked by a thread, one
 * at a time, and the event loop looks every now and then whether it is done.
 */
#ifndef GATEWAY_REDIS_NAME_H
#define GATEWAY_REDIS_NAME_H

#include "base/base.h"

#define REDIS_NAME_ADDRESSES	8u	/* of one name; others are not tried */

/* Nothing where it is being asked already.  The text is kept as it is. */
void	 redis_name_ask(const char *host);
/* False: not done yet.  Of the addresses that numbered `which`, around and
 * around; NULL: there is none.  Good until the next redis_name_ask(). */
MUST_CHECK bool	 redis_name_found(unsigned which, const char **ret_address);

#endif
