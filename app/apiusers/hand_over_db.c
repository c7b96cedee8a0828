/*
 * Hand-overs in the database.
 */
#include "apiusers/hand_over.h"

#include "base/str.h"
#include "mail/link.h"

#define US(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

/* What a link must be to count: of a hand-over `h`, a user `u`. */
#define COUNTS								\
	"h.token_hash = $1::bytea AND h.ended_at IS NULL "		\
	"AND h.expires_at > now() AND u.state = 'enabled' "		\
	"AND (u.expires_at IS NULL OR u.expires_at > now()) "		\
	"AND api_right(h.created_by, u.tenant_id) IN "			\
	"('owner', 'manager', 'admin') "
/* Only a pair can go along: an issued key is shown to its maker alone. */
#define HAS_PAIR(id)							\
	" AND EXISTS (SELECT FROM subscription_key kp "			\
	"WHERE kp.subscription_id = " id " AND kp.slot = 'primary' "	\
	"AND kp.state = 'current')"
/* Whether the key goes along. */
#define WITH_KEY							\
	"(h.subscription_id IS NOT NULL "				\
	"AND api_right(h.created_by, u.tenant_id) = 'owner' "		\
	"AND EXISTS (SELECT FROM subscription ks "			\
	"WHERE ks.id = h.subscription_id "				\
	"AND ks.state IN ('active', 'suspended')"			\
	HAS_PAIR("ks.id") "))"

static const char *hash_of(struct db *, const char *token);

WAITS enum api_change_result
hand_over_db_make(struct db *db, const char *who, const char *user_id,
    const struct hand_over_form *form, const char *nonce)
{
	DB_QUERY(hand_over_make,
	    "WITH u AS (SELECT u.id, u.tenant_id, u.username, t.code, t.name"
	    "  FROM api_user u JOIN tenant t ON t.id = u.tenant_id"
	    "  WHERE u.id = $2::uuid AND u.state = 'enabled'"
	    "  AND (api_right($1::uuid, u.tenant_id) = 'owner'"
	    "  OR (api_right($1::uuid, u.tenant_id) = 'manager'"
	    "    AND NOT $7::boolean)"
	    "  OR (api_right($1::uuid, u.tenant_id) = 'admin'"
	    "    AND NOT $7::boolean AND $8::text IS NOT NULL))"
	    "  FOR UPDATE OF u"
	    "), burn AS (INSERT INTO reveal (nonce_hash, account_id)"
	    "  SELECT $9::bytea, $1::uuid FROM u"
	    "  ON CONFLICT (nonce_hash) DO NOTHING RETURNING nonce_hash"
	    "), ended AS (UPDATE api_hand_over h SET ended_at = now(),"
	    "    ending = 'replaced' FROM u, burn WHERE h.api_user_id = u.id"
	    "  AND h.ended_at IS NULL RETURNING 1"
	    "), made AS (INSERT INTO api_hand_over (id, api_user_id,"
	    "    token_hash, overlap_s, subscription_id, created_by,"
	    "    expires_at) SELECT $3::uuid, u.id, $4::bytea, $6::integer,"
	    "  CASE WHEN $7::boolean THEN (SELECT s.id FROM subscription s"
	    "    WHERE s.tenant_id = u.tenant_id AND s.state IN"
	    "    ('active', 'suspended')" HAS_PAIR("s.id")
	    "    ORDER BY s.one_key DESC, s.id"
	    "    LIMIT 1) END, $1::uuid, now() + make_interval(days =>"
	    "    $5::integer) FROM u, burn, (SELECT count(*) AS n FROM ended)"
	    "  AS e WHERE e.n >= 0 RETURNING id, api_user_id, expires_at,"
	    "  subscription_id"
	    "), sent AS (SELECT mail_queue('api_hand_over', NULL, $8::text,"
	    "    jsonb_build_object('hand_over_id', made.id, 'client',"
	    "    u.name)) AS mail FROM made, u WHERE $8::text IS NOT NULL"
	    "), told AS (SELECT mail_queue('api_hand_over_made',"
	    "    w.account_id, NULL, jsonb_build_object('api_user',"
	    "    u.username || '@' || u.code, 'client', u.name, 'by', b.name,"
	    "    'sent_to', $8::text, 'open_until_at', made.expires_at))"
	    "    AS mail FROM made JOIN u ON true"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid"
	    "  JOIN membership w ON w.tenant_id = u.tenant_id"
	    "    AND w.role IN ('owner', 'manager')"
	    "  JOIN account a ON a.id = w.account_id AND a.state = 'active'"
	    ") SELECT (SELECT audit_write(u.tenant_id, 'account', $1::uuid,"
	    "    'api_hand_over.made', 'api_user', u.id, jsonb_build_object("
	    "    'hand_over', made.id, 'with_key', made.subscription_id IS"
	    "    NOT NULL)) FROM made), (SELECT count(sent.mail) FROM sent),"
	    "  (SELECT count(told.mail) FROM told) FROM u");
	_Static_assert(HAND_OVER_DAYS_MAX == 7, "api_hand_over_life");
	const struct db_rows *rows;
	unsigned char hash[SHA256_BYTES];
	char token[TOKEN_TEXT];

	link_token("hand-over", form->id, token);
	sha256(hash, nonce, strlen(nonce));
	rows = db_write(db, &hand_over_make,
	    DB_ARGS(who, user_id, form->id, hash_of(db, token),
		db_int(db, form->days), db_int(db, form->overlap_s),
		db_bool(form->with_key), form->send_to,
		db_bytes(db, hash, sizeof(hash))));
	explicit_bzero(token, sizeof(token));
	if (rows->outcome == DB_CONFLICT)
		return (API_CHANGE_FASTER);
	db_must(db, rows);
	if (rows->n == 0)
		return (API_CHANGE_NONE);
	return (db_is_null(rows, 0, 0) ? API_CHANGE_AGAIN : API_CHANGED);
}

