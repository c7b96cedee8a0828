/*
 * SQL of second factors.
 */
#include "accounts/factor.h"

#include <assert.h>

#define AUDIT(from, action)						\
	"audit_write(m.tenant_id, 'account', " from ".id, '" action "', "	\
	"'account', " from ".id)"
#define TENANT(from) "LEFT JOIN membership m ON m.account_id = " from ".id"
/* Ends the sessions and half sign-ins of `from`, but the one of hash $2. */
#define END_OTHERS(from)						\
	"ended AS (DELETE FROM session WHERE account_id IN "		\
	"(SELECT id FROM " from ") AND id_hash <> $2::bytea), "		\
	"halves AS (DELETE FROM pending_signin WHERE account_id IN "	\
	"(SELECT id FROM " from "))"
/* Ten codes (hashes in hexadecimal, $3) in place of those of `from`. */
#define NEW_CODES(from)							\
	"old_codes AS (DELETE FROM recovery_code WHERE account_id IN "	\
	"(SELECT id FROM " from ")), "					\
	"codes AS (INSERT INTO recovery_code (account_id, code_hash) "	\
	"SELECT " from ".id, decode(h, 'hex') FROM " from ", "		\
	"unnest($3::text[]) AS h)"
/* A form that is sent twice: only the first finds no row. */
#define BURN(nonce)							\
	"burn AS (INSERT INTO reveal (nonce_hash, account_id) "		\
	"VALUES (" nonce "::bytea, $1::uuid) "				\
	"ON CONFLICT (nonce_hash) DO NOTHING RETURNING account_id AS id)"

static struct challenge challenge_read(struct db *,
		    const struct db_rows *, const struct visitor *);
static const char *nonce_hash(struct db *, const char *nonce);

struct factors
factor_db_of(struct db *db, const char *account_id)
{
	DB_QUERY(factor_of,
	    "SELECT t.account_id IS NOT NULL, "
	    "coalesce((extract(epoch FROM t.created_at) * 1000000)::bigint, 0), "
	    "(SELECT count(*) FROM recovery_code r "
	    "WHERE r.account_id = $1::uuid AND r.used_at IS NULL), "
	    "EXISTS (SELECT FROM passkey k WHERE k.account_id = $1::uuid) "
	    "FROM (SELECT 1) AS one "
	    "LEFT JOIN totp t ON t.account_id = $1::uuid");
	const struct db_rows	*rows;

	rows = db_read(db, &factor_of, DB_ARGS(account_id));
	return ((struct factors){ .has_totp = db_truth(rows, 0, 0),
	    .totp_since = db_number(rows, 0, 1),
	    .recovery_left = db_number(rows, 0, 2),
	    .has_passkey = db_truth(rows, 0, 3) });
}

enum factor_result
factor_db_set_up(struct db *db, const struct session *s, const void *sealed,
    size_t bytes, int64_t counter, const char *nonce,
    const struct recovery_codes *recovery)
{
	/* The row is there once for an account; the second of two at the same
	 * time waits for it and then makes nothing. */
	DB_QUERY(factor_set_up,
	    "WITH " BURN("$4") ", "
	    "made AS (INSERT INTO totp (account_id, sealed, last_counter) "
	    "SELECT id, $5::bytea, $6::bigint FROM burn "
	    "ON CONFLICT (account_id) DO NOTHING RETURNING account_id AS id), "
	    NEW_CODES("made") ", " END_OTHERS("made") ", "
	    "told AS (SELECT " AUDIT("made", "factor.added") " AS n, "
	    "mail_queue('factor_added', made.id, NULL) AS mail "
	    "FROM made " TENANT("made") ") "
	    "SELECT (SELECT count(*) FROM burn), "
	    "(SELECT count(n) + count(mail) FROM told)");
	const struct db_rows	*rows;

	rows = db_write(db, &factor_set_up,
	    DB_ARGS(s->account_id, session_hash(db, s->cookie),
		recovery_hashes(db, recovery), nonce_hash(db, nonce),
		db_bytes(db, sealed, bytes), db_int(db, counter)));
	db_must(db, rows);
	if (db_number(rows, 0, 0) == 0)
		return (FACTOR_AGAIN);
	return (db_number(rows, 0, 1) == 2 ? FACTOR_DONE : FACTOR_CONFLICT);
}

