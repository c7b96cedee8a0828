/*
 * Rotating keys in the database, one statement each.
 *
 * `cur` locks the value that is to be replaced and reads it behind the lock, so
 * the second of two at once finds it no longer current and does nothing.  The
 * old value from before ends (`over`) before the current one becomes old
 * (`aged`), and that before the new one comes (`fresh`): each waits for the
 * one before by reading it, and the unique indexes see one of a kind at any
 * time.
 */
#include "keys/rotate.h"

#include <assert.h>

#include "base/str.h"

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

/* $1 who, $2 key, $3 seconds, $4 to $9 the new value.  `mine` is the
 * subscription of `cur`, with what mails say of it. */
#define REPLACE								\
    "over AS (UPDATE subscription_key k SET state = 'ended',"		\
    "    ends_at = least(k.ends_at, now()) FROM cur"			\
    "  WHERE k.subscription_id = cur.subscription_id"			\
    "  AND k.slot = cur.slot AND k.state = 'old' RETURNING k.id"	\
    "), aged AS (UPDATE subscription_key k"				\
    "  SET state = CASE WHEN $3::int > 0 THEN 'old' ELSE 'ended' END,"	\
    "    ends_at = now() + make_interval(secs => $3::int)"		\
    "  FROM cur WHERE k.id = cur.id"					\
    "  AND (SELECT count(*) FROM over) >= 0"				\
    "  RETURNING k.id, k.subscription_id, k.slot, k.ends_at"		\
    "), fresh AS (INSERT INTO subscription_key (id, subscription_id,"	\
    "    slot, sealed, mac, prefix_mac, mac_version, last4, created_by)" \
    "  SELECT $4::uuid, aged.subscription_id, aged.slot, $5::bytea,"	\
    "  $6::bytea, $7::bytea, $8::int, $9::text, $1::uuid FROM aged"	\
    "  RETURNING id)"
/* All contacts whose account works, and the client's address for notices. */
#define CONTACTS							\
    "  CROSS JOIN LATERAL (SELECT a.id AS account_id,"			\
    "      NULL::text AS address FROM membership m"			\
    "      JOIN account a ON a.id = m.account_id"			\
    "      AND a.state = 'active' WHERE m.tenant_id = mine.tenant_id"	\
    "    UNION ALL SELECT NULL, mine.notices_to"			\
    "      WHERE mine.notices_to <> '') x"

static const char *nonce_hash(struct db *, const char *nonce);

