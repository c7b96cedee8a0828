/*
 * What becomes of an issued key, one statement each.  `seen` locks the key and
 * reads it behind the lock, so the second of two at once finds what the first
 * has left.
 */
#include "keys/issued.h"

#include <assert.h>

#include "base/str.h"
#include "crypto/seal.h"
#include "keys/issued_sql.h"

#define SEEN								\
    "seen AS MATERIALIZED (SELECT k.id, k.name, k.state, k.maker_id,"	\
    "  s.id AS subscription_id, s.name AS subscription, s.tenant_id,"	\
    "  s.product_id, p.name AS product, t.name AS client, f.scopes,"	\
    "  f.within_maker, f.can_pause, f.can_delete, f.can_revoke,"	\
    "  f.can_expire, f.overlaps_s, " LIVES " AS lives, " CHANGES	\
    " AS changes, " ACTIVATES " AS activates" ASKER			\
    "  JOIN issued_key k ON k.subscription_id = s.id"			\
    "  WHERE m.account_id = $1::uuid AND k.id = $2::uuid"		\
    "  AND k.state <> 'deleted' AND " SEES " FOR UPDATE OF k)"

WAITS enum issued_result
issued_db_edit(struct db *db, const char *who, const char *key_id,
    const struct issued_form *form)
{
	DB_QUERY(issued_edit,
	    "WITH " SEEN ", held AS MATERIALIZED (SELECT h.resource_id,"
	    "  h.operation FROM seen, person_cells(seen.maker_id,"
	    "  seen.tenant_id, seen.product_id) h WHERE seen.within_maker"
	    "), picked AS MATERIALIZED (SELECT c.id FROM seen"
	    "  JOIN product_scope c ON c.product_id = seen.product_id"
	    "  WHERE c.word = ANY ($5::text[]) AND (NOT seen.within_maker"
	    "  OR NOT EXISTS (SELECT FROM product_scope_grant g"
	    "    WHERE g.scope_id = c.id AND NOT EXISTS (SELECT FROM held h"
	    "    WHERE h.resource_id = g.resource_id"
	    "    AND h.operation = g.operation)))"
	    "), may AS (SELECT seen.* FROM seen WHERE seen.changes"
	    "  AND seen.lives AND seen.state IN ('active', 'inactive')"
	    "), good AS (SELECT may.* FROM may"
	    "  WHERE (SELECT count(*) FROM picked) = cardinality($5::text[])"
	    "  AND (may.scopes = 'picked') = (cardinality($5::text[]) > 0)"
	    "), gone AS (DELETE FROM issued_key_scope ks USING good"
	    "  WHERE ks.key_id = good.id AND ks.scope_id NOT IN"
	    "  (SELECT id FROM picked) RETURNING ks.scope_id"
	    "), added AS (INSERT INTO issued_key_scope (key_id, scope_id)"
	    "  SELECT good.id, picked.id FROM good, picked"
	    "  ON CONFLICT DO NOTHING RETURNING scope_id"
	    "), done AS (UPDATE issued_key k SET name = $3::text,"
	    "    name_folded = $4::text, expires_at = CASE WHEN good.can_expire"
	    "    THEN $6::timestamptz END FROM good WHERE k.id = good.id"
	    "  RETURNING k.id"
	    "), " TOLD("done", "'changed it'", "NULL", "NULL")
	    " SELECT may.id IS NOT NULL, good.id IS NOT NULL,"
	    " CASE WHEN done.id IS NOT NULL THEN audit_write(seen.tenant_id,"
	    "  'account', $1::uuid, 'issued_key.changed', 'issued_key',"
	    "  seen.id, jsonb_build_object("
	    "  'scopes_added', (SELECT count(scope_id) FROM added),"
	    "  'scopes_taken', (SELECT count(scope_id) FROM gone))) END,"
	    " (SELECT count(told.mail) FROM told)"
	    " FROM seen LEFT JOIN may ON true LEFT JOIN good ON true"
	    " LEFT JOIN done ON true");
	const struct db_rows	*rows;

	rows = db_write(db, &issued_edit, DB_ARGS(who, key_id, form->name,
	    form->name_folded, db_text_array(db, form->scopes,
	    form->scopes_n), form->expires_at == 0 ? NULL :
	    db_time(db, form->expires_at)));
	if (str_eq(rows->constraint, "issued_key_name"))
		return (ISSUED_NAME);
	db_must(db, rows);
	if (rows->n == 0)
		return (ISSUED_NONE);
	if (!db_truth(rows, 0, 0))
		return (ISSUED_LATE);
	return (db_truth(rows, 0, 1) ? ISSUED_DONE : ISSUED_SCOPES);
}

