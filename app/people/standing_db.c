/*
 * What staff do to accounts, one statement each.
 */
#include "people/staff.h"

#include <assert.h>

#include "mail/link.h"

/*
 * $1 who does it, $2 to whom.  The rows of both and of all active admins are
 * locked in the order of their ids and read as they are behind the lock.  NO
 * KEY UPDATE: who only refers to an account does not wait.
 *
 * Who takes something from an admin is another active admin, behind the locks,
 * and stays one: so there always is one.
 */
#define LOCKED								\
    "people AS MATERIALIZED ("						\
    "  SELECT a.id, a.kind, a.staff_role, a.state,"			\
    "  a.staff_role = 'admin' AND a.state = 'active' AS is_admin"	\
    "  FROM account a WHERE (a.kind = 'staff' AND a.staff_role = 'admin'" \
    "    AND a.state = 'active') OR a.id IN ($1::uuid, $2::uuid)"	\
    "  ORDER BY a.id FOR NO KEY UPDATE"					\
    "), me AS (SELECT p.* FROM people p WHERE p.id = $1::uuid"		\
    "  AND p.kind = 'staff' AND p.state = 'active'"			\
    "), target AS (SELECT p.* FROM people p WHERE p.id = $2::uuid"	\
    "  AND p.state <> 'closed')"
/* Columns: is there, may, number of the audit row. */
#define ANSWER(may, action, detail)					\
    " SELECT target.id IS NOT NULL, coalesce(" may ", false),"		\
    "  CASE WHEN done.id IS NOT NULL THEN"				\
    "    audit_write(NULL, 'account', $1::uuid, '" action "',"		\
    "    'account', done.id, " detail ") END"
#define MAY_STAND							\
    "me.id <> target.id AND (target.kind = 'contact'"			\
    "    OR coalesce(me.is_admin, false))"
#define MAY_ADMIN							\
    "me.id <> target.id AND coalesce(me.is_admin, false)"
#define FROM_ALL							\
    "  FROM me LEFT JOIN target ON true LEFT JOIN done ON true"

static enum staff_result result_of(struct db *, const struct db_rows *);

WAITS enum staff_result
staff_db_disable(struct db *db, const char *who, const char *whom,
    const char *reason)
{
	DB_QUERY(staff_disable,
	    "WITH " LOCKED ", done AS (UPDATE account a"
	    "  SET state = 'disabled' FROM me, target WHERE a.id = target.id"
	    "  AND target.state = 'active' AND " MAY_STAND
	    "  RETURNING a.id"
	    "), ended AS (DELETE FROM session s USING done"
	    "  WHERE s.account_id = done.id"
	    "), noted AS (INSERT INTO account_disabling (account_id, reason,"
	    "    by_account) SELECT done.id, $3::text, $1::uuid FROM done)"
	    ANSWER(MAY_STAND, "account.disabled", "'{}'")
	    ", CASE WHEN done.id IS NOT NULL THEN mail_queue("
	    "    'account_disabled', done.id, NULL, jsonb_build_object("
	    "    'reason', $3::text)) END" FROM_ALL);

	assert(!str_blank(reason));
	return (result_of(db, db_write(db, &staff_disable, DB_ARGS(who, whom,
	    reason))));
}

WAITS enum staff_result
staff_db_enable(struct db *db, const char *who, const char *whom)
{
	DB_QUERY(staff_enable,
	    "WITH " LOCKED ", done AS (UPDATE account a"
	    "  SET state = 'active' FROM me, target WHERE a.id = target.id"
	    "  AND target.state = 'disabled' AND " MAY_STAND
	    "  RETURNING a.id)"
	    ANSWER(MAY_STAND, "account.enabled", "'{}'")
	    ", CASE WHEN done.id IS NOT NULL THEN mail_queue("
	    "    'account_enabled', done.id, NULL) END" FROM_ALL);

	return (result_of(db, db_write(db, &staff_enable, DB_ARGS(who, whom))));
}

WAITS enum staff_result
staff_db_sign_out(struct db *db, const char *who, const char *whom)
{
	DB_QUERY(staff_sign_out,
	    "WITH " LOCKED ", done AS (SELECT target.id FROM me, target"
	    "  WHERE target.state = 'active' AND " MAY_STAND
	    "), ended AS (DELETE FROM session s USING done"
	    "  WHERE s.account_id = done.id"
	    "), halves AS (DELETE FROM pending_signin s USING done"
	    "  WHERE s.account_id = done.id"
	    "), browsers AS (DELETE FROM known_browser b USING done"
	    "  WHERE b.account_id = done.id)"
	    ANSWER(MAY_STAND, "session.all_ended", "'{}'")
	    ", CASE WHEN done.id IS NOT NULL THEN mail_queue("
	    "    'sessions_ended', done.id, NULL) END" FROM_ALL);

	return (result_of(db, db_write(db, &staff_sign_out, DB_ARGS(who, whom))));
}

