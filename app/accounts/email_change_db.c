/*
 * SQL of changes of address.
 */
#include "accounts/email_change.h"

#include "mail/link.h"

/* The same throttle as that of sign-ups (signup_db.c): both send mail. */
#define NETWORK		"'mail_network', $7, interval '10 s'"
#define NETWORK_BURST	"60"

static const char *link_hash(struct db *, const char *token);
WAITS static bool find(struct db *, const struct db_query *, const char *token,
		    const char *account_id, struct email_change *);

struct signup_answer
email_change_db_ask(struct db *db, const char *account_id,
    const struct address *address, const char *network)
{
	DB_QUERY(email_change_ask,
	    "WITH turn AS MATERIALIZED (SELECT "
	    "email_change_next_at($2::uuid, $4) AS next_at, "
	    "ceil(throttle_wait(" NETWORK ", " NETWORK_BURST "))::bigint "
	    "AS wait_s), "
	    "free AS MATERIALIZED (SELECT 1 AS one FROM turn "
	    "WHERE next_at IS NULL AND wait_s = 0), "
	    "hit AS MATERIALIZED (SELECT throttle_hit(" NETWORK ") AS at "
	    "FROM free), "
	    "wish AS MATERIALIZED (SELECT p.account_id AS holder FROM free "
	    "LEFT JOIN person p ON p.email_folded = $4), "
	    "older AS (UPDATE email_change SET replaced_at = now() "
	    "WHERE account_id = $2::uuid AND used_at IS NULL "
	    "AND replaced_at IS NULL AND EXISTS (SELECT FROM free)), "
	    "made AS (INSERT INTO email_change (id, account_id, email, "
	    "email_folded, email_domain, token_hash, expires_at) "
	    "SELECT $1::text::uuid, $2::uuid, $3, $4, $5, "
	    "CASE WHEN holder IS NULL THEN $6::bytea END, "
	    "now() + interval '24 hours' FROM wish), "
	    "mail AS MATERIALIZED (SELECT mail_queue(CASE WHEN holder IS NULL "
	    "THEN 'email_confirm' ELSE 'email_taken' END, holder, $3, "
	    "CASE WHEN holder IS NULL "
	    "THEN jsonb_build_object('change_id', $1::text) "
	    "ELSE '{}'::jsonb END) AS id FROM wish), "
	    "audit AS MATERIALIZED (SELECT audit_write(m.tenant_id, 'account', "
	    "$2::uuid, 'email.asked', 'account', $2::uuid) AS n "
	    "FROM free LEFT JOIN membership m ON m.account_id = $2::uuid) "
	    "SELECT (extract(epoch FROM next_at) * 1000000)::bigint, wait_s, "
	    "(SELECT count(at) FROM hit), (SELECT count(id) FROM mail), "
	    "(SELECT count(n) FROM audit) FROM turn");
	const struct db_rows	*rows;
	struct signup_answer	 answer = { .result = SIGNUP_QUEUED };
	char			 id[UUID_TEXT], token[TOKEN_TEXT];

	uuid_make(id);
	link_token("email-confirm", id, token);
	rows = db_write(db, &email_change_ask, DB_ARGS(id, account_id,
	    address->text, address->folded, address->domain,
	    link_hash(db, token), network));
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

/* The newest of an account is the one that none replaced: asking holds the
 * account, so that two at once do not both stay. */
#define COUNTS	"e.used_at IS NULL AND e.replaced_at IS NULL "		\
	"AND e.expires_at > now()"
#define COUNTS_UNDO							\
	"e.undone_at IS NULL AND e.undo_until > now()"

bool
email_change_db_find(struct db *db, const char *token, const char *account_id,
    struct email_change *ret_change)
{
	DB_QUERY(email_change_find,
	    "SELECT e.email, p.email FROM email_change e "
	    "JOIN person p USING (account_id) "
	    "WHERE e.token_hash = $1::bytea AND e.account_id = $2::uuid "
	    "AND " COUNTS);

	return (find(db, &email_change_find, token, account_id, ret_change));
}

enum email_result
email_change_db_confirm(struct db *db, const char *token,
    const char *account_id)
{
	/* Links for a forgotten password that went to the old address end with
	 * it, and a sign-up of the new one is not needed any more. */
	DB_QUERY(email_change_confirm,
	    "WITH before AS MATERIALIZED (SELECT p.* FROM person p "
	    "JOIN email_change e USING (account_id) "
	    "WHERE e.token_hash = $1::bytea AND e.account_id = $2::uuid "
	    "FOR UPDATE OF p), "
	    "used AS (UPDATE email_change e SET used_at = now(), "
	    "old_email = b.email, old_folded = b.email_folded, "
	    "old_domain = b.email_domain, undo_hash = $3::bytea, "
	    "undo_until = now() + interval '7 days' FROM before b "
	    "WHERE e.account_id = b.account_id AND e.token_hash = $1::bytea "
	    "AND " COUNTS " RETURNING e.*), "
	    "who AS (UPDATE person p SET email = u.email, "
	    "email_folded = u.email_folded, email_domain = u.email_domain "
	    "FROM used u WHERE p.account_id = u.account_id "
	    "RETURNING p.account_id AS id), "
	    "over AS (UPDATE recovery r SET replaced_at = now() FROM who "
	    "WHERE r.account_id = who.id AND r.used_at IS NULL "
	    "AND r.replaced_at IS NULL), "
	    "mail AS MATERIALIZED (SELECT mail_queue('email_changed', NULL, "
	    "u.old_email, jsonb_build_object('undo_id', u.id)) AS id "
	    "FROM used u), "
	    "audit AS MATERIALIZED (SELECT audit_write(m.tenant_id, 'account', "
	    "who.id, 'email.changed', 'account', who.id) AS n "
	    "FROM who LEFT JOIN membership m ON m.account_id = who.id) "
	    "SELECT (SELECT count(n) FROM audit), (SELECT count(id) FROM mail)");
	DB_QUERY(email_change_id, "SELECT id FROM email_change "
	    "WHERE token_hash = $1::bytea");
	const struct db_rows	*rows;
	const char		*hash = link_hash(db, token);
	char			 undo[TOKEN_TEXT];

	/* The token of the link that undoes is made of the row's id. */
	rows = db_read(db, &email_change_id, DB_ARGS(hash));
	if (rows->n == 0)
		return (EMAIL_GONE);
	link_token("email-undo", db_text(rows, 0, 0), undo);
	rows = db_write(db, &email_change_confirm, DB_ARGS(hash, account_id,
	    link_hash(db, undo)));
	explicit_bzero(undo, sizeof(undo));
	if (rows->outcome == DB_CONFLICT)
		return (EMAIL_TAKEN);
	return (db_number(rows, 0, 0) == 1 ? EMAIL_DONE : EMAIL_GONE);
}

bool
email_change_db_find_undo(struct db *db, const char *token,
    struct email_change *ret_change)
{
	DB_QUERY(email_change_find_undo,
	    "SELECT e.old_email, p.email FROM email_change e "
	    "JOIN person p USING (account_id) "
	    "WHERE e.undo_hash = $1::bytea AND $2::text IS NULL AND "
	    COUNTS_UNDO);

	return (find(db, &email_change_find_undo, token, NULL, ret_change));
}

enum email_result
email_change_db_undo(struct db *db, const char *token)
{
	/*
	 * Whatever came after it is over as well: who changed the address a
	 * second time to shake off its owner gains nothing by it.
	 */
	DB_QUERY(email_change_undo,
	    "WITH held AS MATERIALIZED (SELECT p.account_id FROM person p "
	    "JOIN email_change e USING (account_id) "
	    "WHERE e.undo_hash = $1::bytea FOR UPDATE OF p), "
	    "undone AS (UPDATE email_change e SET undone_at = now() "
	    "FROM held WHERE e.account_id = held.account_id "
	    "AND e.undo_hash = $1::bytea AND " COUNTS_UNDO " RETURNING e.*), "
	    "later AS (UPDATE email_change e SET "
	    "undone_at = CASE WHEN e.used_at IS NOT NULL THEN now() END, "
	    "replaced_at = coalesce(e.replaced_at, now()) FROM undone u "
	    "WHERE e.account_id = u.account_id AND e.id > u.id), "
	    "who AS (UPDATE person p SET email = u.old_email, "
	    "email_folded = u.old_folded, email_domain = u.old_domain "
	    "FROM undone u WHERE p.account_id = u.account_id "
	    "RETURNING p.account_id AS id), "
	    "over AS (UPDATE recovery r SET replaced_at = now() FROM who "
	    "WHERE r.account_id = who.id AND r.used_at IS NULL "
	    "AND r.replaced_at IS NULL), "
	    "ended AS (DELETE FROM session s USING who "
	    "WHERE s.account_id = who.id), "
	    "mail AS MATERIALIZED (SELECT mail_queue('email_undone', id, NULL) "
	    "AS id FROM who), "
	    "audit AS MATERIALIZED (SELECT audit_write(m.tenant_id, 'account', "
	    "who.id, 'email.undone', 'account', who.id) AS n "
	    "FROM who LEFT JOIN membership m ON m.account_id = who.id) "
	    "SELECT (SELECT count(n) FROM audit), (SELECT count(id) FROM mail)");
	const struct db_rows	*rows;

	rows = db_write(db, &email_change_undo, DB_ARGS(link_hash(db, token)));
	if (rows->outcome == DB_CONFLICT)
		return (EMAIL_TAKEN);
	return (db_number(rows, 0, 0) == 1 ? EMAIL_DONE : EMAIL_GONE);
}

static bool
find(struct db *db, const struct db_query *query, const char *token,
    const char *account_id, struct email_change *ret_change)
{
	const struct db_rows	*rows;

	if (!token_shaped(token))
		return (false);
	rows = db_read(db, query, DB_ARGS(link_hash(db, token), account_id));
	if (rows->n == 0)
		return (false);
	ret_change->email = db_text(rows, 0, 0);
	ret_change->present = db_text(rows, 0, 1);
	return (true);
}

static const char *
link_hash(struct db *db, const char *token)
{
	unsigned char	hash[SHA256_BYTES];

	link_token_hash(token, hash);
	return (db_bytes(db, hash, sizeof(hash)));
}