enum factor_result
factor_db_remove(struct db *db, const struct session *s)
{
	DB_QUERY(factor_remove,
	    "WITH gone AS (DELETE FROM totp WHERE account_id = $1::uuid "
	    "RETURNING account_id AS id), "
	    "codes AS (DELETE FROM recovery_code WHERE account_id IN "
	    "(SELECT id FROM gone) AND NOT EXISTS (SELECT FROM passkey k "
	    "WHERE k.account_id = $1::uuid)), " END_OTHERS("gone") ", "
	    "told AS (SELECT " AUDIT("gone", "factor.removed") " AS n, "
	    "mail_queue('factor_removed', gone.id, NULL) AS mail "
	    "FROM gone " TENANT("gone") ") "
	    "SELECT count(n) + count(mail) FROM told");
	const struct db_rows	*rows;

	rows = db_write(db, &factor_remove,
	    DB_ARGS(s->account_id, session_hash(db, s->cookie)));
	db_must(db, rows);
	return (db_number(rows, 0, 0) == 2 ? FACTOR_DONE : FACTOR_CONFLICT);
}

enum factor_result
factor_db_recovery_new(struct db *db, const struct session *s,
    const char *nonce, const struct recovery_codes *recovery)
{
	/* $2, the session, is not needed here: all of them go on. */
	DB_QUERY(factor_recovery_new,
	    "WITH " BURN("$4") ", "
	    "who AS (SELECT id FROM burn WHERE $2::bytea IS NOT NULL "
	    "AND EXISTS (SELECT FROM second_factor f "
	    "WHERE f.account_id = burn.id)), " NEW_CODES("who") ", "
	    "told AS (SELECT " AUDIT("who", "recovery.renewed") " AS n, "
	    "mail_queue('recovery_renewed', who.id, NULL) AS mail "
	    "FROM who " TENANT("who") ") "
	    "SELECT (SELECT count(*) FROM burn), "
	    "(SELECT count(n) + count(mail) FROM told)");
	const struct db_rows	*rows;

	rows = db_write(db, &factor_recovery_new,
	    DB_ARGS(s->account_id, session_hash(db, s->cookie),
		recovery_hashes(db, recovery), nonce_hash(db, nonce)));
	db_must(db, rows);
	if (db_number(rows, 0, 0) == 0)
		return (FACTOR_AGAIN);
	return (db_number(rows, 0, 1) == 2 ? FACTOR_DONE : FACTOR_CONFLICT);
}

bool
factor_db_pend(struct db *db, const struct credential *credential,
    const char *new_hash, const char *token)
{
	DB_QUERY(factor_pend,
	    "WITH who AS (UPDATE account "
	    "SET password_hash = coalesce($3, password_hash) "
	    "WHERE id = $1::uuid AND state = 'active' "
	    "AND password_hash = $2 RETURNING id), "
	    "pend AS (INSERT INTO pending_signin (id_hash, account_id, "
	    "expires_at) SELECT $4::bytea, id, now() + interval '5 minutes' "
	    "FROM who), "
	    "audit AS (SELECT " AUDIT("who", "session.half") " AS n "
	    "FROM who " TENANT("who") ") "
	    "SELECT count(n) FROM audit");
	const struct db_rows	*rows;

	rows = db_write(db, &factor_pend,
	    DB_ARGS(credential->account_id, credential->hash, new_hash,
		session_hash(db, token)));
	return (rows->outcome == DB_OK && db_number(rows, 0, 0) == 1);
}