WAITS bool
hand_over_db_withdraw(struct db *db, const char *who, const char *user_id)
{
	DB_QUERY(hand_over_withdraw,
	    "WITH done AS (UPDATE api_hand_over h SET ended_at = now(),"
	    "    ending = 'withdrawn' FROM api_user u"
	    "  WHERE u.id = h.api_user_id AND u.id = $2::uuid"
	    "  AND h.ended_at IS NULL AND api_right($1::uuid, u.tenant_id) IN"
	    "    ('owner', 'manager', 'admin')"
	    "  RETURNING h.id, h.api_user_id, u.tenant_id"
	    ") SELECT audit_write(done.tenant_id, 'account', $1::uuid,"
	    "  'api_hand_over.withdrawn', 'api_user', done.api_user_id,"
	    "  jsonb_build_object('hand_over', done.id)) FROM done");
	const struct db_rows *rows;

	rows = db_write(db, &hand_over_withdraw, DB_ARGS(who, user_id));
	db_must(db, rows);
	return (rows->n == 1);
}

WAITS bool
hand_over_db_find(struct db *db, const char *token,
    struct hand_over *ret_hand_over)
{
	/* How to call: the product of the key that goes along, else the
	 * client's first. */
	DB_QUERY(hand_over_find,
	    "SELECT u.id, u.username, t.code, t.name,"
	    " coalesce(p.base_url, ''), coalesce(p.example_path, ''), "
	    WITH_KEY ", " US("h.expires_at") " "
	    "FROM api_hand_over h JOIN api_user u ON u.id = h.api_user_id "
	    "JOIN tenant t ON t.id = u.tenant_id AND t.state = 'active' "
	    "LEFT JOIN LATERAL (SELECT s.product_id FROM subscription s"
	    "   WHERE s.tenant_id = u.tenant_id"
	    "   AND s.state IN ('active', 'suspended')"
	    "   ORDER BY s.id = h.subscription_id DESC NULLS LAST,"
	    "   s.one_key DESC, s.id LIMIT 1) AS s ON true "
	    "LEFT JOIN product p ON p.id = s.product_id WHERE " COUNTS);
	const struct db_rows *rows;

	if (!token_shaped(token))
		return (false);
	rows = db_read(db, &hand_over_find, DB_ARGS(hash_of(db, token)));
	if (rows->n == 0)
		return (false);
	*ret_hand_over = (struct hand_over){
		.user_id = db_text(rows, 0, 0),
		.username = db_text(rows, 0, 1),
		.code = db_text(rows, 0, 2),
		.client = db_text(rows, 0, 3),
		.base_url = db_text(rows, 0, 4),
		.example_path = db_text(rows, 0, 5),
		.with_key = db_truth(rows, 0, 6),
		.until = db_number(rows, 0, 7),
	};
	return (true);
}

