/*
 * A token in place of a key: verified, and what its key may now is read as for
 * the key itself, under the token's hash.  So a hit costs what a key's does, and
 * a notification that makes a key's entry stale does so to its tokens' entries.
 */
#include "gateway/gateway.h"

#include <assert.h>

#include "base/clock.h"
#include "base/setting.h"
#include "base/str.h"
#include "gateway/signers.h"

static bool	 verify(const char *token, struct jwt_claims *);

WAITS void
gateway_db_token(struct db *db, const unsigned char hash[HASH_SHORT_BYTES],
    const char *token)
{
	/* Any of the key's values leads to all there is of it. */
	DB_QUERY(gateway_token,
	    "SELECT k.mac, CASE WHEN $2 <> '' THEN token_matrix(i.id,"
	    " string_to_array($2, ' ')) END"
	    " FROM issued_key i JOIN subscription_key k ON k.key_id = i.id"
	    " JOIN subscription s ON s.id = i.subscription_id"
	    " JOIN product p ON p.id = s.product_id"
	    " JOIN key_profile f ON f.name = p.profile"
	    " WHERE i.id = $1::uuid AND f.takes_token AND p.slug = $3"
	    " ORDER BY k.state = 'current' DESC, k.id DESC LIMIT 1");
	uint64_t		 number = cache_begin();
	struct jwt_claims	 claims;
	const struct db_rows	*rows;
	const char		*matrix;
	const void		*mac;
	struct key_entry	*k;
	size_t			 bytes;

	if (!signers_good(INT64_MAX))
		signers_db_read(db);
	if (!verify(token, &claims)) {
		cache_drop_key(hash);
		cache_put_absent(hash, number);
		return;
	}
	rows = db_read(db, &gateway_token, DB_ARGS(claims.subject,
	    claims.whole ? "" : claims.scope, claims.audience));
	if (rows->n == 0) {
		cache_drop_key(hash);
		cache_put_absent(hash, number);
		return;
	}
	mac = db_blob(db, rows, 0, 0, &bytes);
	assert(bytes == SHA256_BYTES);
	matrix = db_text(rows, 0, 1);
	gateway_db_key(db, hash, mac);
	k = cache_key(hash);
	if (k == NULL || k->issued == NULL)
		return;
	/* What was read first is no newer than its own beginning. */
	k->entry.number = number;
	k->issued->token_ends_at = claims.expires_at * SECOND_US;
	if (!claims.whole)
		cache_narrow(k->issued, claims.scope, matrix != NULL ? matrix :
		    "");
}

/* One whose time is over is known, and denied for that. */
static bool
verify(const char *token, struct jwt_claims *ret_claims)
{
	struct jwk	*keys[SIGNING_MAX];
	int64_t		 now = clock_now();
	size_t		 n = signing_good(signers(), now, keys);

	switch (jwt_verify(token, keys, n, setting->gateway_url,
	    now / SECOND_US, ret_claims)) {
	case JWT_GOOD:
	case JWT_EXPIRED:
		return (true);
	case JWT_BAD:
	case JWT_UNKNOWN_KID:
		break;
	}
	return (false);
}
