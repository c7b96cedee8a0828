/*
 * See signing.h.
 */
#include "vault/signing.h"

#include <assert.h>

#include "base/clock.h"
#include "base/str.h"
#include "vault/vault.h"

#define US(x)	"coalesce((extract(epoch FROM " x ") * 1000000)::bigint, 0)"

static const char *make(struct db *, enum jwt_alg, const char *id,
		    char ret_kid[JWK_KID]);
static bool	 ended(const struct signing_key *, int64_t now);

WAITS void
signing_db_read(struct db *db, struct signing_keys *keys, int *ret_broken)
{
	DB_QUERY(signing_read,
	    "SELECT id, sealed, " US("signs_at") ", " US("ends_at")
	    " FROM signing_key WHERE ends_at IS NULL OR ends_at > now()"
	    " ORDER BY signs_at DESC, id DESC LIMIT $1::int");
	struct signing_keys	 fresh = { 0 };
	const struct db_rows	*rows;
	struct signing_key	*key;
	struct secret		 plain;
	const void		*sealed;
	size_t			 bytes;
	int			 i;

	*ret_broken = 0;
	rows = db_read(db, &signing_read, DB_ARGS(db_int(db, SIGNING_MAX)));
	for (i = 0; i < rows->n; i++) {
		key = &fresh.keys[fresh.n];
		sealed = db_blob(db, rows, i, 1, &bytes);
		if (vault_open(db, signing_row(db_arena(db), db_text(rows, i,
		    0)), sealed, bytes, &plain) != SEAL_OK) {
			++*ret_broken;
			continue;
		}
		key->jwk = jwk_read((const char *)plain.p, plain.n);
		secret_wipe(&plain);
		if (key->jwk == NULL || !jwk_signs(key->jwk)) {
			jwk_free(key->jwk);
			key->jwk = NULL;
			++*ret_broken;
			continue;
		}
		key->signs_at = db_number(rows, i, 2);
		key->ends_at = db_number(rows, i, 3);
		fresh.n++;
	}
	signing_free(keys);
	*keys = fresh;
}

void
signing_free(struct signing_keys *keys)
{
	size_t	i;

	for (i = 0; i < keys->n; i++)
		jwk_free(keys->keys[i].jwk);
	memset(keys, 0, sizeof(*keys));
}

const struct signing_key *
signing_now(const struct signing_keys *keys, int64_t now)
{
	size_t	i;

	for (i = 0; i < keys->n; i++)
		if (keys->keys[i].signs_at <= now &&
		    !ended(&keys->keys[i], now))
			return (&keys->keys[i]);
	return (NULL);
}

size_t
signing_good(const struct signing_keys *keys, int64_t now,
    struct jwk *ret_keys[SIGNING_MAX])
{
	size_t	i, n = 0;

	for (i = 0; i < keys->n; i++)
		if (!ended(&keys->keys[i], now))
			ret_keys[n++] = keys->keys[i].jwk;
	return (n);
}

void
signing_jwks(const struct signing_keys *keys, int64_t now,
    char ret_json[SIGNING_JWKS_MAX])
{
	struct jwk	*good[SIGNING_MAX];
	struct arena	*a = arena_new(4 * SIGNING_JWKS_MAX, NULL, NULL);
	struct buf	 b;
	size_t		 i, n = signing_good(keys, now, good);

	buf_fixed(&b, ret_json, SIGNING_JWKS_MAX);
	buf_str(&b, "{\"keys\":[");
	for (i = 0; i < n; i++)
		buf_fmt(&b, "%s%s", i > 0 ? "," : "", jwk_public(a, good[i]));
	buf_str(&b, "]}");
	assert(!b.full);
	arena_free(a);
}

WAITS bool
signing_db_init(struct db *db, enum jwt_alg alg)
{
	DB_QUERY(signing_any, "SELECT FROM signing_key LIMIT 1");
	DB_QUERY(signing_init,
	    "INSERT INTO signing_key (id, kid, alg, sealed, signs_at)"
	    " SELECT $1::uuid, $2, $3, $4::bytea, now()"
	    " WHERE NOT EXISTS (SELECT FROM signing_key)"
	    " ON CONFLICT DO NOTHING");
	const struct db_rows	*rows;
	const char		*sealed;
	char			 id[UUID_TEXT], kid[JWK_KID];

	if (db_read(db, &signing_any, DB_NONE)->n > 0)
		return (false);
	uuid_make(id);
	sealed = make(db, alg, id, kid);
	rows = db_write(db, &signing_init, DB_ARGS(id, kid, jwt_alg_text(alg),
	    sealed));
	return (db_must(db, rows)->changed > 0);
}

