/*
 * SQL of calls that are sent again: see replay.h.
 */
#include "api/replay.h"

#include <string.h>

#include "base/str.h"

static const char *hash_of(struct db *, const char *key);

enum replay_result
replay_db_claim(struct db *db, const char *token_id, const char *key,
    const unsigned char request[SHA256_BYTES], struct replay *ret_replay)
{
	/* Of two at once the second waits for the first's row, and then sees
	 * it in neither CTE: it runs. */
	DB_QUERY(replay_claim,
	    "WITH old AS (SELECT request_hash = $3::bytea AS same, status, "
	    "body FROM api_replay WHERE token_id = $1::uuid "
	    "AND key_hash = $2::bytea "
	    "AND created_at > now() - interval '24 hours'), "
	    "mine AS (INSERT INTO api_replay AS r (token_id, key_hash, "
	    "request_hash) SELECT $1::uuid, $2::bytea, $3::bytea "
	    "WHERE NOT EXISTS (SELECT FROM old) "
	    "ON CONFLICT (token_id, key_hash) DO UPDATE "
	    "SET request_hash = excluded.request_hash, created_at = now(), "
	    "status = NULL, body = NULL "
	    "WHERE r.created_at <= now() - interval '24 hours' RETURNING 1) "
	    "SELECT EXISTS (SELECT FROM mine), coalesce(old.same, true), "
	    "coalesce(old.status, 0), old.body "
	    "FROM (SELECT 1) AS one LEFT JOIN old ON true");
	const struct db_rows	*rows;

	rows = db_write(db, &replay_claim, DB_ARGS(token_id, hash_of(db, key),
	    db_bytes(db, request, SHA256_BYTES)));
	db_must(db, rows);
	if (db_truth(rows, 0, 0))
		return (REPLAY_NEW);
	if (!db_truth(rows, 0, 1))
		return (REPLAY_OTHER);
	ret_replay->status = (int)db_number(rows, 0, 2);
	if (ret_replay->status == 0)
		return (REPLAY_RUNNING);
	ret_replay->body = db_text(rows, 0, 3);
	return (ret_replay->body == NULL ? REPLAY_REVEALED : REPLAY_DONE);
}

void
replay_db_end(struct db *db, const char *token_id, const char *key,
    int status, const char *body)
{
	DB_QUERY(replay_end,
	    "UPDATE api_replay SET status = $3::integer, body = $4::text "
	    "WHERE token_id = $1::uuid AND key_hash = $2::bytea");
	const struct db_rows	*rows;

	rows = db_write(db, &replay_end, DB_ARGS(token_id, hash_of(db, key),
	    db_int(db, status), body));
	db_must(db, rows);
}

void
replay_db_free(struct db *db, const char *token_id, const char *key)
{
	/* As one that has run out, which the courier may delete. */
	DB_QUERY(replay_free,
	    "UPDATE api_replay SET created_at = now() - interval '25 hours' "
	    "WHERE token_id = $1::uuid AND key_hash = $2::bytea "
	    "AND status IS NULL");

	db_must(db, db_write(db, &replay_free, DB_ARGS(token_id,
	    hash_of(db, key))));
}

static const char *
hash_of(struct db *db, const char *key)
{
	unsigned char	hash[SHA256_BYTES];

	sha256(hash, key, strlen(key));
	return (db_bytes(db, hash, sizeof(hash)));
}
