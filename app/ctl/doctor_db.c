/*
 * What doctor asks.  The schema's tables may be missing, so they are looked
 * for in the catalogue first: a query that names them would not prepare.
 */
#include "ctl/ctl_db.h"

WAITS const struct db_rows *
ctl_db_server(struct db *db)
{
	DB_QUERY(ctl_server,
	    "SELECT current_setting('server_version'), current_user");

	return (db_read(db, &ctl_server, DB_NONE));
}

WAITS const struct db_rows *
ctl_db_schema(struct db *db)
{
	DB_QUERY(ctl_schema_there,
	    "SELECT 1 FROM pg_class AS c"
	    " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
	    " WHERE n.nspname = 'sqitch' AND c.relname = 'changes'"
	    " AND has_schema_privilege(n.oid, 'USAGE')"
	    " AND has_table_privilege(c.oid, 'SELECT')");
	DB_QUERY(ctl_schema,
	    "SELECT change_id, change, count(*) OVER ()"
	    " FROM sqitch.changes WHERE project = 'latchkey'"
	    " ORDER BY committed_at DESC LIMIT 1");
	const struct db_rows	*rows;

	rows = db_read(db, &ctl_schema_there, DB_NONE);
	if (rows->n == 0)
		return (rows);
	return (db_read(db, &ctl_schema, DB_NONE));
}

WAITS const struct db_rows *
ctl_db_outbox(struct db *db)
{
	DB_QUERY(ctl_outbox,
	    "SELECT count(*) FILTER (WHERE state = 'queued'),"
	    " count(*) FILTER (WHERE state = 'failed'),"
	    " coalesce(extract(epoch FROM now() - min(next_at) FILTER"
	    "     (WHERE state = 'queued' AND next_at <= now())), 0)::bigint,"
	    " count(*) FILTER (WHERE state = 'dropped')"
	    " FROM outbox");

	return (db_read(db, &ctl_outbox, DB_NONE));
}

WAITS const struct db_rows *
ctl_db_keys(struct db *db)
{
	DB_QUERY(ctl_keys,
	    "SELECT k.kind, k.version, k.master_version, CASE k.kind"
	    " WHEN 'data' THEN (SELECT count(*) FROM subscription_key AS s"
	    "     WHERE s.data_version = k.version)"
	    "     + (SELECT count(*) FROM totp AS t"
	    "     WHERE t.data_version = k.version)"
	    "     + (SELECT count(*) FROM signing_key AS t"
	    "     WHERE t.data_version = k.version)"
	    " WHEN 'link' THEN 0"
	    " WHEN 'api-user-password' THEN (SELECT count(*)"
	    "     FROM api_user_password AS p WHERE p.mac_version = k.version)"
	    " WHEN 'access-token' THEN (SELECT count(*)"
	    "     FROM access_token AS x WHERE x.mac_version = k.version)"
	    " ELSE (SELECT count(*) FROM subscription_key AS s"
	    "     WHERE s.mac_version = k.version) END,"
	    " k.active_at IS NOT NULL AND NOT EXISTS (SELECT"
	    "     FROM sealed_key AS next WHERE next.kind = k.kind"
	    "     AND next.version > k.version AND next.active_at IS NOT NULL)"
	    " FROM sealed_key AS k ORDER BY k.kind, k.version");

	return (db_read(db, &ctl_keys, DB_NONE));
}
