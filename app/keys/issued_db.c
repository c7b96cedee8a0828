/*
 * Issued keys in the database: reading, and making one.
 */
#include "keys/issued.h"

#include "base/str.h"
#include "crypto/seal.h"
#include "keys/issued_sql.h"

/* What the person may of a scope `c`: all of its cells, or the profile does
 * not ask.  `held` are the person's cells. */
#define WITHIN								\
    "NOT EXISTS (SELECT FROM product_scope_grant g"			\
    "  WHERE g.scope_id = c.id AND NOT EXISTS (SELECT FROM held h"	\
    "  WHERE h.resource_id = g.resource_id"				\
    "  AND h.operation = g.operation))"
#define KEYS(who, changes, activates)					\
    "SELECT k.id, k.subscription_id, k.name,"				\
    " CASE WHEN k.state IN ('active', 'inactive', 'pending')"		\
    "  AND k.expires_at <= now() THEN 'expired' ELSE k.state END,"	\
    " coalesce(v.first, ''), coalesce(v.last4, ''),"			\
    " coalesce(v.id::text, ''), coalesce(o.id::text, ''),"		\
    " coalesce(o.last4, ''), coalesce(" MICROS("o.ends_at") ", 0),"	\
    " coalesce((SELECT mp.name FROM person mp"				\
    "  WHERE mp.account_id = k.maker_id), ''),"				\
    " coalesce((SELECT string_agg(c.word, ', '"	\
    "  ORDER BY c.place) FROM issued_key_scope ks JOIN product_scope c"	\
    "  ON c.id = ks.scope_id WHERE ks.key_id = k.id), ''),"		\
    " coalesce((SELECT sp.name FROM person sp WHERE sp.account_id ="	\
    "  nullif(k.state_by, k.maker_id)), ''), k.state_reason,"		\
    " coalesce(host(coalesce(v.last_used_address, k.last_used_address)),"\
    "  ''), " MICROS("k.created_at") ", coalesce("			\
    MICROS("k.expires_at") ", 0), coalesce(" MICROS("greatest("		\
    "v.last_used_at, k.last_used_at)") ", 0), " MICROS("k.state_at") ","\
    " k.maker_id = " who ", " changes ", " activates ","		\
    " mm.account_id IS NULL, f.within_maker AND mm.account_id IS NOT NULL"\
    "  AND EXISTS (SELECT FROM issued_key_scope ks"			\
    "  JOIN product_scope_grant g ON g.scope_id = ks.scope_id"		\
    "  WHERE ks.key_id = k.id AND NOT EXISTS (SELECT FROM"		\
    "  person_cells(k.maker_id, s.tenant_id, s.product_id) pc"		\
    "  WHERE pc.resource_id = g.resource_id"				\
    "  AND pc.operation = g.operation))"
/* The value of today, or, of a key that has ended, its last one. */
#define VALUES								\
    " LEFT JOIN LATERAL (SELECT lv.* FROM subscription_key lv"		\
    "  WHERE lv.key_id = k.id AND lv.state <> 'old'"			\
    "  ORDER BY lv.id DESC LIMIT 1) v ON true"				\
    " LEFT JOIN subscription_key o ON o.key_id = k.id"			\
    "  AND o.state = 'old' AND o.ends_at > now()"			\
    " LEFT JOIN LATERAL (SELECT w.account_id FROM membership w"		\
    "  JOIN account wa ON wa.id = w.account_id AND wa.state = 'active'"	\
    "  WHERE w.account_id = k.maker_id AND w.tenant_id = s.tenant_id"	\
    "  LIMIT 1) mm ON true"
#define FIRST	"coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')"

static struct issued_keys keys_read(struct db *, const struct db_rows *);

