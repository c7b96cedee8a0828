/*
 * What a check waits for, on Kore's event loop: the database, for what the
 * cache does not know, read by one coroutine for all who wait for it; and
 * Redis, where it counts limits.  Who waits sleeps in Kore, and his request
 * runs again from its beginning when that is over.
 */
#ifndef GATEWAY_WAIT_H
#define GATEWAY_WAIT_H

#include "gateway/gateway.h"

struct http_request;

/* Runs the check, whose call is read: since when, by whom its limits are
 * counted and what else became of its waiting is filled in.  False: it sleeps;
 * nothing of it is needed any more. */
MUST_CHECK bool	 wait_run(struct http_request *, struct check *);
/* It has waited for the database. */
bool		 wait_was_read(const struct http_request *);

#endif
