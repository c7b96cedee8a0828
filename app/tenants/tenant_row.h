/*
 * How a client is read, for the _db.c files of this slice: the columns of
 * struct tenant in its order.  A tenant's key is the live subscription among
 * the products with one key per tenant, found by the very index that allows
 * one only in each environment: of several, that of the first by its name,
 * "live" before "test".
 */
#ifndef TENANTS_TENANT_ROW_H
#define TENANTS_TENANT_ROW_H

#include "tenants/tenant.h"

#define TENANT_MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

/* For a tenant `t`; `k` is its key. */
#define TENANT_COLUMNS							\
	"t.id, t.code, t.name, t.slug, "				\
	"(SELECT coalesce(string_agg(d.domain, ', ' ORDER BY d.domain), '') " \
	"  FROM tenant_domain d WHERE d.tenant_id = t.id), "		\
	TENANT_MICROS("t.created_at") ", "				\
	"(SELECT count(*) FROM membership m WHERE m.tenant_id = t.id), "	\
	"k.state, k.name, t.state = 'active', "				\
	"(SELECT coalesce(string_agg(x.code, ', ' ORDER BY x.code), '') " \
	"  FROM tenant_alias x WHERE x.tenant_id = t.id) "
#define TENANT_COLUMNS_N	11
#define TENANT_KEY							\
	"LEFT JOIN LATERAL (SELECT s.state, s.name FROM subscription s "	\
	"  WHERE s.tenant_id = t.id AND s.one_key "			\
	"  AND s.state IN ('active', 'suspended') "			\
	"  ORDER BY s.environment LIMIT 1) k ON true "

struct tenant	tenant_row_read(const struct db_rows *, int row);

#endif
