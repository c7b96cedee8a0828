/*
 * Consent: staff ask the owners of a client whether a contact may join it, by
 * a mail with a link to a page behind sign-in, where an owner says yes or no.
 * A yes is one of the three ways in to a tenant that exists, as long as who
 * said it is an owner there; the decision itself stays with staff, and what
 * counts stands in the WHERE of request_decide_db.c.
 */
#ifndef REQUESTS_CONSENT_H
#define REQUESTS_CONSENT_H

#include "requests/request.h"

enum consent_asked {
	CONSENT_ASKED,
	CONSENT_ALREADY,	/* they were asked before */
	CONSENT_NOBODY,		/* no such client, or it has no owner */
	CONSENT_NOT,		/* decided, or the contact has a client */
};
/* Asks the owners of the client with that code. */
WAITS MUST_CHECK enum consent_asked consent_db_ask(struct db *,
		    const char *staff_id, const char *request_id,
		    const char *tenant_code);

struct consent {
	const char	*id, *person, *email, *request_name, *product;
	const char	*client;	/* as the contact wrote it */
	const char	*tenant, *asked_by;	/* names */
	int64_t		 asked_at;
	const char	*answer;	/* "yes", "no" or "" */
	const char	*answered_by;	/* "" */
	int64_t		 answered_at;	/* 0 */
	bool		 is_open;	/* the request still waits */
};
/* NULL: none of a tenant that this account owns. */
WAITS struct consent *consent_db_find(struct db *, const char *account_id,
		    const char *consent_id);
/* By an owner; false when it was answered, decided, or is not his. */
WAITS MUST_CHECK bool consent_db_answer(struct db *, const char *account_id,
		    const char *consent_id, bool is_yes);

WAITS void	 consent_page_ask(struct req *);
					/* POST /staff/requests/:id/consent */
WAITS void	 consent_page_show(struct req *);	/* GET /consents/:id */
WAITS void	 consent_page_answer(struct req *);	/* POST */

#endif
