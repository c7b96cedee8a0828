/*
 * SQL of passkeys.
 */
#include "accounts/passkey.h"

#define TENANT(from)							\
	"LEFT JOIN membership m ON m.account_id = " from ".id"
/* A challenge is answered once. */
#define BURN(nonce, from)						\
	"burn AS (INSERT INTO reveal (nonce_hash, account_id) "		\
	"SELECT " nonce "::bytea, id FROM " from " "			\
	"ON CONFLICT (nonce_hash) DO NOTHING RETURNING account_id AS id)"
/* $1 the credential, $2 the counter that its answer had. */
#define USED								\
	"used AS (UPDATE passkey k SET sign_count = $2::bigint, "	\
	"used_at = now() FROM account a WHERE k.credential_id = $1::bytea " \
	"AND a.id = k.account_id AND a.state = 'active' "		\
	"AND (k.sign_count < $2::bigint "				\
	"OR (k.sign_count = 0 AND $2::bigint = 0)) RETURNING a.id)"
#define END_OTHERS(from)						\
	"ended AS (DELETE FROM session WHERE account_id IN "		\
	"(SELECT id FROM " from ") AND id_hash <> $2::bytea), "		\
	"halves AS (DELETE FROM pending_signin WHERE account_id IN "	\
	"(SELECT id FROM " from "))"

static const char *nonce_hash(struct db *, const unsigned char *nonce);

size_t
passkey_db_list(struct db *db, const char *account_id,
    const struct passkey_row **ret_rows)
{
	DB_QUERY(passkey_list,
	    "SELECT id, name, (extract(epoch FROM created_at) * 1000000)"
	    "::bigint, coalesce((extract(epoch FROM used_at) * 1000000)"
	    "::bigint, 0) FROM passkey WHERE account_id = $1::uuid "
	    "ORDER BY id");
	const struct db_rows	*rows;
	struct passkey_row	*list;
	int			 i;

	rows = db_read(db, &passkey_list, DB_ARGS(account_id));
	list = arena_calloc(db_arena(db), (size_t)rows->n + 1, sizeof(*list));
	for (i = 0; i < rows->n; i++)
		list[i] = (struct passkey_row){ .id = db_text(rows, i, 0),
		    .name = db_text(rows, i, 1),
		    .created_at = db_number(rows, i, 2),
		    .used_at = db_number(rows, i, 3) };
	*ret_rows = list;
	return ((size_t)rows->n);
}

enum factor_result
passkey_db_add(struct db *db, const struct session *s, const char *name,
    const struct passkey_new *new, const unsigned char nonce[AGAIN_NONCE],
    const struct recovery_codes *recovery, bool *ret_has_codes)
{
	/* The account's row is held, so that two at once count each other; the
	 * number is PASSKEYS_MAX.  Codes come with the first factor only: in
	 * the statement's snapshot this one is not there yet. */
	DB_QUERY(passkey_add,
	    "WITH who AS MATERIALIZED (SELECT id FROM account "
	    "WHERE id = $1::uuid FOR UPDATE), " BURN("$3", "who") ", "
	    "made AS (INSERT INTO passkey (id, account_id, credential_id, "
	    "algorithm, public_key, sign_count, name) "
	    "SELECT $4::uuid, id, $5::bytea, $6::integer, $7::bytea, "
	    "$8::bigint, $9 FROM burn WHERE (SELECT count(*) FROM passkey "
	    "WHERE account_id = $1::uuid) < 10 "
	    "ON CONFLICT (credential_id) DO NOTHING "
	    "RETURNING account_id AS id), "
	    "codes AS (INSERT INTO recovery_code (account_id, code_hash) "
	    "SELECT made.id, decode(h, 'hex') FROM made, "
	    "unnest($10::text[]) AS h WHERE NOT EXISTS (SELECT "
	    "FROM second_factor f WHERE f.account_id = $1::uuid) "
	    "RETURNING account_id), " END_OTHERS("made") ", "
	    "told AS (SELECT audit_write(m.tenant_id, 'account', made.id, "
	    "'factor.added', 'account', made.id, "
	    "jsonb_build_object('factor', 'passkey')) AS n, "
	    "mail_queue('passkey_added', made.id, NULL, "
	    "jsonb_build_object('passkey', $9)) AS mail "
	    "FROM made " TENANT("made") ") "
	    "SELECT (SELECT count(*) FROM burn), "
	    "(SELECT count(n) + count(mail) FROM told), "
	    "(SELECT count(*) FROM codes)");
	const struct db_rows	*rows;
	char			 id[UUID_TEXT];

	uuid_make(id);
	rows = db_write(db, &passkey_add, DB_ARGS(s->account_id,
	    session_hash(db, s->cookie), nonce_hash(db, nonce), id,
	    db_bytes(db, new->id.p, new->id.n), db_int(db, new->algorithm),
	    db_bytes(db, new->key.p, new->key.n), db_int(db, new->count),
	    name, recovery_hashes(db, recovery)));
	db_must(db, rows);
	if (db_number(rows, 0, 0) == 0)
		return (FACTOR_AGAIN);
	if (db_number(rows, 0, 1) != 2)
		return (FACTOR_CONFLICT);
	*ret_has_codes = db_number(rows, 0, 2) > 0;
	return (FACTOR_DONE);
}

