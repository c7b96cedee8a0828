/*
 * SQL of signing in and of the account page.
 */
#include "accounts/account.h"

/* $1 network, $2 SHA-256 of the browser's cookie, $3 whose; WHOSE joins `p` to
 * it. */
#define CREDENTIAL(whose)						\
	"SELECT a.id, a.password_hash, a.kind, a.staff_role, "		\
	"coalesce(a.state = 'active', false), "				\
	"EXISTS (SELECT FROM known_network k "				\
	"WHERE k.network = ($1::text)::inet), "				\
	"EXISTS (SELECT FROM known_browser b "				\
	"WHERE b.account_id = a.id AND b.id_hash = $2::bytea), "	\
	"EXISTS (SELECT FROM second_factor f WHERE f.account_id = a.id) "	\
	"FROM (SELECT 1) AS one LEFT JOIN person p ON " whose " "	\
	"LEFT JOIN account a ON a.id = p.account_id"

WAITS static struct credential credential_read(struct db *,
		    const struct db_query *, const char *who,
		    const struct visitor *);

struct credential
account_db_credential(struct db *db, const struct address *address,
    const struct visitor *visitor)
{
	DB_QUERY(account_credential, CREDENTIAL("p.email_folded = $3"));

	return (credential_read(db, &account_credential, address->folded,
	    visitor));
}

struct credential
account_db_credential_of(struct db *db, const char *account_id,
    const struct visitor *visitor)
{
	DB_QUERY(account_credential_of,
	    CREDENTIAL("p.account_id = $3::uuid"));

	return (credential_read(db, &account_credential_of, account_id,
	    visitor));
}

bool
account_db_signin(struct db *db, const struct credential *credential,
    const char *new_hash, const struct session_start *start)
{
	DB_QUERY(account_signin,
	    "WITH who AS (UPDATE account SET signed_in_at = now(), "
	    "password_hash = coalesce($3, password_hash) "
	    "WHERE id = $1::uuid AND state = 'active' "
	    "AND password_hash = $2 AND NOT EXISTS (SELECT FROM second_factor f "
	    "WHERE f.account_id = account.id) RETURNING id), "
	    SESSION_SQL("who", "$4", "$5", "$6", "$7", "$8", "$9") ", "
	    "audit AS (SELECT audit_write(m.tenant_id, 'account', who.id, "
	    "'session.started', 'account', who.id) AS n "
	    "FROM who LEFT JOIN membership m ON m.account_id = who.id) "
	    "SELECT count(n) FROM audit");
	const struct db_rows	*rows;

	rows = db_write(db, &account_signin, DB_ARGS(credential->account_id,
	    credential->hash, new_hash, SESSION_ARGS(db, start)));
	return (rows->outcome == DB_OK && db_number(rows, 0, 0) == 1);
}

void
account_db_failed(struct db *db, const struct credential *credential)
{
	/* Without an account the same row is written, for the nil UUID. */
	DB_QUERY(account_failed,
	    "SELECT audit_write(NULL, 'visitor', NULL, 'session.failed', "
	    "'account', coalesce($1::uuid, "
	    "'00000000-0000-0000-0000-000000000000')), "
	    "failed_signin_count($2, $1::uuid, 1, 0)");
	const struct db_rows	*rows;

	rows = db_write(db, &account_failed,
	    DB_ARGS(credential->account_id, credential->who));
	db_must(db, rows);
}

int64_t
account_db_since(struct db *db, const char *account_id)
{
	DB_QUERY(account_since,
	    "SELECT (extract(epoch FROM created_at) * 1000000)::bigint "
	    "FROM account WHERE id = $1::uuid");

	return (db_number(db_read(db, &account_since, DB_ARGS(account_id)),
	    0, 0));
}

static struct credential
credential_read(struct db *db, const struct db_query *query, const char *who,
    const struct visitor *visitor)
{
	const struct db_rows	*rows;
	struct credential	 c = { .account_id = NULL };

	rows = db_read(db, query,
	    DB_ARGS(visitor->network, session_hash(db, visitor->browser), who));
	c.account_id = db_text(rows, 0, 0);
	c.hash = db_text(rows, 0, 1);
	if (str_eq(db_is_null(rows, 0, 2) ? "" : db_text(rows, 0, 2), "staff"))
		c.kind = str_eq(db_text(rows, 0, 3), "admin") ?
		    ACCOUNT_ADMIN : ACCOUNT_STAFF;
	c.is_active = db_truth(rows, 0, 4);
	c.is_known = db_truth(rows, 0, 5);
	c.who = c.account_id != NULL ? c.account_id :
	    tries_key(db_arena(db), who, "");
	c.tries = tries_of(db_arena(db), TRY_PASSWORD,
	    c.account_id != NULL ? c.account_id : who, visitor->network,
	    db_truth(rows, 0, 6) ? visitor->browser : NULL);
	c.has_second = db_truth(rows, 0, 7);
	return (c);
}