WAITS struct issued_place *
issued_db_place(struct db *db, const char *who, const char *subscription_id)
{
	DB_QUERY(issued_place,
	    "SELECT s.id, s.name, s.environment, p.name, p.id, t.name, t.slug,"
	    " CASE WHEN s.state IN ('active', 'suspended')"
	    "  AND s.expires_at <= now() THEN 'expired' ELSE s.state END,"
	    " f.name, f.title, f.summary, array_to_string(f.menu, chr(10)),"
	    " f.makers, f.scopes, f.letters, f.key_header, f.tenant_header,"
	    " f.tenant_by, p.base_url, p.example_path,"
	    " array_to_string(f.overlaps_s, ','), f.shows_first,"
	    " coalesce(p.key_calls_a_minute, f.key_calls_a_minute, 0),"
	    " (SELECT count(*) FROM issued_key k WHERE k.subscription_id = s.id"
	    "  AND k.state NOT IN ('revoked', 'deleted')),"
	    " f.within_maker, f.env_letter, f.takes_token, f.can_pause,"
	    " f.can_delete, f.can_revoke, f.can_expire, " MAY_MAKE ", "
	    LEADS " OR (NOT f.within_maker AND " MAY_MAKE "), " LIVES
	    ASKER "WHERE m.account_id = $1::uuid AND s.id = $2::uuid");
	const struct db_rows	*rows;
	struct issued_place	*place;

	rows = db_read(db, &issued_place, DB_ARGS(who, subscription_id));
	if (rows->n == 0)
		return (NULL);
	place = arena_alloc(db_arena(db), sizeof(*place));
	*place = (struct issued_place){
		.subscription_id = db_text(rows, 0, 0),
		.subscription = db_text(rows, 0, 1),
		.environment = db_text(rows, 0, 2),
		.product = db_text(rows, 0, 3),
		.product_id = db_text(rows, 0, 4),
		.client = db_text(rows, 0, 5),
		.tenant_slug = db_text(rows, 0, 6),
		.state = db_text(rows, 0, 7),
		.profile = db_text(rows, 0, 8),
		.title = db_text(rows, 0, 9),
		.summary = db_text(rows, 0, 10),
		.menu = db_text(rows, 0, 11),
		.makers = db_text(rows, 0, 12),
		.scopes = db_text(rows, 0, 13),
		.letters = db_text(rows, 0, 14),
		.key_header = db_text(rows, 0, 15),
		.tenant_header = db_text(rows, 0, 16),
		.tenant_by = db_text(rows, 0, 17),
		.base_url = db_text(rows, 0, 18),
		.example_path = db_text(rows, 0, 19),
		.overlaps = db_text(rows, 0, 20),
		.shows_first = db_number(rows, 0, 21),
		.calls_a_minute = db_number(rows, 0, 22),
		.living = db_number(rows, 0, 23),
		.within_maker = db_truth(rows, 0, 24),
		.env_letter = db_truth(rows, 0, 25),
		.takes_token = db_truth(rows, 0, 26),
		.can_pause = db_truth(rows, 0, 27),
		.can_delete = db_truth(rows, 0, 28),
		.can_revoke = db_truth(rows, 0, 29),
		.can_expire = db_truth(rows, 0, 30),
		.may_make = db_truth(rows, 0, 31),
		.sees_all = db_truth(rows, 0, 32),
		.is_live = db_truth(rows, 0, 33),
	};
	return (place);
}

