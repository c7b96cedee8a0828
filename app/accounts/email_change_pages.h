/*
 * Handlers of changes of address, for the route table.
 */
#ifndef ACCOUNTS_EMAIL_CHANGE_PAGES_H
#define ACCOUNTS_EMAIL_CHANGE_PAGES_H

#include "web/req.h"

WAITS void	email_change_page(struct req *);	/* GET /account/email */
WAITS void	email_change_page_ask(struct req *);	/* POST */
WAITS void	email_change_page_form(struct req *);	/* GET /email-confirm/:token */
WAITS void	email_change_page_confirm(struct req *); /* POST */
WAITS void	email_change_page_undo_form(struct req *); /* GET /email-undo/:token */
WAITS void	email_change_page_undo(struct req *);	/* POST */

#endif