WAITS enum staff_result
staff_db_change(struct db *db, const char *who, const char *whom,
    enum account_kind kind)
{
	DB_QUERY(staff_change,
	    "WITH " LOCKED ", done AS (UPDATE account a"
	    "  SET staff_role = $3::text FROM me, target"
	    "  WHERE a.id = target.id AND target.kind = 'staff'"
	    "  AND target.staff_role <> $3::text AND " MAY_ADMIN
	    "  RETURNING a.id, target.staff_role AS was"
	    "), ended AS (DELETE FROM session s USING done"
	    "  WHERE s.account_id = done.id"
	    "), told AS (SELECT mail_queue('staff_role', x.id, NULL,"
	    "    jsonb_build_object('person', p.name, 'email', p.email,"
	    "    'role', $3::text, 'by', b.name)) AS mail FROM done"
	    "  JOIN people x ON x.is_admin OR x.id = done.id"
	    "  JOIN person p ON p.account_id = done.id"
	    "  JOIN person b ON b.account_id = $1::uuid)"
	    ANSWER(MAY_ADMIN " AND target.kind = 'staff'",
	    "staff.role_changed",
	    "jsonb_build_object('from', done.was, 'to', $3::text)")
	    ", (SELECT count(told.mail) FROM told)" FROM_ALL);

	assert(kind != ACCOUNT_CONTACT);
	return (result_of(db, db_write(db, &staff_change, DB_ARGS(who, whom,
	    kind == ACCOUNT_ADMIN ? "admin" : "staff"))));
}

WAITS enum staff_result
staff_db_dismiss(struct db *db, const char *who, const char *whom)
{
	/* The other admins are told; a mail to the account itself would find
	 * no address any more. */
	DB_QUERY(staff_dismiss,
	    "WITH " LOCKED ", done AS (UPDATE account a"
	    "  SET state = 'closed', password_hash = '' FROM me, target"
	    "  WHERE a.id = target.id AND target.kind = 'staff'"
	    "  AND " MAY_ADMIN " RETURNING a.id"
	    "), ended AS (DELETE FROM session s USING done"
	    "  WHERE s.account_id = done.id"
	    "), erased AS (DELETE FROM person p USING done"
	    "  WHERE p.account_id = done.id RETURNING p.name, p.email"
	    "), told AS (SELECT mail_queue('staff_gone', x.id, NULL,"
	    "    jsonb_build_object('person', erased.name, 'email',"
	    "    erased.email, 'by', b.name)) AS mail FROM erased"
	    "  JOIN people x ON x.is_admin AND x.id <> $2::uuid"
	    "  JOIN person b ON b.account_id = $1::uuid)"
	    ANSWER(MAY_ADMIN " AND target.kind = 'staff'",
	    "staff.removed", "'{}'")
	    ", (SELECT count(told.mail) FROM told)" FROM_ALL);

	return (result_of(db, db_write(db, &staff_dismiss, DB_ARGS(who, whom))));
}

WAITS bool
staff_db_invite(struct db *db, const char *who, const struct address *address,
    const char *name, enum account_kind kind)
{
	/* Links that lie around would ask for this account once more. */
	DB_QUERY(staff_invite,
	    "WITH free AS (SELECT me.id FROM account me"
	    "  WHERE me.id = $1::uuid AND me.staff_role = 'admin'"
	    "  AND me.state = 'active' AND NOT EXISTS (SELECT FROM person p"
	    "    WHERE p.email_folded = $4)"
	    "), older AS (UPDATE signup s SET replaced_at = now() FROM free"
	    "  WHERE s.email_folded = $4 AND s.used_at IS NULL"
	    "  AND s.replaced_at IS NULL"
	    "), made AS (INSERT INTO signup (id, email, email_folded,"
	    "    email_domain, name, invited_as, token_hash, expires_at)"
	    "  SELECT $2::uuid, $3, $4, $5, $6, $7, $8::bytea,"
	    "  now() + interval '24 hours' FROM free RETURNING id)"
	    " SELECT audit_write(NULL, 'account', $1::uuid, 'staff.invited',"
	    "  'signup', made.id, jsonb_build_object('role', $7::text)),"
	    "  mail_queue('staff_invite', NULL, $3::text,"
	    "  jsonb_build_object('signup_id', made.id)) FROM made");
	const struct db_rows	*rows;
	unsigned char		 hash[SHA256_BYTES];
	char			 id[UUID_TEXT], token[TOKEN_TEXT];

	assert(kind != ACCOUNT_CONTACT);
	uuid_make(id);
	link_token("verify", id, token);
	link_token_hash(token, hash);
	explicit_bzero(token, sizeof(token));
	rows = db_write(db, &staff_invite, DB_ARGS(who, id, address->text,
	    address->folded, address->domain, name,
	    kind == ACCOUNT_ADMIN ? "admin" : "staff",
	    db_bytes(db, hash, sizeof(hash))));
	db_must(db, rows);
	return (rows->n == 1);
}

static enum staff_result
result_of(struct db *db, const struct db_rows *rows)
{
	db_must(db, rows);
	if (rows->n == 0)
		return (STAFF_MAY_NOT);
	if (!db_truth(rows, 0, 0))
		return (STAFF_NONE);
	/* Where nothing was done, it is so already. */
	return (db_truth(rows, 0, 1) ? STAFF_DONE : STAFF_MAY_NOT);
}
