/*
 * SQL of the list of sessions.
 */
#include "sessions/session_list.h"

#include "crypto/token.h"

#define US(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

struct session_list
session_db_list(struct db *db, const char *account_id, const char *cookie)
{
	/* Living as session_find has it; the limit is SESSION_LIST_MAX. */
	DB_QUERY(session_list,
	    "SELECT id, agent, coalesce(host(address), ''), " US("created_at")
	    ", " US("last_used_at") ", id_hash = $2::bytea FROM session "
	    "WHERE account_id = $1::uuid AND expires_at > now() "
	    "AND last_used_at > now() - interval '12 hours' "
	    "ORDER BY id_hash = $2::bytea DESC, last_used_at DESC, id "
	    "LIMIT 50");
	const struct db_rows	*rows;
	struct session_list	 list;
	int			 i;

	rows = db_read(db, &session_list, DB_ARGS(account_id,
	    session_hash(db, cookie)));
	list.n = rows->n;
	list.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*list.list));
	for (i = 0; i < rows->n; i++) {
		list.list[i] = (struct session_row){
			.id = db_text(rows, i, 0),
			.agent = db_text(rows, i, 1),
			.address = db_text(rows, i, 2),
			.created_at = db_number(rows, i, 3),
			.last_used_at = db_number(rows, i, 4),
			.is_mine = db_truth(rows, i, 5),
		};
	}
	return (list);
}

enum session_ended
session_db_end_one(struct db *db, const char *account_id, const char *id,
    const char *cookie)
{
	DB_QUERY(session_end_one,
	    "WITH ended AS (DELETE FROM session WHERE id = $2::uuid "
	    "AND account_id = $1::uuid RETURNING account_id AS id, id_hash), "
	    "audit AS (SELECT audit_write(m.tenant_id, 'account', ended.id, "
	    "'session.ended', 'account', ended.id) AS n "
	    "FROM ended LEFT JOIN membership m ON m.account_id = ended.id) "
	    "SELECT ended.id_hash = $3::bytea FROM ended, audit "
	    "WHERE audit.n IS NOT NULL");
	const struct db_rows	*rows;

	if (!uuid_shaped(id))
		return (SESSION_ENDED_NONE);
	rows = db_write(db, &session_end_one, DB_ARGS(account_id, id,
	    session_hash(db, cookie)));
	db_must(db, rows);
	if (rows->n == 0)
		return (SESSION_ENDED_NONE);
	return (db_truth(rows, 0, 0) ? SESSION_ENDED_MINE :
	    SESSION_ENDED_OTHER);
}

int64_t
session_db_end_others(struct db *db, const char *account_id,
    const char *cookie)
{
	DB_QUERY(session_end_others,
	    "WITH ended AS (DELETE FROM session WHERE account_id = $1::uuid "
	    "AND id_hash <> $2::bytea RETURNING account_id AS id), "
	    "audit AS (SELECT audit_write(m.tenant_id, 'account', ended.id, "
	    "'session.ended', 'account', ended.id) AS n "
	    "FROM ended LEFT JOIN membership m ON m.account_id = ended.id) "
	    "SELECT count(n) FROM audit");
	const struct db_rows	*rows;

	rows = db_write(db, &session_end_others, DB_ARGS(account_id,
	    session_hash(db, cookie)));
	db_must(db, rows);
	return (db_number(rows, 0, 0));
}