WAITS enum issued_result
issued_db_regenerate(struct db *db, const char *who, const char *key_id,
    const char *was, int64_t overlap_s, const struct issued_value *value,
    const char *nonce)
{
	/* The old value from before ends (`over`), then the current one
	 * becomes old (`aged`), then the new one comes: each reads the one
	 * before, and the unique indexes see one of a kind at any time. */
	DB_QUERY(issued_regenerate,
	    "WITH " SEEN ", may AS (SELECT seen.* FROM seen WHERE seen.changes"
	    "  AND seen.lives AND seen.state IN ('active', 'inactive')"
	    "  AND $4::int >= 0 AND $4::int = ANY (seen.overlaps_s)"
	    "), burn AS (INSERT INTO reveal (nonce_hash, account_id)"
	    "  SELECT $11::bytea, $1::uuid FROM may"
	    "  ON CONFLICT (nonce_hash) DO NOTHING RETURNING nonce_hash"
	    "), cur AS (SELECT v.id, v.key_id FROM may, burn,"
	    "    subscription_key v WHERE v.id = $3::uuid"
	    "  AND v.key_id = may.id AND v.state = 'current' FOR UPDATE OF v"
	    "), over AS (UPDATE subscription_key v SET state = 'ended',"
	    "    ends_at = least(v.ends_at, now()) FROM cur"
	    "  WHERE v.key_id = cur.key_id AND v.state = 'old' RETURNING v.id"
	    "), aged AS (UPDATE subscription_key v"
	    "  SET state = CASE WHEN $4::int > 0 THEN 'old' ELSE 'ended' END,"
	    "    ends_at = now() + make_interval(secs => $4::int)"
	    "  FROM cur WHERE v.id = cur.id"
	    "  AND (SELECT count(*) FROM over) >= 0"
	    "  RETURNING v.id, v.subscription_id, v.key_id, v.ends_at"
	    "), fresh AS (INSERT INTO subscription_key (id, subscription_id,"
	    "    key_id, mac, prefix_mac, mac_version, first, last4,"
	    "    created_by) SELECT $5::uuid, aged.subscription_id,"
	    "  aged.key_id, $6::bytea, $7::bytea, $8::int, $9::text,"
	    "  $10::text, $1::uuid FROM aged RETURNING id"
	    "), " TOLD("aged", "'regenerated it'", "NULL",
	    "CASE WHEN $4::int > 0 THEN aged.ends_at END")
	    " SELECT may.id IS NOT NULL, burn.nonce_hash IS NOT NULL,"
	    " fresh.id IS NOT NULL, CASE WHEN fresh.id IS NOT NULL THEN"
	    "  audit_write(seen.tenant_id, 'account', $1::uuid,"
	    "  'issued_key.regenerated', 'issued_key', seen.id,"
	    "  jsonb_build_object('overlap_s', $4::int))"
	    "  END, (SELECT count(told.mail) FROM told)"
	    " FROM seen LEFT JOIN may ON true LEFT JOIN burn ON true"
	    " LEFT JOIN fresh ON true");
	const struct db_rows	*rows;
	unsigned char		 hash[SHA256_BYTES];

	sha256(hash, nonce, strlen(nonce));
	rows = db_write(db, &issued_regenerate, DB_ARGS(who, key_id, was,
	    db_int(db, overlap_s), value->id,
	    db_bytes(db, value->mac, sizeof(value->mac)),
	    db_bytes(db, value->prefix_mac, sizeof(value->prefix_mac)),
	    db_int(db, value->mac_version), value->first, value->last4,
	    db_bytes(db, hash, sizeof(hash))));
	db_must(db, rows);
	if (rows->n == 0)
		return (ISSUED_NONE);
	if (!db_truth(rows, 0, 0))
		return (ISSUED_LATE);
	if (!db_truth(rows, 0, 1))
		return (ISSUED_AGAIN);
	return (db_truth(rows, 0, 2) ? ISSUED_DONE : ISSUED_LATE);
}

WAITS enum issued_result
issued_db_end(struct db *db, const char *who, const char *key_id,
    const char *value_id)
{
	DB_QUERY(issued_end,
	    "WITH " SEEN ", done AS (UPDATE subscription_key v"
	    "  SET state = 'ended', ends_at = now() FROM seen"
	    "  WHERE v.id = $3::uuid AND v.key_id = seen.id"
	    "  AND v.state = 'old' AND v.ends_at > now() RETURNING v.id"
	    "), " TOLD("done", "'ended its old value'", "NULL", "NULL")
	    " SELECT CASE WHEN done.id IS NOT NULL THEN"
	    "  audit_write(seen.tenant_id, 'account', $1::uuid,"
	    "  'issued_key.overlap_ended', 'issued_key', seen.id,"
	    "  jsonb_build_object('subscription', seen.subscription_id)) END,"
	    " (SELECT count(told.mail) FROM told)"
	    " FROM seen LEFT JOIN done ON true");
	const struct db_rows	*rows;

	rows = db_write(db, &issued_end, DB_ARGS(who, key_id, value_id));
	db_must(db, rows);
	if (rows->n == 0)
		return (ISSUED_NONE);
	return (db_is_null(rows, 0, 0) ? ISSUED_LATE : ISSUED_DONE);
}

