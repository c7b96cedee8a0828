/*
 * SQL of the exchange: one key with all that may stand against it.
 */
#include "gateway/exchange.h"

#include "accounts/tries.h"
#include "base/str.h"
#include "crypto/coded.h"
#include "vault/vault.h"

#define US(x)	"coalesce((extract(epoch FROM " x ") * 1000000)::bigint, 0)"
#define TEXT(number)	TEXT_OF(number)
#define TEXT_OF(number)	#number

WAITS static enum exchange_result find(struct db *, struct exchange *);
static enum exchange_result standing(const struct db_rows *);
static void	 fill(struct exchange *, const struct db_rows *);

WAITS enum exchange_result
exchange_db_ask(struct db *db, struct exchange *x, const char *network)
{
	struct tries		 tries = { .n = 2 };
	enum exchange_result	 result = EXCHANGE_UNKNOWN;
	const char		*who;

	/* By its checksum, before anything is asked. */
	if (coded_shaped(x->key) && (!x->oauth || x->client[0] != '\0'))
		result = find(db, x);
	if (result != EXCHANGE_UNKNOWN)
		return (result);
	/* Counted for what is said of it: never the whole key, which may be
	 * one with a letter wrong. */
	who = x->oauth && x->client[0] != '\0' ? x->client :
	    arena_fmt(db_arena(db), "%.*s", (int)EXCHANGE_FIRST, x->key);
	tries.lanes[0] = "exchange";
	tries.keys[0] = tries_key(db_arena(db), who, "");
	tries.free[0] = TEXT(TRIES_ACCOUNT);
	tries.lanes[1] = "exchange_network";
	tries.keys[1] = network;
	tries.free[1] = TEXT(TRIES_NETWORK);
	x->wait_s = tries_db_begin(db, &tries);
	return (x->wait_s > 0 ? EXCHANGE_TOO_MANY : EXCHANGE_UNKNOWN);
}

WAITS static enum exchange_result
find(struct db *db, struct exchange *x)
{
	DB_QUERY(exchange_key,
	    "SELECT i.id, i.state, coalesce(i.expires_at <= now(), false),"
	    " k.state IN ('current', 'old') AND (k.ends_at IS NULL"
	    " OR k.ends_at > now()), s.state, coalesce(s.expires_at <= now(),"
	    " false), f.takes_token, p.slug, t.code, s.environment,"
	    " array_to_string(w.words, ' '), " US("least(i.expires_at,"
	    " k.ends_at, s.expires_at)") ", $2 = '' OR (string_to_array($2,"
	    " ' ') <@ w.words)"
	    " FROM subscription_key k"
	    " JOIN subscription s ON s.id = k.subscription_id"
	    " JOIN product p ON p.id = s.product_id"
	    " JOIN tenant t ON t.id = s.tenant_id"
	    " JOIN key_profile f ON f.name = p.profile"
	    " LEFT JOIN issued_key i ON i.id = k.key_id"
	    " CROSS JOIN LATERAL (SELECT CASE WHEN f.takes_token"
	    "  THEN token_words(i.id) ELSE '{}' END AS words) w"
	    " WHERE k.mac = $1::bytea");
	unsigned char		 mac[SHA256_BYTES];
	const struct db_rows	*rows;
	enum exchange_result	 result;

	if (vault == NULL || !keyring_hmac(vault, "subscription-key", 0,
	    x->key, strlen(x->key), mac))
		return (EXCHANGE_AWAY);
	rows = db_read(db, &exchange_key, DB_ARGS(db_bytes(db, mac,
	    sizeof(mac)), x->scope));
	if (rows->n == 0)
		return (EXCHANGE_UNKNOWN);
	if (!db_is_null(rows, 0, 0) && x->oauth &&
	    !str_eq(x->client, db_text(rows, 0, 0)))
		return (EXCHANGE_UNKNOWN);
	result = standing(rows);
	if (result == EXCHANGE_DONE)
		fill(x, rows);
	return (result);
}

/* Whoever has the key is told why it does not do. */
static enum exchange_result
standing(const struct db_rows *rows)
{
	const char	*state;

	if (db_is_null(rows, 0, 0) || !db_truth(rows, 0, 6))
		return (EXCHANGE_NOT_FOR_IT);
	state = db_text(rows, 0, 1);
	if (str_eq(state, "revoked") || str_eq(state, "deleted") ||
	    !db_truth(rows, 0, 3))
		return (EXCHANGE_REVOKED);
	if (db_truth(rows, 0, 2))
		return (EXCHANGE_KEY_EXPIRED);
	/* One that was not yet fetched is nobody's. */
	if (!str_eq(state, "active"))
		return (str_eq(state, "inactive") ? EXCHANGE_INACTIVE :
		    EXCHANGE_UNKNOWN);
	state = db_text(rows, 0, 4);
	if (str_eq(state, "suspended"))
		return (EXCHANGE_SUSPENDED);
	if (str_eq(state, "expired") || (str_eq(state, "active") &&
	    db_truth(rows, 0, 5)))
		return (EXCHANGE_EXPIRED);
	if (!str_eq(state, "active"))
		return (EXCHANGE_CANCELLED);
	return (db_truth(rows, 0, 12) ? EXCHANGE_DONE : EXCHANGE_SCOPE);
}

static void
fill(struct exchange *x, const struct db_rows *rows)
{
	struct jwt_claims	*c = &x->claims;
	const char		*words = db_text(rows, 0, 10);

	memset(c, 0, sizeof(*c));
	(void)snprintf(c->subject, sizeof(c->subject), "%s",
	    db_text(rows, 0, 0));
	(void)snprintf(c->audience, sizeof(c->audience), "%s",
	    db_text(rows, 0, 7));
	(void)snprintf(c->tenant, sizeof(c->tenant), "%s",
	    db_text(rows, 0, 8));
	(void)snprintf(c->environment, sizeof(c->environment), "%s",
	    db_text(rows, 0, 9));
	x->ends_at = db_number(rows, 0, 11);
	c->whole = x->scope[0] == '\0';
	/* All of them where they fit; one that is whole needs no list. */
	if (!c->whole)
		memcpy(c->scope, x->scope, sizeof(c->scope));
	else if (strlen(words) <= JWT_SCOPE_MAX)
		memcpy(c->scope, words, strlen(words) + 1);
}