WAITS bool
hand_over_db_use(struct db *db, const char *token,
    const struct api_password *password, struct hand_over_key *ret_key)
{
	/* Of two who press the button at once, the second waits for the row of
	 * the first and finds it ended.  The user's row is locked as by a
	 * rotation, and passwords age in the same order. */
	DB_QUERY(hand_over_use,
	    "WITH u AS (SELECT u.id, u.tenant_id, u.username, t.code, t.name,"
	    "    h.id AS hand_over, h.overlap_s, h.created_by, CASE WHEN "
	    WITH_KEY " THEN h.subscription_id END AS key_of"
	    "  FROM api_hand_over h JOIN api_user u ON u.id = h.api_user_id"
	    "  JOIN tenant t ON t.id = u.tenant_id AND t.state = 'active'"
	    "  WHERE " COUNTS "FOR UPDATE OF u"
	    "), used AS (UPDATE api_hand_over h SET ended_at = now(),"
	    "    ending = 'used' FROM u WHERE h.id = u.hand_over"
	    "  AND h.ended_at IS NULL RETURNING h.id"
	    "), ended AS (UPDATE api_user_password p SET state = 'ended',"
	    "    ends_at = least(coalesce(p.ends_at, now()), now())"
	    "  FROM u, used WHERE p.api_user_id = u.id AND (p.state = 'old'"
	    "  OR (p.state = 'current' AND u.overlap_s = 0)) RETURNING 1"
	    "), aged AS (UPDATE api_user_password p SET state = 'old',"
	    "    ends_at = now() + make_interval(secs => u.overlap_s)"
	    "  FROM u, used, (SELECT count(*) AS n FROM ended) AS e"
	    "  WHERE p.api_user_id = u.id AND p.state = 'current'"
	    "  AND u.overlap_s > 0 AND e.n >= 0 RETURNING 1"
	    "), made AS (INSERT INTO api_user_password (id, api_user_id, mac,"
	    "    mac_version, hand_over_id) SELECT $2::uuid, u.id, $3::bytea,"
	    "  $4::integer, used.id FROM u, used,"
	    "  (SELECT count(*) AS n FROM ended) AS e,"
	    "  (SELECT count(*) AS n FROM aged) AS a WHERE e.n + a.n >= 0"
	    "  RETURNING id"
	    "), told AS (SELECT mail_queue('api_hand_over_used',"
	    "    w.account_id, NULL, jsonb_build_object('api_user',"
	    "    u.username || '@' || u.code, 'client', u.name, 'by', b.name,"
	    "    'used_at', now())) AS mail FROM made JOIN u ON true"
	    "  LEFT JOIN person b ON b.account_id = u.created_by"
	    "  JOIN membership w ON w.tenant_id = u.tenant_id"
	    "    AND w.role IN ('owner', 'manager')"
	    "  JOIN account a ON a.id = w.account_id AND a.state = 'active'"
	    ") SELECT audit_write(u.tenant_id, 'visitor', NULL,"
	    "    'api_hand_over.used', 'api_user', u.id, jsonb_build_object("
	    "    'hand_over', u.hand_over)), k.id, k.sealed,"
	    "  CASE WHEN k.id IS NOT NULL THEN audit_write(u.tenant_id,"
	    "    'visitor', NULL, 'key.shown', 'subscription', u.key_of,"
	    "    jsonb_build_object('slot', 'primary', 'key', k.id,"
	    "    'hand_over', u.hand_over)) END,"
	    "  (SELECT count(told.mail) FROM told)"
	    "  FROM u JOIN made ON true LEFT JOIN subscription_key k"
	    "  ON k.subscription_id = u.key_of AND k.slot = 'primary'"
	    "  AND k.state = 'current'");
	const struct db_rows *rows;

	rows = db_write(db, &hand_over_use,
	    DB_ARGS(hash_of(db, token), password->id,
		db_bytes(db, password->mac, sizeof(password->mac)),
		db_int(db, password->mac_version)));
	if (rows->outcome == DB_CONFLICT)
		return (false);
	db_must(db, rows);
	if (rows->n == 0)
		return (false);
	*ret_key = (struct hand_over_key){ .id = NULL };
	if (!db_is_null(rows, 0, 1)) {
		ret_key->id = db_text(rows, 0, 1);
		ret_key->sealed = db_blob(db, rows, 0, 2, &ret_key->bytes);
	}
	return (true);
}

static const char *
hash_of(struct db *db, const char *token)
{
	unsigned char hash[SHA256_BYTES];

	link_token_hash(token, hash);
	return (db_bytes(db, hash, sizeof(hash)));
}
