/*
 * The statements of a rotation.
 */
#include "vault/renew.h"

#include <assert.h>

#include "base/str.h"
#include "vault/vault.h"

/* A number of ours among the locks of the database. */
#define LOCK		"7017031105"
/* Keys are of no client and have no id. */
#define NOTE(action, detail)						\
    "audit_write(NULL, 'operator', NULL, '" action "', 'vault',"	\
    " '00000000-0000-0000-0000-000000000000', jsonb_build_object("	\
    "'version', " detail "))"

WAITS bool
renew_lock(struct db *db)
{
	DB_QUERY(renew_lock_try, "SELECT pg_try_advisory_lock(" LOCK ")");

	return (db_truth(db_read(db, &renew_lock_try, DB_NONE), 0, 0));
}

WAITS struct renew_state
renew_db_state(struct db *db)
{
	DB_QUERY(renew_state,
	    "SELECT count(*), coalesce(min(master_version), 0),"
	    " coalesce(max(master_version), 0),"
	    " coalesce(max(data_version), 0),"
	    " coalesce(max(data_version) FILTER (WHERE active_at IS NOT NULL),"
	    " 0), coalesce(min(data_version), 0) FROM sealed_key");
	const struct db_rows	*rows = db_read(db, &renew_state, DB_NONE);

	return ((struct renew_state){
		.keys = db_number(rows, 0, 0),
		.master_oldest = db_number(rows, 0, 1),
		.master_newest = db_number(rows, 0, 2),
		.data_newest = db_number(rows, 0, 3),
		.data_active = db_number(rows, 0, 4),
		.data_oldest = db_number(rows, 0, 5),
	});
}

#define HOLDER								\
    "SELECT program, host, pid, master_version, data_version,"		\
    " seals_under, ceil(extract(epoch FROM alive_until - now()))::bigint" \
    " FROM key_holder"

WAITS const struct db_rows *
renew_db_behind(struct db *db, int64_t master_version, int64_t data_version,
    int64_t seals_under)
{
	DB_QUERY(renew_behind,
	    HOLDER " WHERE alive_until > now() AND (master_version < $1::int"
	    " OR data_version < $2::int OR seals_under < $3::int)"
	    " ORDER BY program DESC, host, pid");

	return (db_read(db, &renew_behind, DB_ARGS(db_int(db, master_version),
	    db_int(db, data_version), db_int(db, seals_under))));
}

WAITS const struct db_rows *
renew_db_holders(struct db *db)
{
	DB_QUERY(renew_holders,
	    HOLDER " ORDER BY program DESC, host, pid");

	return (db_read(db, &renew_holders, DB_NONE));
}

WAITS enum renew_step
renew_db_master(struct db *db, int64_t *ret_keys)
{
	/* The rows as they were read, by their sealed values: where one of them
	 * has changed or gone or one has come, nothing happens. */
	DB_QUERY(renew_rows,
	    "SELECT kind, version, sealed FROM sealed_key"
	    " ORDER BY kind, version");
	DB_QUERY(renew_master,
	    "WITH given AS (SELECT * FROM unnest($2::text[], $3::int[],"
	    "    $4::bytea[], $5::bytea[]) AS g (kind, version, old, new)"
	    "), held AS (SELECT k.kind, k.version, g.new"
	    "  FROM sealed_key k LEFT JOIN given g ON g.kind = k.kind"
	    "  AND g.version = k.version AND g.old = k.sealed FOR UPDATE OF k"
	    "), may AS (SELECT (SELECT count(*) FROM given) ="
	    "    (SELECT count(held.new) FROM held)"
	    "  AND (SELECT count(*) FROM held) = (SELECT count(*) FROM given)"
	    "    AS is_whole, EXISTS (SELECT FROM key_holder"
	    "    WHERE alive_until > now() AND master_version < $1::int)"
	    "    AS is_behind"
	    "), done AS (UPDATE sealed_key k SET sealed = held.new,"
	    "    master_version = $1::int FROM held, may"
	    "  WHERE k.kind = held.kind AND k.version = held.version"
	    "  AND may.is_whole AND NOT may.is_behind RETURNING k.kind)"
	    " SELECT may.is_whole, may.is_behind,"
	    " (SELECT count(*) FROM done), CASE WHEN EXISTS (SELECT FROM done)"
	    " THEN " NOTE("vault.master_rotated", "$1::int") " END FROM may");
	const struct db_rows	*rows;
	const char		**columns[4];
	unsigned char		 fresh[KEY_BYTES + SEAL_OVERHEAD];
	const void		*old;
	size_t			 bytes, n, i;
	bool			 ok;

	rows = db_read(db, &renew_rows, DB_NONE);
	n = (size_t)rows->n;
	for (i = 0; i < COUNT(columns); i++)
		columns[i] = arena_calloc(db_arena(db), n + 1,
		    sizeof(**columns));
	for (i = 0; i < n; i++) {
		columns[0][i] = db_text(rows, (int)i, 0);
		columns[1][i] = db_text(rows, (int)i, 1);
		old = db_blob(db, rows, (int)i, 2, &bytes);
		columns[2][i] = db_bytes(db, old, bytes);
		ok = keyring_reseal(vault, columns[0][i],
		    (uint32_t)db_number(rows, (int)i, 1), fresh);
		if (!ok)
			return (STEP_AGAIN);
		columns[3][i] = db_bytes(db, fresh, sizeof(fresh));
	}
	rows = db_write(db, &renew_master, DB_ARGS(
	    db_int(db, keyring_master_newest(vault)),
	    db_text_array(db, columns[0], n), db_text_array(db, columns[1], n),
	    db_text_array(db, columns[2], n),
	    db_text_array(db, columns[3], n)));
	db_must(db, rows);
	assert(rows->n == 1);
	if (db_truth(rows, 0, 1))
		return (STEP_BEHIND);
	if (!db_truth(rows, 0, 0))
		return (STEP_AGAIN);
	*ret_keys = db_number(rows, 0, 2);
	return (STEP_DONE);
}