/* Rows of a pending sign-in that still counts: the password has not changed
 * since it was typed. */
#define PENDING(hash)							\
	"pending_signin p JOIN account a ON a.id = p.account_id "	\
	"AND a.state = 'active' AND a.password_at <= p.created_at "	\
	"WHERE p.id_hash = " hash "::bytea AND p.expires_at > now()"

/* What is asked of the account `a`. */
#define CHALLENGE							\
	"a.id, a.kind, a.staff_role, t.sealed, t.last_counter, "	\
	"(SELECT count(*) FROM recovery_code r "			\
	"WHERE r.account_id = a.id AND r.used_at IS NULL), "		\
	"EXISTS (SELECT FROM passkey k WHERE k.account_id = a.id), "	\
	"EXISTS (SELECT FROM known_browser b "				\
	"WHERE b.account_id = a.id AND b.id_hash = $2::bytea)"

bool
factor_db_pending(struct db *db, const char *token,
    const struct visitor *visitor, struct challenge *ret_challenge)
{
	DB_QUERY(factor_pending,
	    "SELECT " CHALLENGE " FROM (SELECT a.* FROM " PENDING("$1") ") "
	    "AS a LEFT JOIN totp t ON t.account_id = a.id");
	const struct db_rows	*rows;

	rows = db_read(db, &factor_pending,
	    DB_ARGS(session_hash(db, token),
		session_hash(db, visitor->browser)));
	if (rows->n == 0)
		return (false);
	*ret_challenge = challenge_read(db, rows, visitor);
	return (true);
}

struct challenge
factor_db_challenge(struct db *db, const char *account_id,
    const struct visitor *visitor)
{
	DB_QUERY(factor_challenge,
	    "SELECT " CHALLENGE " FROM account a "
	    "LEFT JOIN totp t ON t.account_id = a.id WHERE a.id = $1::uuid");
	const struct db_rows	*rows;

	rows = db_read(db, &factor_challenge,
	    DB_ARGS(account_id, session_hash(db, visitor->browser)));
	assert(rows->n == 1);
	return (challenge_read(db, rows, visitor));
}

/* $1 pending sign-in, $2 what was proven; `used` is who did. */
#define ENTER(used, factor)						\
	"WITH used AS (" used "), "					\
	"gone AS (DELETE FROM pending_signin WHERE id_hash = $1::bytea "	\
	"AND EXISTS (SELECT FROM used)), "				\
	"who AS (UPDATE account SET signed_in_at = now() "		\
	"WHERE id = (SELECT id FROM used) RETURNING id), "		\
	SESSION_SQL("who", "$3", "$4", "$5", "$6", "$7", "$8") ", "	\
	"audit AS (SELECT audit_write(m.tenant_id, 'account', who.id, "	\
	"'session.started', 'account', who.id, "			\
	"jsonb_build_object('factor', '" factor "')) AS n "		\
	"FROM who " TENANT("who") ")"

bool
factor_db_enter(struct db *db, const char *token, const struct proof *proof,
    const struct session_start *start)
{
	/* The row of the factor is what two at once wait for: the second then
	 * finds it used and begins nothing. */
	DB_QUERY(factor_enter_totp,
	    ENTER("UPDATE totp t SET last_counter = $2::bigint "
	    "FROM (SELECT a.id FROM " PENDING("$1") ") AS p "
	    "WHERE t.account_id = p.id AND t.last_counter < $2::bigint "
	    "RETURNING t.account_id AS id", "totp") " "
	    "SELECT count(n) FROM audit");
	DB_QUERY(factor_enter_recovery,
	    ENTER("UPDATE recovery_code r SET used_at = now() "
	    "FROM (SELECT a.id FROM " PENDING("$1") ") AS p "
	    "WHERE r.account_id = p.id AND r.code_hash = $2::bytea "
	    "AND r.used_at IS NULL RETURNING r.account_id AS id", "recovery")
	    ", " RECOVERY_TOLD("who") " SELECT (SELECT count(n) FROM audit) + "
	    "(SELECT count(mail) FROM told) - 1");
	const struct db_rows	*rows;

	rows = db_write(db,
	    proof->is_recovery ? &factor_enter_recovery : &factor_enter_totp,
	    DB_ARGS(session_hash(db, token), proof_value(db, proof),
		SESSION_ARGS(db, start)));
	return (rows->outcome == DB_OK && db_number(rows, 0, 0) == 1);
}

