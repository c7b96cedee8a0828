/*
 * Limits of a client in place of its products' plans, set by admins: the
 * gateway hears of them at once (migrations/limits, gateway/limit.h).
 */
#ifndef TENANTS_TENANT_LIMITS_H
#define TENANTS_TENANT_LIMITS_H

#include "tenants/tenant.h"

#define TENANT_LIMITS		7
#define TENANT_CALLS_MAX	INT64_C(1000000000)

/* In the order of tenant_limit_names; calls, 0: as the plan says, or none. */
struct tenant_limits {
	int64_t		 calls[TENANT_LIMITS];
	int64_t		 version;	/* of the client's row, that was seen */
};
extern const char *const tenant_limit_names[TENANT_LIMITS];

/* NULL: no such client. */
WAITS struct tenant_limits *tenant_db_limits(struct db *, const char *id);
/* False: somebody changed the client since then, or who asks is no admin. */
WAITS MUST_CHECK bool tenant_db_set_limits(struct db *, const char *who,
		    const char *id, const struct tenant_limits *);

WAITS void	 tenant_page_limits(struct req *);	/* GET .../:code/limits */
WAITS void	 tenant_page_set_limits(struct req *);
#endif