WAITS struct issued_scopes
issued_db_scopes(struct db *db, const char *who, const char *subscription_id,
    const char *key_id)
{
	DB_QUERY(issued_scopes,
	    "WITH at AS MATERIALIZED (SELECT m.account_id, s.tenant_id,"
	    "  s.product_id, f.within_maker" ASKER
	    "  WHERE m.account_id = $1::uuid AND s.id = $2::uuid"
	    "), held AS MATERIALIZED (SELECT h.resource_id, h.operation"
	    "  FROM at, person_cells(at.account_id, at.tenant_id,"
	    "  at.product_id) h WHERE at.within_maker)"
	    " SELECT c.word, c.description, NOT at.within_maker OR " WITHIN ","
	    " EXISTS (SELECT FROM issued_key_scope ks WHERE ks.scope_id = c.id"
	    "  AND ks.key_id = $3::uuid)"
	    " FROM at JOIN product_scope c ON c.product_id = at.product_id"
	    " ORDER BY c.place, c.word LIMIT 200");
	_Static_assert(ISSUED_SCOPES_MAX == 200, "the limit above");
	const struct db_rows	*rows;
	struct issued_scopes	 scopes;
	int			 i;

	rows = db_read(db, &issued_scopes, DB_ARGS(who, subscription_id,
	    key_id));
	scopes.n = rows->n;
	scopes.list = arena_calloc(db_arena(db), (size_t)rows->n + 1,
	    sizeof(*scopes.list));
	for (i = 0; i < rows->n; i++)
		scopes.list[i] = (struct issued_scope){
			.word = db_text(rows, i, 0),
			.description = db_text(rows, i, 1),
			.may = db_truth(rows, i, 2),
			.is_picked = db_truth(rows, i, 3),
		};
	return (scopes);
}

WAITS struct issued_keys
issued_db_list(struct db *db, const char *who, const char *subscription_id,
    const char *after)
{
	DB_QUERY(issued_list,
	    KEYS("m.account_id", CHANGES, ACTIVATES) ASKER
	    "JOIN issued_key k ON k.subscription_id = s.id" VALUES
	    " WHERE m.account_id = $1::uuid AND s.id = $2::uuid"
	    " AND k.state <> 'deleted' AND k.id < " FIRST " AND " SEES
	    " ORDER BY k.id DESC LIMIT 51");

	return (keys_read(db, db_read(db, &issued_list, DB_ARGS(who,
	    subscription_id, uuid_shaped(after) ? after : NULL))));
}

WAITS struct issued_key *
issued_db_find(struct db *db, const char *who, const char *key_id)
{
	DB_QUERY(issued_find,
	    KEYS("m.account_id", CHANGES, ACTIVATES) ASKER
	    "JOIN issued_key k ON k.subscription_id = s.id" VALUES
	    " WHERE m.account_id = $1::uuid AND k.id = $2::uuid"
	    " AND k.state <> 'deleted' AND " SEES);
	struct issued_keys	 keys;

	keys = keys_read(db, db_read(db, &issued_find, DB_ARGS(who, key_id)));
	return (keys.n == 0 ? NULL : &keys.list[0]);
}

WAITS struct issued_keys
issued_db_staff(struct db *db, const char *subscription_id, const char *after)
{
	DB_QUERY(issued_staff,
	    KEYS("$2::uuid", "false", "false")
	    " FROM subscription s JOIN product p ON p.id = s.product_id"
	    " JOIN key_profile f ON f.name = p.profile"
	    " JOIN issued_key k ON k.subscription_id = s.id" VALUES
	    " WHERE s.id = $1::uuid AND k.id < " FIRST
	    " ORDER BY k.id DESC LIMIT 51");

	return (keys_read(db, db_read(db, &issued_staff, DB_ARGS(
	    subscription_id, "00000000-0000-0000-0000-000000000000",
	    uuid_shaped(after) ? after : NULL))));
}

WAITS const char *
issued_db_of(struct db *db, const char *key_id)
{
	DB_QUERY(issued_of,
	    "SELECT subscription_id FROM issued_key WHERE id = $1::uuid");
	const struct db_rows	*rows;

	rows = db_read(db, &issued_of, DB_ARGS(key_id));
	return (rows->n == 0 ? NULL : db_text(rows, 0, 0));
}

