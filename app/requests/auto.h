/*
 * Approval by checks, off unless a product says so (product.approval).  A
 * request whose every check is good is approved by the system once the delay
 * is over (request.auto_at), which staff see counting and can stop.  The
 * courier does it, since it holds the keys already: it makes links with them.
 * What it may do stands in request_approve_by_checks() of
 * migrations/deploy/request_auto.sql, which asks for all facts once more.
 */
#ifndef REQUESTS_AUTO_H
#define REQUESTS_AUTO_H

#include "requests/request.h"

#define AUTO_EACH_MAX	20	/* requests a turn of the jobs */

/* Approves what is due and fits; what does not fit is left to staff for good.
 * Number approved. */
WAITS int64_t	 auto_db_run(struct db *, const struct keyring *);
/* False: decided, stopped before, or never meant to be. */
WAITS MUST_CHECK bool auto_db_stop(struct db *, const char *staff_id,
		    const char *request_id);

WAITS void	 auto_page_stop(struct req *);
					/* POST /staff/requests/:id/stop */

#endif
