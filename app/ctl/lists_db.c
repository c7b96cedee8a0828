/*
 * What the lists show.
 */
#include "ctl/ctl_db.h"

#define ISO	"'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'"

WAITS const struct db_rows *
ctl_db_tenants(struct db *db)
{
	DB_QUERY(ctl_tenants,
	    "SELECT t.code, t.name, t.state,"
	    " (SELECT coalesce(string_agg(d.domain, ';' ORDER BY d.domain),"
	    "     '') FROM tenant_domain AS d WHERE d.tenant_id = t.id),"
	    " (SELECT count(*) FROM membership AS m WHERE m.tenant_id = t.id),"
	    " (SELECT count(*) FROM subscription AS s WHERE s.tenant_id = t.id"
	    "     AND s.state IN ('active', 'suspended'))"
	    " FROM tenant AS t ORDER BY t.code");

	return (db_read(db, &ctl_tenants, DB_NONE));
}

WAITS const struct db_rows *
ctl_db_subscriptions(struct db *db)
{
	DB_QUERY(ctl_subscriptions,
	    "SELECT s.name, t.code, p.slug, s.environment, s.state,"
	    " to_char(s.created_at AT TIME ZONE 'UTC', " ISO "),"
	    " to_char(s.expires_at AT TIME ZONE 'UTC', " ISO "), s.id"
	    " FROM subscription AS s"
	    " JOIN tenant AS t ON t.id = s.tenant_id"
	    " JOIN product AS p ON p.id = s.product_id"
	    " ORDER BY t.code, s.created_at, s.id");

	return (db_read(db, &ctl_subscriptions, DB_NONE));
}
