/*
 * Roles of a client: what an integration may do.  A role is a matrix of the
 * resources of the client's products by operation, and a scope: the data of
 * all accounts, or of named ones.  Every client begins with Read-only, Billing
 * and Full access, which can be changed as any of its own.
 *
 * A user's permissions with a product are the union of its roles', in one
 * canonical text that api_matrix() makes: permission.h decides on it.  Nothing
 * can be granted that no product of the client includes; the database refuses
 * it.
 */
#ifndef APIUSERS_ROLE_H
#define APIUSERS_ROLE_H

#include "apiusers/permission.h"
#include "crypto/token.h"
#include "db/db.h"

struct req;
struct view;

#define ROLES_MAX		50	/* of a client */
#define ROLE_NAME_MAX		40	/* characters */
#define ROLE_ACCOUNTS_MAX	50
#define ROLE_ACCOUNT_MAX	20	/* characters of an account number */
/* Of all products of a client, shown: three as large as any may be.  Ticked
 * through, that is 750 fields (REQ_FIELDS_MAX) of 48 bytes, in 36 of 64 kB. */
#define ROLE_RESOURCES_MAX	150

struct role {
	const char	*id, *name;
	const char	*accounts;	/* one a line; "" is all */
	bool		 is_preset;
	int64_t		 version, users;
};
struct roles {
	struct role	*list;
	int		 n;
};
/* Presets first, then by name. */
WAITS struct roles role_db_list(struct db *, const char *tenant_id);

/* What a client's products include. */
struct api_resource {
	const char	*id, *name, *note, *path;
	const char	*product_id, *product;
	bool		 offers[PERMISSION_METHODS];
	bool		 has[PERMISSION_METHODS];	/* the role in question */
};
struct api_resources {
	struct api_resource	*list;
	int		 n;
};
/* Of all its live subscriptions, in the products' order; `has` is of that
 * role, NULL for none. */
WAITS struct api_resources role_db_resources(struct db *, const char *tenant_id,
		    const char *role_id);

/* What a user may do with each product. */
struct role_matrix {
	const char	*product_id, *product;
	const struct permission_set *set;
};
struct role_matrices {
	struct role_matrix *list;
	int		 n;
};
WAITS struct role_matrices role_db_matrices(struct db *, const char *user_id);

struct role_form {
	const char	*id;		/* made by the caller for a new one */
	const char	*name;
	const char	*const *accounts;	/* numbers; none is all */
	size_t		 accounts_n;
	const char	*const *resources;	/* ids, and beside each */
	const char	*const *operations;	/* its operation */
	size_t		 grants_n;
	int64_t		 version;	/* as the form was made; 0: a new one */
};
enum role_result {
	ROLE_SAVED,
	ROLE_NONE,		/* no such role, or no right */
	ROLE_TAKEN,		/* the name is */
	ROLE_NOT_INCLUDED,	/* something that no product includes */
	ROLE_FASTER,		/* somebody else just changed it */
	ROLE_FULL,		/* ROLES_MAX */
	ROLE_USED,		/* by users or people: it can't be deleted */
	ROLE_WIDER,		/* people have it: an owner widens it */
};
WAITS MUST_CHECK enum role_result role_db_make(struct db *, const char *who,
		    const char *tenant_id, const struct role_form *);
WAITS MUST_CHECK enum role_result role_db_save(struct db *, const char *who,
		    const char *tenant_id, const struct role_form *);
/* Own ones that nobody has; presets stay.  version: as what was seen had it, or
 * 0 for any. */
WAITS MUST_CHECK enum role_result role_db_delete(struct db *, const char *who,
		    const char *tenant_id, const char *id, int64_t version);

/* Account numbers parted by white space or commas, at most ROLE_ACCOUNTS_MAX,
 * each once; NULL with a sentence in ret_wrong. */
const char	*const *role_accounts_read(struct arena *, const char *typed,
		    size_t *ret_n, const char **ret_wrong);
/* "GET" for 0 ... */
const char	*role_operation(int);

/* Reads the form of a role into all but id and version; false, with what is
 * wrong in the view. */
bool		 role_page_read(struct req *, struct view *,
		    struct role_form *);

WAITS void	 role_page_list(struct req *);	/* GET /api-roles */
WAITS void	 role_page_make(struct req *);	/* POST */
WAITS void	 role_page(struct req *);	/* GET /api-roles/:id */
WAITS void	 role_page_save(struct req *);	/* POST */
WAITS void	 role_page_delete(struct req *); /* POST .../delete */
/* Staff: /staff/tenants/:code/api-roles and below; admins change them. */
WAITS void	 role_page_staff_list(struct req *);
WAITS void	 role_page_staff_make(struct req *);
WAITS void	 role_page_staff(struct req *);
WAITS void	 role_page_staff_save(struct req *);
WAITS void	 role_page_staff_delete(struct req *);

#endif