WAITS enum rotate_result
rotate_db_regenerate(struct db *db, const struct keyring *ring,
    const char *who, const char *subscription_id, const char *slot,
    const char *key_id, int64_t overlap_s, const char *nonce,
    struct key_revealed *ret_revealed)
{
	DB_QUERY(key_regenerate,
	    "WITH mine AS (SELECT s.id, s.name, t.id AS tenant_id, t.code,"
	    "  t.name AS client, t.notices_to, p.base_url, p.example_path,"
	    "  p.needs_api_user"
	    "  FROM membership m JOIN subscription s"
	    "  ON s.tenant_id = m.tenant_id"
	    "  JOIN tenant t ON t.id = s.tenant_id"
	    "  JOIN product p ON p.id = s.product_id"
	    "  WHERE m.account_id = $1::uuid AND s.id = $10::uuid"
	    "  AND m.role IN ('owner', 'manager')"
	    "  AND s.state IN ('active', 'suspended')"
	    "  AND (s.expires_at IS NULL OR s.expires_at > now())"
	    "  FOR SHARE OF s"
	    "), burn AS (INSERT INTO reveal (nonce_hash, account_id)"
	    "  SELECT $12::bytea, $1::uuid FROM mine"
	    "  ON CONFLICT (nonce_hash) DO NOTHING RETURNING nonce_hash"
	    "), cur AS (SELECT k.id, k.subscription_id, k.slot"
	    "  FROM mine, burn, subscription_key k WHERE k.id = $2::uuid"
	    "  AND k.subscription_id = mine.id AND k.slot = $11::text"
	    "  AND k.state = 'current' FOR UPDATE OF k"
	    "), " REPLACE ", noted AS (INSERT INTO subscription_change"
	    "    (subscription_id, account_id, what, slot, key_id, expires_at)"
	    "  SELECT aged.subscription_id, $1::uuid, 'key_regenerated',"
	    "  aged.slot, aged.id, aged.ends_at FROM aged"
	    "), told AS (SELECT mail_queue('key_regenerated', x.account_id,"
	    "    x.address, jsonb_build_object('subscription_id', mine.id,"
	    "    'subscription_name', mine.name, 'client', mine.client,"
	    "    'slot', aged.slot, 'by', CASE WHEN x.account_id IS NOT NULL"
	    "    THEN b.name END, 'until_at', CASE WHEN $3::int > 0"
	    "    THEN aged.ends_at END)) AS mail"
	    "  FROM aged CROSS JOIN mine"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid" CONTACTS ")"
	    " SELECT burn.nonce_hash IS NOT NULL, fresh.id IS NOT NULL,"
	    " mine.name, mine.code, mine.client, mine.base_url,"
	    " mine.example_path, mine.needs_api_user,"
	    " CASE WHEN fresh.id IS NOT NULL THEN audit_write(mine.tenant_id,"
	    "  'account', $1::uuid, 'key.regenerated', 'subscription',"
	    "  mine.id, jsonb_build_object('slot', $11::text, 'key', fresh.id,"
	    "  'old', $2::uuid, 'overlap_s', $3::int)) END,"
	    " (SELECT count(told.mail) FROM told)"
	    " FROM mine LEFT JOIN burn ON true LEFT JOIN fresh ON true");
	const struct db_rows	*rows;
	struct key_made		 made;
	unsigned char		*sealed;
	bool			 ok;

	assert(overlap_s >= 0 && overlap_s <= KEY_OVERLAP_MAX_S);
	ok = key_make(ring, slot, &made);
	assert(ok);		/* vault_load() saw that all kinds are there */
	rows = db_write(db, &key_regenerate, DB_ARGS(who, key_id,
	    db_int(db, overlap_s), made.id,
	    db_bytes(db, made.sealed, sizeof(made.sealed)),
	    db_bytes(db, made.mac, sizeof(made.mac)),
	    db_bytes(db, made.prefix_mac, sizeof(made.prefix_mac)),
	    db_int(db, made.mac_version), made.last4, subscription_id, slot,
	    nonce_hash(db, nonce)));
	db_must(db, rows);
	if (rows->n == 0)
		return (ROTATE_NONE);
	if (!db_truth(rows, 0, 0))
		return (ROTATE_AGAIN);
	if (!db_truth(rows, 0, 1))
		return (ROTATE_LATE);
	sealed = arena_alloc(db_arena(db), sizeof(made.sealed));
	memcpy(sealed, made.sealed, sizeof(made.sealed));
	*ret_revealed = (struct key_revealed){
		.key_id = arena_strdup(db_arena(db), made.id),
		.slot = slot,
		.name = db_text(rows, 0, 2),
		.tenant_code = db_text(rows, 0, 3),
		.tenant_name = db_text(rows, 0, 4),
		.last4 = arena_strdup(db_arena(db), made.last4),
		.base_url = db_text(rows, 0, 5),
		.example_path = db_text(rows, 0, 6),
		.needs_api_user = db_truth(rows, 0, 7),
		.sealed = sealed,
		.sealed_bytes = sizeof(made.sealed),
	};
	return (ROTATE_DONE);
}

