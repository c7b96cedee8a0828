/*
 * Two clients that are one: an admin merges the first into the second, with a
 * reason, since its people are let in there.  Everything of the first becomes
 * the second's; its code goes on as a former code, and its addresses lead to
 * the other client.  Refused where both have what a client has once.
 */
#ifndef TENANTS_TENANT_MERGE_H
#define TENANTS_TENANT_MERGE_H

#include "db/db.h"

struct req;

/* What would be merged, and what stands against it. */
struct tenant_merge {
	const char	*id, *code, *name;	/* of the second, which stays */
	bool		 is_same, is_closed;	/* it is the first; it is
						 * closed */
	int64_t		 contacts, users;	/* of the first */
	const char	*key_name;		/* that the first has, or "" */
	bool		 both_keys;		/* both have a live key */
	bool		 both_requests;		/* both have an open request */
	const char	*both_users;		/* names of API users that both
						 * have, "FORTAPI, OTHER" or
						 * "" */
};
/* NULL: no client has the code of the second. */
WAITS struct tenant_merge *tenant_db_merge_look(struct db *,
		    const char *from_id, const char *into_code);

enum tenant_merge_result {
	TENANT_MERGE_DONE,
	TENANT_MERGE_NONE,	/* one of them is gone meanwhile, or may not */
	TENANT_MERGE_KEYS,	/* both have a live key */
	TENANT_MERGE_REQUESTS,	/* both have an open request */
	TENANT_MERGE_USERS,	/* both have an API user of a name */
	TENANT_MERGE_OTHER,	/* both have something else that is there
				 * once */
};
/* Owners of both are told. */
WAITS MUST_CHECK enum tenant_merge_result tenant_db_merge(struct db *,
		    const char *who, const char *from_id, const char *into_id,
		    const char *reason);

WAITS void	 tenant_page_merge_form(struct req *);	/* .../:code/merge */
WAITS void	 tenant_page_merge(struct req *);

#endif
