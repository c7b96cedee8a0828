/*
 * SQL of forgotten and of changed passwords.
 */
#include "accounts/recovery.h"

#include "mail/link.h"

/* The same throttle as that of sign-ups (signup_db.c): both send mail. */
#define NETWORK		"'mail_network', $5, interval '10 s'"
#define NETWORK_BURST	"60"

static const char *link_hash(struct db *, const char *token);

struct signup_answer
recovery_db_ask(struct db *db, const struct address *address,
    const char *network)
{
	/*
	 * An address without an account gets the same row in the outbox, so
	 * that both take the same work.  The courier drops it, because its
	 * link is none that counts.
	 */
	DB_QUERY(recovery_ask,
	    "WITH turn AS MATERIALIZED (SELECT recovery_next_at($3) "
	    "AS next_at, "
	    "ceil(throttle_wait(" NETWORK ", " NETWORK_BURST "))::bigint "
	    "AS wait_s), "
	    "free AS MATERIALIZED (SELECT 1 AS one FROM turn "
	    "WHERE next_at IS NULL AND wait_s = 0), "
	    "hit AS MATERIALIZED (SELECT throttle_hit(" NETWORK ") AS at "
	    "FROM free), "
	    "wish AS MATERIALIZED (SELECT a.id AS account_id FROM free "
	    "LEFT JOIN person p ON p.email_folded = $3 "
	    "LEFT JOIN account a ON a.id = p.account_id "
	    "AND a.state = 'active'), "
	    "older AS (UPDATE recovery SET replaced_at = now() "
	    "WHERE email_folded = $3 AND used_at IS NULL "
	    "AND replaced_at IS NULL AND EXISTS (SELECT FROM free)), "
	    "made AS (INSERT INTO recovery (id, email_folded, account_id, "
	    "token_hash, expires_at) SELECT $1::text::uuid, $3, account_id, "
	    "$4::bytea, now() + interval '30 minutes' FROM wish), "
	    "mail AS MATERIALIZED (SELECT mail_queue('recovery', account_id, "
	    "$2, jsonb_build_object('recovery_id', $1::text)) AS id "
	    "FROM wish), "
	    "audit AS MATERIALIZED (SELECT audit_write(NULL, 'visitor', NULL, "
	    "'recovery.asked', 'account', coalesce(account_id, "
	    "'00000000-0000-0000-0000-000000000000')) AS n FROM wish) "
	    "SELECT (extract(epoch FROM next_at) * 1000000)::bigint, wait_s, "
	    "(SELECT count(at) FROM hit), (SELECT count(id) FROM mail), "
	    "(SELECT count(n) FROM audit) FROM turn");
	const struct db_rows	*rows;
	struct signup_answer	 answer = { .result = SIGNUP_QUEUED };
	char			 id[UUID_TEXT], token[TOKEN_TEXT];

	uuid_make(id);
	link_token("reset", id, token);
	rows = db_write(db, &recovery_ask, DB_ARGS(id, address->text,
	    address->folded, link_hash(db, token), network));
	db_must(db, rows);
	explicit_bzero(token, sizeof(token));
	if (!db_is_null(rows, 0, 0)) {
		answer.result = SIGNUP_ADDRESS_BUSY;
		answer.next_at = db_number(rows, 0, 0);
	} else if (db_number(rows, 0, 1) > 0) {
		answer.result = SIGNUP_NETWORK_BUSY;
		answer.wait_s = db_number(rows, 0, 1);
	}
	return (answer);
}

/*
 * A link counts while it is unused, in time, the newest of its account, and
 * the password is still the one that was forgotten.
 */
#define COUNTS	"r.used_at IS NULL AND r.replaced_at IS NULL "		\
	"AND r.expires_at > now() "					\
	"AND NOT EXISTS (SELECT FROM recovery n WHERE "			\
	"n.account_id = r.account_id AND n.id > r.id) "			\
	"AND EXISTS (SELECT FROM account c WHERE c.id = r.account_id "	\
	"AND c.state = 'active' AND c.password_at <= r.created_at)"

bool
recovery_db_find(struct db *db, const char *token,
    struct recovery *ret_recovery)
{
	DB_QUERY(recovery_find,
	    "SELECT p.account_id, p.email, p.name, coalesce(t.name, p.client) "
	    "FROM recovery r JOIN person p ON p.account_id = r.account_id "
	    "LEFT JOIN membership m ON m.account_id = r.account_id "
	    "LEFT JOIN tenant t ON t.id = m.tenant_id "
	    "WHERE r.token_hash = $1::bytea AND " COUNTS);
	const struct db_rows	*rows;

