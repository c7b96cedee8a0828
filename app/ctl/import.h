/*
 * An import of clients, between its files: what the file says (tenant_import.c)
 * and what that changes (import_plan.c).
 */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include "ctl/ctl.h"
#include "ctl/ctl_db.h"

#define IMPORT_TENANTS_MAX	200000
#define IMPORT_DOMAINS_MAX	(2 * IMPORT_TENANTS_MAX)
#define IMPORT_COMPLAINTS_MAX	20	/* then it says how many more there are */

enum import_what { IMPORT_NEW, IMPORT_CHANGED, IMPORT_SAME };

struct import {
	struct ctl		*ctl;
	const char		*file;
	/* Rows of the file; a domain's row is the place of its client. */
	size_t			 n, n_domains;
	const char		**id, **code, **name, **slug;
	int64_t			*line;
	size_t			*first_domain;	/* of each row, n + 1 of them */
	const char		**domain;
	bool			*domain_there;	/* on the client's list already */
	/* What is there: see import_plan(). */
	enum import_what	*what;
	const char		**old_name;	/* NULL: it stays */
	int64_t			 complaints;
};

/* A sentence on standard error, that begins "line 3 ". */
void		 import_complain(struct import *, int64_t line, const char *,
		    ...) FORMAT(3, 4);
/* Finds out what is new, changed and the same, and chooses short names. */
WAITS void	 import_plan(struct import *);
/* One line for each row. */
void		 import_print(const struct import *);
/* False when somebody was faster. */
WAITS MUST_CHECK bool import_do(struct import *);

#endif