WAITS bool
signing_db_rotate(struct db *db, enum jwt_alg alg, int64_t publish_s,
    int64_t token_s, bool at_once, char ret_kid[JWK_KID])
{
	/* The insert reads what was ended, so it comes behind that: the index
	 * has room for one without an end. */
	DB_QUERY(signing_rotate,
	    "WITH may AS (SELECT WHERE $7::boolean OR (SELECT count(*)"
	    "    FROM signing_key WHERE ends_at IS NULL OR ends_at > now())"
	    "    < $8::int"
	    "), gone AS (DELETE FROM signing_key USING may"
	    "  WHERE ends_at <= now()"
	    "), old AS (UPDATE signing_key SET ends_at = CASE WHEN $7::boolean"
	    "    THEN now() ELSE now() + make_interval(secs => $5::int"
	    "    + $6::int) END FROM may"
	    "  WHERE ends_at IS NULL OR ($7::boolean AND ends_at > now())"
	    "  RETURNING id"
	    "), fresh AS (INSERT INTO signing_key (id, kid, alg, sealed,"
	    "    signs_at) SELECT $1::uuid, $2, $3, $4::bytea, CASE WHEN"
	    "    $7::boolean THEN now() ELSE now() + make_interval("
	    "    secs => $5::int) END"
	    "  FROM may WHERE (SELECT count(*) FROM old) >= 0 RETURNING id)"
	    " SELECT audit_write(NULL, 'operator', NULL,"
	    " 'vault.signing_rotated', 'vault',"
	    " '00000000-0000-0000-0000-000000000000', jsonb_build_object("
	    " 'kid', $2::text, 'alg', $3::text, 'at_once', $7::boolean))"
	    " FROM fresh");
	const struct db_rows	*rows;
	const char		*sealed;
	char			 id[UUID_TEXT], kid[JWK_KID];

	uuid_make(id);
	sealed = make(db, alg, id, kid);
	rows = db_write(db, &signing_rotate, DB_ARGS(id, kid,
	    jwt_alg_text(alg), sealed, db_int(db, publish_s),
	    db_int(db, token_s + SIGNING_SLACK_S), db_bool(at_once),
	    db_int(db, SIGNING_MAX)));
	if (rows->outcome == DB_CONFLICT)
		return (false);
	if (db_must(db, rows)->n == 0)
		return (false);
	memcpy(ret_kid, kid, sizeof(kid));
	return (true);
}

WAITS const struct db_rows *
signing_db_list(struct db *db)
{
	DB_QUERY(signing_list,
	    "SELECT kid, alg, CASE WHEN ends_at <= now() THEN 'ended'"
	    " WHEN signs_at > now() THEN 'next'"
	    " WHEN EXISTS (SELECT FROM signing_key AS later"
	    "  WHERE (later.signs_at, later.id) > (k.signs_at, k.id)"
	    "  AND later.signs_at <= now()"
	    "  AND (later.ends_at IS NULL OR later.ends_at > now()))"
	    "  THEN 'verifies' ELSE 'signs' END,"
	    " to_char(signs_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),"
	    " to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
	    " FROM signing_key AS k"
	    " ORDER BY ends_at IS NULL DESC, signs_at DESC, id DESC");

	return (db_read(db, &signing_list, DB_NONE));
}

const char *
signing_row(struct arena *a, const char *id)
{
	return (arena_fmt(a, "signing_key:%s", id));
}

/* A fresh one, sealed, as a parameter. */
static const char *
make(struct db *db, enum jwt_alg alg, const char *id, char ret_kid[JWK_KID])
{
	struct jwk	*jwk = jwk_make(alg);
	struct secret	 plain = jwk_private(db_arena(db), jwk);
	unsigned char	*sealed = arena_alloc(db_arena(db),
			    plain.n + SEAL_OVERHEAD);
	size_t		 bytes = plain.n + SEAL_OVERHEAD;

	seal(vault, signing_row(db_arena(db), id), plain.p, plain.n, sealed);
	secret_wipe(&plain);
	memcpy(ret_kid, jwk_kid(jwk), JWK_KID);
	jwk_free(jwk);
	return (db_bytes(db, sealed, bytes));
}

static bool
ended(const struct signing_key *key, int64_t now)
{
	return (key->ends_at != 0 && key->ends_at <= now);
}
