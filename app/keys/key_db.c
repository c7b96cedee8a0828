/*
 * Keys in the database.
 */
#include "keys/key.h"

#include <assert.h>

#include "base/str.h"

enum key_reveal_result
key_db_reveal(struct db *db, const char *account_id,
    const char *subscription_id, const char *slot, const char *nonce,
    struct key_revealed *ret_revealed)
{
	const struct db_rows	*rows;
	unsigned char		 hash[SHA256_BYTES];

	/*
	 * The row of `burn` is there only for the first of two that send the
	 * same nonce, at the same moment too: the second waits for the first
	 * at the primary key and then does nothing.  Nothing but the first
	 * sees the sealed value.
	 */
	DB_QUERY(key_reveal,
	    "WITH seen AS ("
	    "  SELECT k.id, k.sealed, k.slot, k.last4, s.id AS subscription_id,"
	    "  s.name, t.id AS tenant_id, t.code, t.name AS tenant_name,"
	    "  p.base_url, p.example_path, p.needs_api_user"
	    "  FROM membership m"
	    "  JOIN subscription s ON s.tenant_id = m.tenant_id"
	    "  JOIN tenant t ON t.id = s.tenant_id"
	    "  JOIN product p ON p.id = s.product_id"
	    "  JOIN subscription_key k ON k.subscription_id = s.id"
	    "  WHERE m.account_id = $1 AND s.id = $2 AND k.slot = $3"
	    "  AND k.state = 'current' AND s.state IN ('active', 'suspended')"
	    "  AND (s.expires_at IS NULL OR s.expires_at > now())"
	    "), burn AS ("
	    "  INSERT INTO reveal (nonce_hash, account_id)"
	    "  SELECT $4, $1 FROM seen ON CONFLICT (nonce_hash) DO NOTHING"
	    "  RETURNING nonce_hash"
	    ") SELECT seen.id, seen.slot, seen.name, seen.code,"
	    " seen.tenant_name, seen.last4, seen.base_url, seen.example_path,"
	    " seen.needs_api_user,"
	    " CASE WHEN burn.nonce_hash IS NOT NULL THEN seen.sealed END,"
	    " CASE WHEN burn.nonce_hash IS NOT NULL THEN"
	    "  audit_write(seen.tenant_id, 'account', $1, 'key.shown',"
	    "  'subscription', seen.subscription_id,"
	    "  jsonb_build_object('slot', seen.slot, 'key', seen.id)) END"
	    " FROM seen LEFT JOIN burn ON true");

	assert(key_slot_valid(slot));
	sha256(hash, nonce, strlen(nonce));
	rows = db_write(db, &key_reveal, DB_ARGS(account_id, subscription_id,
	    slot, db_bytes(db, hash, sizeof(hash))));
	db_must(db, rows);
	if (rows->n == 0)
		return (KEY_REVEAL_NONE);
	*ret_revealed = (struct key_revealed){
		.key_id = db_text(rows, 0, 0),
		.slot = db_text(rows, 0, 1),
		.name = db_text(rows, 0, 2),
		.tenant_code = db_text(rows, 0, 3),
		.tenant_name = db_text(rows, 0, 4),
		.last4 = db_text(rows, 0, 5),
		.base_url = db_text(rows, 0, 6),
		.example_path = db_text(rows, 0, 7),
		.needs_api_user = db_truth(rows, 0, 8),
	};
	if (db_is_null(rows, 0, 9))
		return (KEY_REVEAL_AGAIN);
	ret_revealed->sealed = db_blob(db, rows, 0, 9,
	    &ret_revealed->sealed_bytes);
	return (KEY_REVEAL_SHOWN);
}