WAITS enum issued_result
issued_db_state(struct db *db, const char *who, const char *key_id,
    const char *deed)
{
	DB_QUERY(issued_state,
	    "WITH " SEEN ", deed AS (SELECT seen.id, CASE $3::text"
	    "  WHEN 'deactivate' THEN 'inactive' WHEN 'activate' THEN 'active'"
	    "  WHEN 'revoke' THEN 'revoked' WHEN 'delete' THEN 'deleted' END"
	    "  AS state FROM seen WHERE CASE $3::text"
	    "  WHEN 'deactivate' THEN seen.can_pause AND seen.state = 'active'"
	    "  WHEN 'activate' THEN seen.can_pause AND seen.activates"
	    "    AND seen.lives AND seen.state = 'inactive'"
	    "  WHEN 'revoke' THEN seen.can_revoke AND seen.state <> 'revoked'"
	    "  WHEN 'delete' THEN seen.can_delete AND seen.state <> 'revoked'"
	    "  ELSE false END"
	    "), done AS (UPDATE issued_key k SET state = deed.state,"
	    "    state_at = now(), state_by = $1::uuid, state_reason = ''"
	    "  FROM deed WHERE k.id = deed.id RETURNING k.id, k.state"
	    "), ended AS (UPDATE subscription_key v SET state = 'ended',"
	    "    ends_at = least(v.ends_at, now()) FROM done"
	    "  WHERE v.key_id = done.id AND v.state <> 'ended'"
	    "  AND done.state IN ('revoked', 'deleted') RETURNING v.id"
	    "), " TOLD("done", "CASE done.state WHEN 'inactive'"
	    " THEN 'deactivated it' WHEN 'active' THEN 'activated it'"
	    " WHEN 'revoked' THEN 'revoked it' ELSE 'deleted it' END",
	    "NULL", "NULL")
	    " SELECT CASE WHEN done.id IS NOT NULL THEN"
	    "  audit_write(seen.tenant_id, 'account', $1::uuid,"
	    "  CASE done.state WHEN 'inactive' THEN 'issued_key.deactivated'"
	    "  WHEN 'active' THEN 'issued_key.activated'"
	    "  WHEN 'revoked' THEN 'issued_key.revoked'"
	    "  ELSE 'issued_key.deleted' END, 'issued_key', seen.id,"
	    "  jsonb_build_object('subscription', seen.subscription_id)) END,"
	    " (SELECT count(told.mail) FROM told),"
	    " (SELECT count(ended.id) FROM ended)"
	    " FROM seen LEFT JOIN done ON true");
	const struct db_rows	*rows;

	rows = db_write(db, &issued_state, DB_ARGS(who, key_id, deed));
	db_must(db, rows);
	if (rows->n == 0)
		return (ISSUED_NONE);
	return (db_is_null(rows, 0, 0) ? ISSUED_LATE : ISSUED_DONE);
}

WAITS enum issued_result
issued_db_revoke(struct db *db, const char *who, const char *key_id,
    const char *reason)
{
	DB_QUERY(issued_revoke,
	    "WITH seen AS MATERIALIZED (SELECT k.id, k.name, k.maker_id,"
	    "  k.state, s.id AS subscription_id, s.name AS subscription,"
	    "  s.tenant_id, p.name AS product, t.name AS client"
	    "  FROM issued_key k JOIN subscription s ON s.id = k.subscription_id"
	    "  JOIN product p ON p.id = s.product_id"
	    "  JOIN tenant t ON t.id = s.tenant_id WHERE k.id = $2::uuid"
	    "  AND ($1::uuid IS NULL OR EXISTS (SELECT FROM account a"
	    "    WHERE a.id = $1::uuid AND a.kind = 'staff'"
	    "    AND a.state = 'active')) FOR UPDATE OF k"
	    "), done AS (UPDATE issued_key k SET state = 'revoked',"
	    "    state_at = now(), state_by = $1::uuid, state_reason = $3::text"
	    "  FROM seen WHERE k.id = seen.id"
	    "  AND seen.state NOT IN ('revoked', 'deleted') RETURNING k.id"
	    "), ended AS (UPDATE subscription_key v SET state = 'ended',"
	    "    ends_at = least(v.ends_at, now()) FROM done"
	    "  WHERE v.key_id = done.id AND v.state <> 'ended' RETURNING v.id"
	    "), " TOLD("done", "'revoked it'", "$3::text", "NULL")
	    " SELECT CASE WHEN done.id IS NOT NULL THEN"
	    "  audit_write(seen.tenant_id, CASE WHEN $1::uuid IS NULL"
	    "  THEN 'operator' ELSE 'account' END, $1::uuid,"
	    "  'issued_key.revoked', 'issued_key', seen.id,"
	    "  jsonb_build_object('subscription', seen.subscription_id)) END,"
	    " (SELECT count(told.mail) FROM told),"
	    " (SELECT count(ended.id) FROM ended)"
	    " FROM seen LEFT JOIN done ON true");
	const struct db_rows	*rows;

	assert(!str_blank(reason));
	rows = db_write(db, &issued_revoke, DB_ARGS(who, key_id, reason));
	db_must(db, rows);
	if (rows->n == 0)
		return (ISSUED_NONE);
	return (db_is_null(rows, 0, 0) ? ISSUED_LATE : ISSUED_DONE);
}
