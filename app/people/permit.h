/*
 * What the keys of people may: roles of the client's catalogue (api_role, the
 * same that API users have), and whether somebody makes keys for the whole
 * client.
 *
 *	owner	gives managers and members any role, and lets them make keys
 *		for the client; owners need nothing, they may everything
 *	manager	gives members, and takes from them, roles that the manager has
 *		as well; no more
 *
 * That stands in the statement, which holds the rows of both people and of the
 * roles that a manager has: what is taken from a manager at that moment is not
 * given on.  Nor does a manager widen a role that people have (ROLE_WIDER), or
 * what a manager has would be what a manager likes.  Keys that carry their maker's permissions lose with the next call
 * what their maker loses (person_cells, key_matrix).
 */
#ifndef PEOPLE_PERMIT_H
#define PEOPLE_PERMIT_H

#include "db/db.h"

struct req;

#define PERMIT_ROLES_MAX	200	/* of a client, offered: 50 may be made;
					 * clients that were merged have more */

struct permit_role {
	const char	*id, *name;
	bool		 is_named;	/* data of named accounts only */
	bool		 has;		/* the person it is about */
	bool		 may_give;	/* who asks */
};
struct permit {
	const char	*account_id, *person;
	bool		 is_owner;	/* the person: may everything */
	bool		 makes_keys;
	int64_t		 version;
	struct permit_role *roles;	/* presets first, then by name */
	int		 n;
};
/* NULL: nobody whose permissions the person `who` changes. */
WAITS struct permit *permit_db_read(struct db *, const char *who,
		    const char *whom);

struct permit_form {
	const char	*const *roles;	/* ids, each once */
	size_t		 roles_n;
	bool		 makes_keys;	/* from owners; else it stays */
	int64_t		 version;	/* as the form was made */
};
enum permit_result {
	PERMIT_SAVED,
	PERMIT_NONE,		/* nobody whose permissions who asks changes */
	PERMIT_BEYOND,		/* a role that who asks can't give, or gone */
	PERMIT_FASTER,		/* somebody else just changed them */
};
/* The roles in place of those before that `who` could give; others stay. */
WAITS MUST_CHECK enum permit_result permit_db_save(struct db *, const char *who,
		    const char *whom, const struct permit_form *);

/* GET, POST /people/:id/permissions: fields version, role (as often as there
 * are some) and makes_keys */
WAITS void	 permit_page(struct req *);
WAITS void	 permit_page_save(struct req *);

#endif