bool
factor_db_use(struct db *db, const char *account_id, const struct proof *proof)
{
	DB_QUERY(factor_use_totp,
	    "WITH used AS (UPDATE totp SET last_counter = $2::bigint "
	    "WHERE account_id = $1::uuid AND last_counter < $2::bigint "
	    "RETURNING account_id AS id) SELECT count(*) FROM used");
	DB_QUERY(factor_use_recovery,
	    "WITH used AS (UPDATE recovery_code SET used_at = now() "
	    "WHERE account_id = $1::uuid AND code_hash = $2::bytea "
	    "AND used_at IS NULL RETURNING account_id AS id), "
	    RECOVERY_TOLD("used") " SELECT count(mail) FROM told");
	const struct db_rows	*rows;

	rows = db_write(db,
	    proof->is_recovery ? &factor_use_recovery : &factor_use_totp,
	    DB_ARGS(account_id, proof_value(db, proof)));
	return (rows->outcome == DB_OK && db_number(rows, 0, 0) == 1);
}

void
factor_db_failed(struct db *db, const char *account_id)
{
	DB_QUERY(factor_failed,
	    "SELECT audit_write(NULL, 'visitor', NULL, 'factor.failed', "
	    "'account', $1::uuid), "
	    "failed_signin_count($1::text, $1::uuid, 0, 1)");
	const struct db_rows	*rows;

	rows = db_write(db, &factor_failed, DB_ARGS(account_id));
	db_must(db, rows);
}

static struct challenge
challenge_read(struct db *db, const struct db_rows *rows,
    const struct visitor *visitor)
{
	struct challenge	 c = { .account_id = db_text(rows, 0, 0),
				    .visitor = *visitor };

	if (str_eq(db_text(rows, 0, 1), "staff"))
		c.kind = str_eq(db_text(rows, 0, 2), "admin") ? ACCOUNT_ADMIN :
								ACCOUNT_STAFF;
	c.has_totp = !db_is_null(rows, 0, 3);
	if (c.has_totp) {
		c.sealed = db_blob(db, rows, 0, 3, &c.sealed_bytes);
		c.last_counter = db_number(rows, 0, 4);
	}
	c.recovery_left = db_number(rows, 0, 5);
	c.has_passkey = db_truth(rows, 0, 6);
	if (!db_truth(rows, 0, 7))
		c.visitor.browser = NULL;
	return (c);
}

const char *
proof_value(struct db *db, const struct proof *proof)
{
	return (proof->is_recovery ?
		db_bytes(db, proof->hash, sizeof(proof->hash)) :
		db_int(db, proof->counter));
}

const char *
recovery_hashes(struct db *db, const struct recovery_codes *recovery)
{
	const char	*list[RECOVERY_CODES];
	char		*hex;
	size_t		 i;

	for (i = 0; i < RECOVERY_CODES; i++) {
		hex = arena_alloc(db_arena(db), 2 * SHA256_BYTES + 1);
		hex_encode(hex, recovery->hash[i], SHA256_BYTES);
		list[i] = hex;
	}
	return (db_text_array(db, list, RECOVERY_CODES));
}

static const char *
nonce_hash(struct db *db, const char *nonce)
{
	unsigned char	hash[SHA256_BYTES];

	sha256(hash, nonce, strlen(nonce));
	return (db_bytes(db, hash, sizeof(hash)));
}
