/*
 * Handlers of closing an account and of one's own data, for the route table.
 */
#ifndef ACCOUNTS_CLOSE_PAGES_H
#define ACCOUNTS_CLOSE_PAGES_H

#include "web/req.h"

WAITS void	close_page(struct req *);	/* GET /account/close */
WAITS void	close_page_close(struct req *);	/* POST */
WAITS void	close_page_data(struct req *);	/* GET /account/data */

#endif