WAITS enum issued_result
issued_db_make(struct db *db, const char *who, const char *subscription_id,
    const char *key_id, const struct issued_form *form,
    const struct issued_value *value, const char *nonce)
{
	/* The subscription's row is held, so that of several at once each
	 * counts the one before: issued_key_ahead(). */
	DB_QUERY(issued_make,
	    "WITH seen AS MATERIALIZED (SELECT s.id AS subscription_id,"
	    "  s.name AS subscription, s.tenant_id, p.id AS product_id,"
	    "  p.name AS product, t.name AS client, $4::text AS name,"
	    "  m.account_id AS maker_id, f.scopes, f.within_maker,"
	    "  f.can_expire" ASKER
	    "  WHERE m.account_id = $1::uuid AND s.id = $2::uuid AND " LIVES
	    "  AND " MAY_MAKE " AND f.reveal = 'once' FOR NO KEY UPDATE OF s"
	    "), held AS MATERIALIZED (SELECT h.resource_id, h.operation"
	    "  FROM seen, person_cells(seen.maker_id, seen.tenant_id,"
	    "  seen.product_id) h WHERE seen.within_maker"
	    "), picked AS MATERIALIZED (SELECT c.id, c.word FROM seen"
	    "  JOIN product_scope c ON c.product_id = seen.product_id"
	    "  WHERE c.word = ANY ($6::text[])"
	    "  AND (NOT seen.within_maker OR " WITHIN ")"
	    "), good AS (SELECT seen.* FROM seen"
	    "  WHERE (SELECT count(*) FROM picked) = cardinality($6::text[])"
	    "  AND (seen.scopes = 'picked') = (cardinality($6::text[]) > 0)"
	    "), burn AS (INSERT INTO reveal (nonce_hash, account_id)"
	    "  SELECT $14::bytea, $1::uuid FROM good"
	    "  ON CONFLICT (nonce_hash) DO NOTHING RETURNING nonce_hash"
	    "), made AS (INSERT INTO issued_key (id, subscription_id, name,"
	    "    name_folded, maker_id, state, state_by, expires_at)"
	    "  SELECT $3::uuid, good.subscription_id, $4::text, $5::text,"
	    "  $1::uuid, 'active', $1::uuid, CASE WHEN good.can_expire"
	    "  THEN $7::timestamptz END FROM good, burn RETURNING id"
	    "), scoped AS (INSERT INTO issued_key_scope (key_id, scope_id)"
	    "  SELECT made.id, picked.id FROM made, picked RETURNING scope_id"
	    "), value AS (INSERT INTO subscription_key (id, subscription_id,"
	    "    key_id, mac, prefix_mac, mac_version, first, last4,"
	    "    created_by) SELECT $8::uuid, $2::uuid, made.id, $9::bytea,"
	    "  $10::bytea, $11::int, $12::text, $13::text, $1::uuid FROM made"
	    "  RETURNING id"
	    "), " TOLD("made", "'made it'", "NULL", "NULL")
	    " SELECT good.maker_id IS NOT NULL, made.id IS NOT NULL,"
	    " CASE WHEN made.id IS NOT NULL THEN audit_write(seen.tenant_id,"
	    "  'account', $1::uuid, 'issued_key.made', 'issued_key', made.id,"
	    "  jsonb_build_object('subscription', seen.subscription_id,"
	    "  'scopes', cardinality($6::text[]))) END,"
	    " (SELECT count(told.mail) FROM told),"
	    " (SELECT count(scoped.scope_id) FROM scoped),"
	    " (SELECT count(value.id) FROM value)"
	    " FROM seen LEFT JOIN good ON true LEFT JOIN made ON true");
	const struct db_rows	*rows;
	unsigned char		 hash[SHA256_BYTES];

	sha256(hash, nonce, strlen(nonce));
	rows = db_write(db, &issued_make, DB_ARGS(who, subscription_id, key_id,
	    form->name, form->name_folded, db_text_array(db, form->scopes,
	    form->scopes_n), form->expires_at == 0 ? NULL :
	    db_time(db, form->expires_at), value->id,
	    db_bytes(db, value->mac, sizeof(value->mac)),
	    db_bytes(db, value->prefix_mac, sizeof(value->prefix_mac)),
	    db_int(db, value->mac_version), value->first, value->last4,
	    db_bytes(db, hash, sizeof(hash))));
	if (str_eq(rows->constraint, "issued_key_name"))
		return (ISSUED_NAME);
	if (str_eq(rows->constraint, "issued_key_full"))
		return (ISSUED_FULL);
	db_must(db, rows);
	if (rows->n == 0)
		return (ISSUED_NONE);
	if (!db_truth(rows, 0, 0))
		return (ISSUED_SCOPES);
	return (db_truth(rows, 0, 1) ? ISSUED_DONE : ISSUED_AGAIN);
}

