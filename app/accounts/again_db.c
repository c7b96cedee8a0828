/*
 * SQL of a fresh sign-in.
 */
#include "accounts/again.h"

/*
 * $1 the session, $2 its new token, $3 the form's nonce or NULL, $4 the
 * account, $5 what was proven; `used` gives a row where that is right.  Of two
 * that send the same form, the second finds its nonce or the session's token
 * gone.
 */
#define REFRESH(used, factor)						\
	"WITH used AS (" used "), "					\
	"burn AS (INSERT INTO reveal (nonce_hash, account_id) "		\
	"SELECT $3::bytea, id FROM used WHERE $3::bytea IS NOT NULL "	\
	"ON CONFLICT (nonce_hash) DO NOTHING RETURNING account_id), "	\
	"s AS (UPDATE session SET id_hash = $2::bytea, "		\
	"fresh_at = now(), last_used_at = now(), again_failures = 0 "	\
	"FROM used WHERE id_hash = $1::bytea AND account_id = used.id "	\
	"AND ($3::bytea IS NULL OR EXISTS (SELECT FROM burn)) "		\
	"AND expires_at > now() "					\
	"AND last_used_at > now() - interval '12 hours' "		\
	"RETURNING account_id AS id), "					\
	"audit AS (SELECT audit_write(m.tenant_id, 'account', s.id, "	\
	"'session.refreshed', 'account', s.id, "			\
	"jsonb_build_object('factor', '" factor "')) AS n "		\
	"FROM s LEFT JOIN membership m ON m.account_id = s.id) "

enum again_result
again_db_refresh(struct db *db, const struct again *again, const char *cookie,
    const char *token)
{
	DB_QUERY(again_password,
	    REFRESH("SELECT a.id FROM account a WHERE a.id = $4::uuid "
	    "AND a.state = 'active' AND a.password_hash = $5 "
	    "AND NOT EXISTS (SELECT FROM second_factor f "
	    "WHERE f.account_id = a.id)",
	    "password")
	    "SELECT (SELECT count(*) FROM used), (SELECT count(n) FROM audit)");
	DB_QUERY(again_totp,
	    REFRESH("UPDATE totp SET last_counter = $5::bigint "
	    "WHERE account_id = $4::uuid AND last_counter < $5::bigint "
	    "RETURNING account_id AS id", "totp")
	    "SELECT (SELECT count(*) FROM used), (SELECT count(n) FROM audit)");
	DB_QUERY(again_recovery,
	    REFRESH("UPDATE recovery_code SET used_at = now() "
	    "WHERE account_id = $4::uuid AND code_hash = $5::bytea "
	    "AND used_at IS NULL RETURNING account_id AS id", "recovery")
	    ", " RECOVERY_TOLD("used") " SELECT (SELECT count(*) FROM used), "
	    "(SELECT count(n) FROM audit), (SELECT count(mail) FROM told)");
	/* The answer was used up before. */
	DB_QUERY(again_passkey,
	    REFRESH("SELECT a.id FROM account a WHERE a.id = $4::uuid "
	    "AND a.state = 'active' AND $5 = 'passkey'", "passkey")
	    "SELECT (SELECT count(*) FROM used), (SELECT count(n) FROM audit)");
	const struct db_query	*query = &again_totp;
	const struct db_rows	*rows;
	unsigned char		 hash[SHA256_BYTES];
	const char		*nonce = NULL, *proven;

	if (again->is_passkey) {
		query = &again_passkey;
		proven = "passkey";
	} else if (again->password_hash != NULL) {
		query = &again_password;
		proven = again->password_hash;
	} else {
		if (again->proof.is_recovery)
			query = &again_recovery;
		proven = proof_value(db, &again->proof);
	}
	if (again->nonce != NULL) {
		sha256(hash, again->nonce, AGAIN_NONCE);
		nonce = db_bytes(db, hash, sizeof(hash));
	}
	rows = db_write(db, query, DB_ARGS(session_hash(db, cookie),
	    session_hash(db, token), nonce, again->account_id, proven));
	if (rows->outcome != DB_OK || db_number(rows, 0, 0) == 0)
		return (AGAIN_USED);
	return (db_number(rows, 0, 1) == 1 ? AGAIN_FRESH : AGAIN_GONE);
}

bool
again_db_failed(struct db *db, const char *cookie)
{
	/* The number is AGAIN_FAILURES - 1: this is one more. */
	DB_QUERY(again_failed,
	    "WITH counted AS (UPDATE session "
	    "SET again_failures = again_failures + 1 "
	    "WHERE id_hash = $1::bytea AND again_failures < 4), "
	    "ended AS (DELETE FROM session WHERE id_hash = $1::bytea "
	    "AND again_failures >= 4 RETURNING account_id AS id), "
	    "audit AS (SELECT audit_write(m.tenant_id, 'account', ended.id, "
	    "'session.ended', 'account', ended.id, "
	    "jsonb_build_object('reason', 'failures')) AS n "
	    "FROM ended LEFT JOIN membership m ON m.account_id = ended.id) "
	    "SELECT count(n) FROM audit");
	const struct db_rows	*rows;

	rows = db_write(db, &again_failed, DB_ARGS(session_hash(db, cookie)));
	db_must(db, rows);
	return (db_number(rows, 0, 0) > 0);
}