WAITS enum rotate_result
rotate_db_end(struct db *db, const char *who, const char *subscription_id,
    const char *key_id)
{
	DB_QUERY(key_end,
	    "WITH mine AS (SELECT s.id, s.name, t.id AS tenant_id,"
	    "  t.name AS client, t.notices_to, k.id AS key_id, k.slot"
	    "  FROM membership m JOIN subscription s"
	    "  ON s.tenant_id = m.tenant_id"
	    "  JOIN tenant t ON t.id = s.tenant_id"
	    "  JOIN subscription_key k ON k.subscription_id = s.id"
	    "  WHERE m.account_id = $1::uuid AND s.id = $2::uuid"
	    "  AND k.id = $3::uuid AND k.state <> 'current'"
	    "  AND m.role IN ('owner', 'manager')"
	    "), done AS (UPDATE subscription_key k SET state = 'ended',"
	    "    ends_at = now() FROM mine WHERE k.id = mine.key_id"
	    "  AND k.state = 'old' AND k.ends_at > now() RETURNING k.id"
	    "), noted AS (INSERT INTO subscription_change"
	    "    (subscription_id, account_id, what, slot, key_id)"
	    "  SELECT mine.id, $1::uuid, 'overlap_ended', mine.slot, done.id"
	    "  FROM mine, done"
	    "), told AS (SELECT mail_queue('key_overlap_ended', x.account_id,"
	    "    x.address, jsonb_build_object('subscription_id', mine.id,"
	    "    'subscription_name', mine.name, 'client', mine.client,"
	    "    'slot', mine.slot, 'by', CASE WHEN x.account_id IS NOT NULL"
	    "    THEN b.name END)) AS mail FROM done CROSS JOIN mine"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid" CONTACTS ")"
	    " SELECT done.id IS NOT NULL, CASE WHEN done.id IS NOT NULL THEN"
	    "  audit_write(mine.tenant_id, 'account', $1::uuid,"
	    "  'key.overlap_ended', 'subscription', mine.id,"
	    "  jsonb_build_object('slot', mine.slot, 'key', done.id)) END,"
	    " (SELECT count(told.mail) FROM told)"
	    " FROM mine LEFT JOIN done ON true");
	const struct db_rows	*rows;

	rows = db_write(db, &key_end, DB_ARGS(who, subscription_id, key_id));
	db_must(db, rows);
	if (rows->n == 0)
		return (ROTATE_NONE);
	return (db_truth(rows, 0, 0) ? ROTATE_DONE : ROTATE_LATE);
}

WAITS enum rotate_result
rotate_db_revoke(struct db *db, const struct keyring *ring, const char *who,
    const char *key_id, int64_t overlap_s, const char *reason)
{
	/* Who seals the new value has to know the slot, which does not change. */
	DB_QUERY(key_slot_of,
	    "SELECT slot FROM subscription_key WHERE id = $1::uuid"
	    " AND slot IS NOT NULL");
	DB_QUERY(key_revoke,
	    "WITH mine AS (SELECT s.id, s.name, t.id AS tenant_id,"
	    "  t.name AS client, t.notices_to"
	    "  FROM subscription_key k JOIN subscription s"
	    "  ON s.id = k.subscription_id"
	    "  JOIN tenant t ON t.id = s.tenant_id WHERE k.id = $2::uuid"
	    "  AND s.state IN ('active', 'suspended')"
	    "  AND (s.expires_at IS NULL OR s.expires_at > now())"
	    "  AND ($1::uuid IS NULL OR EXISTS (SELECT FROM account a"
	    "    WHERE a.id = $1::uuid AND a.kind = 'staff'"
	    "    AND a.state = 'active')) FOR SHARE OF s"
	    "), any_key AS (SELECT k.id, k.subscription_id, k.slot, k.state"
	    "  FROM mine, subscription_key k WHERE k.id = $2::uuid"
	    "  AND k.state <> 'ended' FOR UPDATE OF k"
	    "), cur AS (SELECT id, subscription_id, slot FROM any_key"
	    "  WHERE state = 'current'"
	    "), " REPLACE ", cut AS (UPDATE subscription_key k"
	    "  SET state = 'ended', ends_at = least(k.ends_at, now())"
	    "  FROM any_key WHERE k.id = any_key.id"
	    "  AND any_key.state = 'old' RETURNING k.id, k.subscription_id,"
	    "  k.slot, k.ends_at"
	    "), done AS (SELECT * FROM aged UNION ALL SELECT * FROM cut"
	    "), noted AS (INSERT INTO subscription_change (subscription_id,"
	    "    account_id, what, slot, key_id, reason, expires_at)"
	    "  SELECT done.subscription_id, $1::uuid, 'key_revoked',"
	    "  done.slot, done.id, $10::text, done.ends_at FROM done"
	    "), said AS (SELECT jsonb_build_object('subscription_id', mine.id,"
	    "    'subscription_name', mine.name, 'client', mine.client,"
	    "    'slot', done.slot, 'until_at', CASE WHEN done.ends_at > now()"
	    "    THEN done.ends_at END) AS list, mine.*"
	    "  FROM mine, done"
	    "), told AS (SELECT mail_queue('key_revoked', x.account_id,"
	    "    x.address, mine.list || CASE WHEN x.account_id IS NULL"
	    "    THEN '{}' ELSE jsonb_build_object('reason', $10::text) END)"
	    "    AS mail FROM said mine" CONTACTS
	    "), staff AS (SELECT mail_queue('key_revoked_staff', a.id, NULL,"
	    "    said.list || jsonb_build_object('reason', $10::text))"
	    "    AS mail FROM said JOIN account a ON a.kind = 'staff'"
	    "  AND a.state = 'active')"
	    " SELECT audit_write(mine.tenant_id, CASE WHEN $1::uuid IS NULL"
	    "  THEN 'operator' ELSE 'account' END, $1::uuid, 'key.revoked',"
	    "  'subscription', mine.id, jsonb_build_object('slot', done.slot,"
	    "  'key', done.id, 'overlap_s', $3::int)),"
	    " (SELECT count(told.mail) FROM told),"
	    " (SELECT count(staff.mail) FROM staff),"
	    " (SELECT count(fresh.id) FROM fresh) FROM mine, done");
	const struct db_rows	*rows;
	struct key_made		 made;
	bool			 ok;

	assert(overlap_s >= 0 && overlap_s <= KEY_OVERLAP_MAX_S);
	assert(!str_blank(reason));
	rows = db_read(db, &key_slot_of, DB_ARGS(key_id));
	if (rows->n == 0)
		return (ROTATE_NONE);
	ok = key_make(ring, db_text(rows, 0, 0), &made);
	assert(ok);
	rows = db_write(db, &key_revoke, DB_ARGS(who, key_id,
	    db_int(db, overlap_s), made.id,
	    db_bytes(db, made.sealed, sizeof(made.sealed)),
	    db_bytes(db, made.mac, sizeof(made.mac)),
	    db_bytes(db, made.prefix_mac, sizeof(made.prefix_mac)),
	    db_int(db, made.mac_version), made.last4, reason));
	db_must(db, rows);
	return (rows->n == 1 ? ROTATE_DONE : ROTATE_NONE);
}