WAITS struct keys_places
keys_db_places(struct db *db, const char *who)
{
	DB_QUERY(keys_places,
	    "SELECT s.id, s.name, p.name, s.environment, s.state,"
	    " array_to_string(f.menu, ' → '), f.summary, f.is_pair,"
	    " (SELECT count(*) FROM issued_key k WHERE k.subscription_id = s.id"
	    "  AND k.state NOT IN ('revoked', 'deleted'))"
	    " FROM membership m JOIN subscription s ON s.tenant_id = m.tenant_id"
	    " JOIN product p ON p.id = s.product_id"
	    " JOIN key_profile f ON f.name = p.profile"
	    " WHERE m.account_id = $1::uuid AND " LIVES
	    " ORDER BY s.id DESC LIMIT 50");
	_Static_assert(KEYS_PLACES_MAX == 50, "the limit above");
	const struct db_rows	*rows;
	struct keys_places	 places;
	int			 i;

	rows = db_read(db, &keys_places, DB_ARGS(who));
	places.n = rows->n;
	places.list = arena_calloc(db_arena(db), (size_t)rows->n + 1,
	    sizeof(*places.list));
	for (i = 0; i < rows->n; i++)
		places.list[i] = (struct keys_place){
			.subscription_id = db_text(rows, i, 0),
			.subscription = db_text(rows, i, 1),
			.product = db_text(rows, i, 2),
			.environment = db_text(rows, i, 3),
			.state = db_text(rows, i, 4),
			.menu = db_text(rows, i, 5),
			.summary = db_text(rows, i, 6),
			.is_pair = db_truth(rows, i, 7),
			.living = db_number(rows, i, 8),
		};
	return (places);
}

static struct issued_keys
keys_read(struct db *db, const struct db_rows *rows)
{
	struct issued_keys	 keys;
	struct issued_key	*k;
	int			 i;

	_Static_assert(ISSUED_PAGE_ROWS == 50, "the limits are one more");
	keys.n = rows->n > ISSUED_PAGE_ROWS ? ISSUED_PAGE_ROWS : rows->n;
	keys.list = arena_calloc(db_arena(db), (size_t)keys.n + 1,
	    sizeof(*keys.list));
	for (i = 0; i < keys.n; i++) {
		k = &keys.list[i];
		*k = (struct issued_key){
			.id = db_text(rows, i, 0),
			.subscription_id = db_text(rows, i, 1),
			.name = db_text(rows, i, 2),
			.state = db_text(rows, i, 3),
			.first = db_text(rows, i, 4),
			.last4 = db_text(rows, i, 5),
			.value_id = db_text(rows, i, 6),
			.old_id = db_text(rows, i, 7),
			.old_last4 = db_text(rows, i, 8),
			.old_ends_at = db_number(rows, i, 9),
			.maker = db_text(rows, i, 10),
			.scopes = db_text(rows, i, 11),
			.state_by = db_text(rows, i, 12),
			.state_reason = db_text(rows, i, 13),
			.address = db_text(rows, i, 14),
			.made_at = db_number(rows, i, 15),
			.expires_at = db_number(rows, i, 16),
			.used_at = db_number(rows, i, 17),
			.state_at = db_number(rows, i, 18),
			.is_own = db_truth(rows, i, 19),
			.may_change = db_truth(rows, i, 20),
			.may_activate = db_truth(rows, i, 21),
			.maker_gone = db_truth(rows, i, 22),
			.maker_lost = db_truth(rows, i, 23),
		};
	}
	keys.next_after = rows->n > keys.n ? keys.list[keys.n - 1].id : "";
	return (keys);
}
