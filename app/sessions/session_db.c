/*
 * SQL of sessions.  Every request of a signed-in person runs one statement:
 * session_find, which brings all that a page needs to know of who asks, or,
 * where a worker has kept that, session_live, which says whether it holds.
 */
#include "sessions/session.h"

#include "sessions/session_kept.h"

WAITS static struct session *session_read_all(struct db *, const char *token,
		    const unsigned char *hash);
static enum account_kind kind_of(const char *kind, const char *staff_role);
static enum member_role role_of(const char *role);

const char *
session_hash(struct db *db, const char *token)
{
	unsigned char	hash[SHA256_BYTES];

	if (token == NULL)
		return (NULL);
	sha256(hash, token, strlen(token));
	return (db_bytes(db, hash, sizeof(hash)));
}

struct session *
session_db_find(struct db *db, const char *token)
{
	/* The numbers are SESSION_IDLE_S, SESSION_FRESH_S, SESSION_TOUCH_S. */
	DB_QUERY(session_live,
	    "SELECT stamp, fresh_at > now() - interval '15 minutes', "
	    "last_used_at < now() - interval '5 minutes' "
	    "FROM session WHERE id_hash = $1::bytea AND expires_at > now() "
	    "AND last_used_at > now() - interval '12 hours'");
	const struct db_rows	*rows;
	struct session		*s;
	struct kept		*kept;
	unsigned char		 hash[SHA256_BYTES];

	sha256(hash, token, strlen(token));
	kept = kept_find(db_arena(db), hash);
	if (kept == NULL)
		return (session_read_all(db, token, hash));
	rows = db_read(db, &session_live,
	    DB_ARGS(db_bytes(db, hash, sizeof(hash))));
	if (rows->n == 0) {
		kept_drop(hash);
		return (NULL);
	}
	if (db_number(rows, 0, 0) != kept->stamp)
		return (session_read_all(db, token, hash));
	s = arena_memdup(db_arena(db), &kept->session, sizeof(*s));
	s->fresh = db_truth(rows, 0, 1);
	s->stale = db_truth(rows, 0, 2);
	s->cookie = arena_strdup(db_arena(db), token);
	s->form_cookie = s->cookie;
	s->kept = kept;
	return (s);
}

void
session_db_end(struct db *db, const char *token)
{
	DB_QUERY(session_end,
	    "WITH ended AS (DELETE FROM session WHERE id_hash = $1::bytea "
	    "RETURNING account_id AS id), "
	    "audit AS (SELECT audit_write(m.tenant_id, 'account', ended.id, "
	    "'session.ended', 'account', ended.id) AS n "
	    "FROM ended LEFT JOIN membership m ON m.account_id = ended.id) "
	    "SELECT count(n) FROM audit");
	const struct db_rows	*rows;

	/* That it had ended before is as well. */
	rows = db_write(db, &session_end, DB_ARGS(session_hash(db, token)));
	db_must(db, rows);
}

void
session_db_touch(struct db *db, const char *const *hashes, size_t n)
{
	/* A row that somebody else has locked is being written anyway. */
	DB_QUERY(session_touch_all,
	    "UPDATE session SET last_used_at = now() WHERE id_hash IN "
	    "(SELECT id_hash FROM session WHERE id_hash = ANY "
	    "(SELECT decode(h, 'hex') FROM unnest($1::text[]) AS h) "
	    "AND last_used_at < now() - interval '5 minutes' "
	    "FOR UPDATE SKIP LOCKED)");
	const struct db_rows	*rows;

	rows = db_write(db, &session_touch_all,
	    DB_ARGS(db_text_array(db, hashes, n)));
	db_must(db, rows);
}

/* All at once, for the first time or because it has changed. */
static struct session *
session_read_all(struct db *db, const char *token, const unsigned char *hash)
{
	/* A closed tenant is none.  What was stamped a moment ago may be in
	 * change once more: see migrations/stamps.  Unread notices are counted
	 * on an index that holds them alone, 10 at most. */
	DB_QUERY(session_find,
	    "SELECT a.id, a.kind, a.staff_role, p.name, p.email, "
	    "p.email_domain, p.client, t.id, t.code, t.name, "
	    "CASE WHEN t.id IS NOT NULL THEN m.role END, "
	    "s.fresh_at > now() - interval '15 minutes', "
	    "s.last_used_at < now() - interval '5 minutes', "
	    "EXISTS (SELECT FROM second_factor f WHERE f.account_id = a.id), "
	    "s.stamp, s.stamped_at < now() - interval '10 seconds', "
	    "(SELECT count(*) FROM (SELECT FROM notice n "
	    "WHERE n.account_id = a.id AND n.read_at IS NULL "
	    "LIMIT 10) AS unread) "
	    "FROM session s "
	    "JOIN account a ON a.id = s.account_id AND a.state = 'active' "
	    "JOIN person p ON p.account_id = a.id "
	    "LEFT JOIN membership m ON m.account_id = a.id "
	    "LEFT JOIN tenant t ON t.id = m.tenant_id AND t.state = 'active' "
	    "WHERE s.id_hash = $1::bytea AND s.expires_at > now() "
	    "AND s.last_used_at > now() - interval '12 hours'");
	const struct db_rows	*rows;
	struct session		*s;

	rows = db_read(db, &session_find,
	    DB_ARGS(db_bytes(db, hash, SHA256_BYTES)));
	if (rows->n == 0) {
		kept_drop(hash);
		return (NULL);
	}
	s = arena_alloc(db_arena(db), sizeof(*s));
	s->account_id = db_text(rows, 0, 0);
	s->kind = kind_of(db_text(rows, 0, 1), db_text(rows, 0, 2));
	s->name = db_text(rows, 0, 3);
	s->email = db_text(rows, 0, 4);
	s->email_domain = db_text(rows, 0, 5);
	s->client = db_text(rows, 0, 6);
	s->tenant_id = db_text(rows, 0, 7);
	s->tenant_code = db_text(rows, 0, 8);
	s->tenant_name = db_text(rows, 0, 9);
	s->role = role_of(db_text(rows, 0, 10));
	s->fresh = db_truth(rows, 0, 11);
	s->stale = db_truth(rows, 0, 12);
	s->has_second = db_truth(rows, 0, 13);
	s->unread = (int)db_number(rows, 0, 16);
	s->cookie = arena_strdup(db_arena(db), token);
	s->form_cookie = s->cookie;
	if (db_truth(rows, 0, 15))
		s->kept = kept_put(db_arena(db), hash,
		    db_number(rows, 0, 14), s);
	else
		kept_drop(hash);
	return (s);
}

static enum account_kind
kind_of(const char *kind, const char *staff_role)
{
	if (str_eq(kind, "contact"))
		return (ACCOUNT_CONTACT);
	return (str_eq(staff_role, "admin") ? ACCOUNT_ADMIN : ACCOUNT_STAFF);
}

static enum member_role
role_of(const char *role)
{
	if (role == NULL)
		return (MEMBER_NONE);
	if (str_eq(role, "owner"))
		return (MEMBER_OWNER);
	return (str_eq(role, "manager") ? MEMBER_MANAGER : MEMBER_MEMBER);
}