bool
passkey_db_remove(struct db *db, const struct session *s, const char *id)
{
	/* With the last factor its recovery codes go: in the statement's
	 * snapshot this one is still there. */
	DB_QUERY(passkey_remove,
	    "WITH gone AS (DELETE FROM passkey WHERE id = $3::uuid "
	    "AND account_id = $1::uuid RETURNING account_id AS id, name), "
	    "codes AS (DELETE FROM recovery_code WHERE account_id IN "
	    "(SELECT id FROM gone) AND (SELECT count(*) FROM second_factor "
	    "WHERE account_id = $1::uuid) = 1), " END_OTHERS("gone") ", "
	    "told AS (SELECT audit_write(m.tenant_id, 'account', gone.id, "
	    "'factor.removed', 'account', gone.id, "
	    "jsonb_build_object('factor', 'passkey')) AS n, "
	    "mail_queue('passkey_removed', gone.id, NULL, "
	    "jsonb_build_object('passkey', gone.name)) AS mail "
	    "FROM gone " TENANT("gone") ") "
	    "SELECT count(n) + count(mail) FROM told");
	const struct db_rows	*rows;

	rows = db_write(db, &passkey_remove, DB_ARGS(s->account_id,
	    session_hash(db, s->cookie), id));
	db_must(db, rows);
	return (db_number(rows, 0, 0) == 2);
}

bool
passkey_db_find(struct db *db, struct bytes id, struct passkey *ret_passkey)
{
	DB_QUERY(passkey_find,
	    "SELECT a.id, a.kind, a.staff_role, k.public_key, k.algorithm, "
	    "k.sign_count FROM passkey k JOIN account a ON a.id = k.account_id "
	    "AND a.state = 'active' WHERE k.credential_id = $1::bytea");
	const struct db_rows	*rows;

	rows = db_read(db, &passkey_find, DB_ARGS(db_bytes(db, id.p, id.n)));
	if (rows->n == 0)
		return (false);
	*ret_passkey = (struct passkey){ .account_id = db_text(rows, 0, 0),
	    .algorithm = (int)db_number(rows, 0, 4),
	    .count = db_number(rows, 0, 5) };
	ret_passkey->key.p = db_blob(db, rows, 0, 3, &ret_passkey->key.n);
	if (str_eq(db_text(rows, 0, 1), "staff"))
		ret_passkey->kind = str_eq(db_text(rows, 0, 2), "admin") ?
		    ACCOUNT_ADMIN : ACCOUNT_STAFF;
	return (true);
}

bool
passkey_db_enter(struct db *db, struct bytes id, int64_t count,
    const unsigned char nonce[AGAIN_NONCE], const struct session_start *start)
{
	DB_QUERY(passkey_enter,
	    "WITH " USED ", " BURN("$9", "used") ", "
	    "who AS (UPDATE account SET signed_in_at = now() "
	    "WHERE id IN (SELECT id FROM burn) RETURNING id), "
	    SESSION_SQL("who", "$3", "$4", "$5", "$6", "$7", "$8") ", "
	    "audit AS (SELECT audit_write(m.tenant_id, 'account', who.id, "
	    "'session.started', 'account', who.id, "
	    "jsonb_build_object('factor', 'passkey')) AS n "
	    "FROM who " TENANT("who") ") SELECT count(n) FROM audit");
	const struct db_rows	*rows;

	rows = db_write(db, &passkey_enter, DB_ARGS(db_bytes(db, id.p, id.n),
	    db_int(db, count), SESSION_ARGS(db, start),
	    nonce_hash(db, nonce)));
	return (rows->outcome == DB_OK && db_number(rows, 0, 0) == 1);
}

bool
passkey_db_use(struct db *db, const char *account_id, struct bytes id,
    int64_t count, const unsigned char nonce[AGAIN_NONCE])
{
	DB_QUERY(passkey_use,
	    "WITH " USED ", mine AS (SELECT id FROM used "
	    "WHERE id = $3::uuid), " BURN("$4", "mine") " "
	    "SELECT count(*) FROM burn");
	const struct db_rows	*rows;

	rows = db_write(db, &passkey_use, DB_ARGS(db_bytes(db, id.p, id.n),
	    db_int(db, count), account_id, nonce_hash(db, nonce)));
	return (rows->outcome == DB_OK && db_number(rows, 0, 0) == 1);
}

static const char *
nonce_hash(struct db *db, const unsigned char *nonce)
{
	unsigned char	hash[SHA256_BYTES];

	sha256(hash, nonce, AGAIN_NONCE);
	return (db_bytes(db, hash, sizeof(hash)));
}