	if (!token_shaped(token))
		return (false);
	rows = db_read(db, &recovery_find, DB_ARGS(link_hash(db, token)));
	if (rows->n == 0)
		return (false);
	ret_recovery->account_id = db_text(rows, 0, 0);
	ret_recovery->email = db_text(rows, 0, 1);
	ret_recovery->name = db_text(rows, 0, 2);
	ret_recovery->client = db_text(rows, 0, 3);
	return (true);
}

bool
recovery_db_reset(struct db *db, const char *token, const char *password_hash,
    const char *browser)
{
	/* Of two at once, the second waits for the row of `used`, sees that it
	 * is used, and changes nothing. */
	DB_QUERY(recovery_reset,
	    "WITH used AS (UPDATE recovery r SET used_at = now() "
	    "WHERE r.token_hash = $1::bytea AND " COUNTS " "
	    "RETURNING r.account_id), "
	    "who AS (UPDATE account a SET password_hash = $2, "
	    "password_at = now() FROM used WHERE a.id = used.account_id "
	    "RETURNING a.id), "
	    "ended AS (DELETE FROM session s USING who "
	    "WHERE s.account_id = who.id), "
	    "forgotten AS (DELETE FROM known_browser b USING who "
	    "WHERE b.account_id = who.id AND b.id_hash <> $3::bytea), "
	    "known AS (INSERT INTO known_browser (id_hash, account_id) "
	    "SELECT $3::bytea, id FROM who "
	    "ON CONFLICT (account_id, id_hash) DO NOTHING), "
	    "mail AS MATERIALIZED (SELECT mail_queue('password_reset', id, "
	    "NULL) AS id FROM who), "
	    "audit AS MATERIALIZED (SELECT audit_write(m.tenant_id, 'account', "
	    "who.id, 'password.reset', 'account', who.id) AS n "
	    "FROM who LEFT JOIN membership m ON m.account_id = who.id) "
	    "SELECT (SELECT count(n) FROM audit), (SELECT count(id) FROM mail)");
	const struct db_rows	*rows;

	rows = db_write(db, &recovery_reset,
	    DB_ARGS(link_hash(db, token), password_hash,
		session_hash(db, browser)));
	db_must(db, rows);
	return (db_number(rows, 0, 0) == 1);
}

bool
password_db_change(struct db *db, const struct credential *credential,
    const char *new_hash, const char *cookie, const char *token)
{
	DB_QUERY(password_change,
	    "WITH mine AS MATERIALIZED (SELECT account_id FROM session "
	    "WHERE id_hash = $4::bytea AND account_id = $1::uuid FOR UPDATE), "
	    "who AS (UPDATE account a SET password_hash = $3, "
	    "password_at = now() FROM mine WHERE a.id = mine.account_id "
	    "AND a.state = 'active' AND a.password_hash = $2 RETURNING a.id), "
	    "goes_on AS (UPDATE session s SET id_hash = $5::bytea, "
	    "fresh_at = now(), last_used_at = now() FROM who "
	    "WHERE s.id_hash = $4::bytea), "
	    "ended AS (DELETE FROM session s USING who "
	    "WHERE s.account_id = who.id AND s.id_hash <> $4::bytea), "
	    "mail AS MATERIALIZED (SELECT mail_queue('password_changed', id, "
	    "NULL) AS id FROM who), "
	    "audit AS MATERIALIZED (SELECT audit_write(m.tenant_id, 'account', "
	    "who.id, 'password.changed', 'account', who.id) AS n "
	    "FROM who LEFT JOIN membership m ON m.account_id = who.id) "
	    "SELECT (SELECT count(n) FROM audit), (SELECT count(id) FROM mail)");
	const struct db_rows	*rows;

	rows = db_write(db, &password_change, DB_ARGS(credential->account_id,
	    credential->hash, new_hash, session_hash(db, cookie),
	    session_hash(db, token)));
	db_must(db, rows);
	return (db_number(rows, 0, 0) == 1);
}

const char *
password_db_products(struct db *db)
{
	/* As many as may be words of a password: OWN_WORDS. */
	DB_QUERY(password_products,
	    "SELECT coalesce(string_agg(name, ' '), '') FROM (SELECT name "
	    "FROM product WHERE state <> 'hidden' ORDER BY place, name "
	    "LIMIT 50) AS shown");

	return (db_text(db_read(db, &password_products, DB_NONE), 0, 0));
}

static const char *
link_hash(struct db *db, const char *token)
{
	unsigned char	hash[SHA256_BYTES];

	link_token_hash(token, hash);
	return (db_bytes(db, hash, sizeof(hash)));
}
