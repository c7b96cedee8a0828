/*
 * People as staff see them: all accounts, found by name, address or client;
 * accounts disabled and enabled; who is of staff.
 *
 * Staff disable and enable contacts; admins everybody, and they alone say who
 * is of staff.  Nobody does any of it to themselves, so an admin always remains:
 * the one who does it.  The statements lock the rows of all admins in one order
 * first, so that it also holds for two at once.
 */
#ifndef PEOPLE_STAFF_H
#define PEOPLE_STAFF_H

#include "mail/address.h"
#include "sessions/session.h"

#define STAFF_PAGE_ROWS		50
#define STAFF_HITS_MAX		200	/* of a search */
#define STAFF_QUERY_MAX		100	/* characters */
#define STAFF_REASON_MAX	1000	/* characters */

struct staff_person {
	const char	*account_id, *person, *email;
	enum account_kind kind;
	enum member_role role;		/* of a contact */
	const char	*code, *client;	/* the client, "" for none */
	bool		 is_active;
	int64_t		 since, signed_in_at;	/* 0: never */
	/* Of one that is looked at alone. */
	const char	*reason, *disabled_by;	/* "" while active */
	int64_t		 disabled_at;
};
struct staff_people {
	struct staff_person *list;	/* by name; found ones by rank */
	int		 n;
	const char	*next_after;	/* "" at the end */
	bool		 is_cut;	/* the last of STAFF_HITS_MAX: there may
					 * be more */
};
/*
 * Typed text, squeezed: "" is everybody; up to two characters are the beginning
 * of a name, an address, or a client's name; more stand anywhere in these or in
 * a client's code.  Of those the STAFF_HITS_MAX that are most like it.
 * after: next_after of the page before, or "".
 */
WAITS struct staff_people staff_db_list(struct db *, const char *typed,
		    const char *after);
/* NULL: no such person. */
WAITS struct staff_person *staff_db_find(struct db *, const char *id);

enum staff_result {
	STAFF_DONE,
	STAFF_NONE,		/* no such person, or not of that kind */
	STAFF_MAY_NOT,		/* oneself, or it takes an admin */
};
/* Ends all sessions; the person is told the reason by mail. */
WAITS MUST_CHECK enum staff_result staff_db_disable(struct db *,
		    const char *who, const char *whom, const char *reason);
WAITS MUST_CHECK enum staff_result staff_db_enable(struct db *,
		    const char *who, const char *whom);
/* Ends all sessions and half sign-ins, and forgets the browsers that are
 * known; the person is told by mail. */
WAITS MUST_CHECK enum staff_result staff_db_sign_out(struct db *,
		    const char *who, const char *whom);
/* Between staff and admin; ends their sessions. */
WAITS MUST_CHECK enum staff_result staff_db_change(struct db *,
		    const char *who, const char *whom, enum account_kind);
/* Closes the account of somebody of staff: name and address are erased, what
 * they did stays. */
WAITS MUST_CHECK enum staff_result staff_db_dismiss(struct db *,
		    const char *who, const char *whom);
/* A link by mail, as latchkeyctl makes it.  False: the address has an
 * account. */
WAITS MUST_CHECK bool staff_db_invite(struct db *, const char *who,
		    const struct address *, const char *name,
		    enum account_kind);

/* The page of a person with a view that may hold errors of its forms. */
WAITS void	 staff_page_person(struct req *, int status, struct view *);
/* GET /staff/people, GET /staff/people/:id and the forms on them */
WAITS void	 staff_page_list(struct req *);
WAITS void	 staff_page_invite(struct req *);
WAITS void	 staff_page_show(struct req *);
WAITS void	 staff_page_disable(struct req *);
WAITS void	 staff_page_enable(struct req *);
WAITS void	 staff_page_sign_out(struct req *);
WAITS void	 staff_page_change(struct req *);
WAITS void	 staff_page_dismiss(struct req *);

#endif