WAITS struct key_looks
rotate_db_looks(struct db *db, const char *subscription_id)
{
	/* Who regenerated a key has seen the new one. */
	DB_QUERY(key_looks,
	    "SELECT coalesce(p.name, ''), u.detail->>'slot', " MICROS("u.at")
	    " FROM audit u LEFT JOIN person p ON p.account_id = u.actor_id"
	    " WHERE u.subject_id = $1::uuid"
	    " AND u.action IN ('key.shown', 'key.regenerated')"
	    " ORDER BY u.id DESC LIMIT 50");
	_Static_assert(KEY_LOOKS_MAX == 50, "the limit above");
	const struct db_rows	*rows;
	struct key_looks	 looks;
	int			 i;

	rows = db_read(db, &key_looks, DB_ARGS(subscription_id));
	looks.n = rows->n;
	looks.list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*looks.list));
	for (i = 0; i < rows->n; i++)
		looks.list[i] = (struct key_look){
			.person = db_text(rows, i, 0),
			.slot = db_text(rows, i, 1),
			.at = db_number(rows, i, 2),
		};
	return (looks);
}

WAITS struct key_try
rotate_db_try(struct db *db, const char *subscription_id)
{
	DB_QUERY(key_try,
	    "SELECT p.base_url, p.example_path, p.needs_api_user"
	    " FROM subscription s JOIN product p ON p.id = s.product_id"
	    " WHERE s.id = $1::uuid");
	const struct db_rows	*rows;

	rows = db_read(db, &key_try, DB_ARGS(subscription_id));
	assert(rows->n == 1);	/* subscriptions are never deleted */
	return ((struct key_try){
		.base_url = db_text(rows, 0, 0),
		.example_path = db_text(rows, 0, 1),
		.needs_api_user = db_truth(rows, 0, 2),
	});
}

static const char *
nonce_hash(struct db *db, const char *nonce)
{
	unsigned char	hash[SHA256_BYTES];

	sha256(hash, nonce, strlen(nonce));
	return (db_bytes(db, hash, sizeof(hash)));
}