WAITS enum renew_step
renew_db_data_make(struct db *db, int64_t version)
{
	DB_QUERY(renew_data_make,
	    "WITH may AS (SELECT EXISTS (SELECT FROM key_holder"
	    "    WHERE alive_until > now() AND master_version < $2::int)"
	    "    AS is_behind"
	    "), fresh AS (INSERT INTO sealed_key (kind, version,"
	    "    master_version, sealed, active_at)"
	    "  SELECT 'data', $1::int, $2::int, $3::bytea, NULL FROM may"
	    "  WHERE NOT may.is_behind ON CONFLICT DO NOTHING"
	    "  RETURNING version)"
	    " SELECT may.is_behind, fresh.version IS NOT NULL,"
	    " CASE WHEN fresh.version IS NOT NULL THEN "
	    NOTE("vault.data_made", "$1::int") " END"
	    " FROM may LEFT JOIN fresh ON true");
	const struct db_rows	*rows;
	unsigned char		 sealed[KEY_BYTES + SEAL_OVERHEAD];
	size_t			 bytes;

	bytes = vault_make("data", (uint32_t)version, sealed);
	rows = db_write(db, &renew_data_make, DB_ARGS(db_int(db, version),
	    db_int(db, keyring_master_newest(vault)),
	    db_bytes(db, sealed, bytes)));
	db_must(db, rows);
	assert(rows->n == 1);
	if (db_truth(rows, 0, 0))
		return (STEP_BEHIND);
	return (db_truth(rows, 0, 1) ? STEP_DONE : STEP_AGAIN);
}

WAITS enum renew_step
renew_db_data_use(struct db *db, int64_t version)
{
	DB_QUERY(renew_data_use,
	    "WITH may AS (SELECT EXISTS (SELECT FROM key_holder"
	    "    WHERE alive_until > now() AND data_version < $1::int)"
	    "    AS is_behind"
	    "), done AS (UPDATE sealed_key SET active_at = now() FROM may"
	    "  WHERE data_version = $1::int AND active_at IS NULL"
	    "  AND NOT may.is_behind RETURNING version)"
	    " SELECT may.is_behind, done.version IS NOT NULL,"
	    " CASE WHEN done.version IS NOT NULL THEN "
	    NOTE("vault.data_rotated", "$1::int") " END"
	    " FROM may LEFT JOIN done ON true");
	const struct db_rows	*rows;

	rows = db_write(db, &renew_data_use, DB_ARGS(db_int(db, version)));
	db_must(db, rows);
	assert(rows->n == 1);
	if (db_truth(rows, 0, 0))
		return (STEP_BEHIND);
	return (db_truth(rows, 0, 1) ? STEP_DONE : STEP_AGAIN);
}

WAITS enum renew_retired
renew_db_data_retire(struct db *db, int64_t version)
{
	DB_QUERY(renew_data_retire,
	    "WITH gone AS MATERIALIZED (SELECT data_key_retire($1::int)"
	    " AS is_gone)"
	    " SELECT is_gone, CASE WHEN is_gone THEN "
	    NOTE("vault.data_retired", "$1::int") " END FROM gone");
	const struct db_rows	*rows;

	rows = db_write(db, &renew_data_retire, DB_ARGS(db_int(db, version)));
	if (rows->outcome == DB_REFUSED)
		return (RETIRE_IN_USE);
	db_must(db, rows);
	assert(rows->n == 1);
	return (db_truth(rows, 0, 0) ? RETIRE_DONE : RETIRE_EARLY);
}
