/*
 * Staff seat an owner, where a client has lost its people.  It takes a fresh
 * sign-in and a reason, is told to all owners and admins at once, and has
 * effect after 24 hours (jobs/), in which an owner or an admin may cancel it;
 * at once only where the client has no owner at all.  It comes to nothing when
 * who planned it is no longer of staff by then.
 */
#ifndef PEOPLE_SEAT_H
#define PEOPLE_SEAT_H

#include "db/db.h"

struct req;
struct view;

struct seat {
	const char	*id, *person, *client, *code, *by, *reason;
	int64_t		 due_at;
};
struct seats {
	struct seat	*list;
	int		 n;
};
/* What is planned for a client (tenant_id), or for an account: the other is
 * NULL. */
WAITS struct seats seat_db_list(struct db *, const char *tenant_id,
		    const char *account_id);

enum seat_result {
	SEAT_PLANNED,
	SEAT_DONE,		/* at once */
	SEAT_NO_CLIENT,		/* no client has that code */
	SEAT_NOT,		/* no such contact, of another client, or owner
				 * already */
	SEAT_OPEN,		/* one is planned for this contact */
};
WAITS MUST_CHECK enum seat_result seat_db_plan(struct db *, const char *who,
		    const char *whom, const char *code, const char *reason);
/* By an owner of the client, or an admin.  False: nothing that one may. */
WAITS MUST_CHECK bool seat_db_cancel(struct db *, const char *who,
		    const char *id);

/* Puts the list "seats" into a view. */
void		 seat_view(struct req *, struct view *, const struct seats *);
WAITS void	 seat_page_plan(struct req *);	/* .../people/:id/seat */
WAITS void	 seat_page_cancel(struct req *); /* /people/seats/:id/cancel */
WAITS void	 seat_page_cancel_staff(struct req *);
				/* /staff/people/:id/seats/:seat/cancel */

#endif
