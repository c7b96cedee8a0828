/*
 * The people of a client in the database.
 */
#include "people/people.h"

#include <assert.h>

#define MICROS(x)	"(extract(epoch FROM " x ") * 1000000)::bigint"

/*
 * $1 who asks, $2 whom it is about.  The rows of both and of all owners are
 * locked, always in the order of their ids, and read as they are behind the
 * lock: an owner who was lowered or removed a moment ago is none here.
 */
#define LOCKED								\
    "people AS MATERIALIZED ("						\
    "  SELECT m.account_id, m.tenant_id, m.role FROM membership m"	\
    "  WHERE m.tenant_id = (SELECT own.tenant_id FROM membership own"	\
    "    WHERE own.account_id = $1::uuid)"				\
    "  AND (m.role = 'owner' OR m.account_id IN ($1::uuid, $2::uuid))"	\
    "  ORDER BY m.account_id FOR UPDATE"				\
    "), me AS (SELECT p.* FROM people p WHERE p.account_id = $1::uuid"	\
    "), target AS ("							\
    "  SELECT p.*, p.role = 'owner' AND (SELECT count(*) FROM people o"	\
    "    WHERE o.role = 'owner') = 1 AS is_last FROM people p"		\
    "  WHERE p.account_id = $2::uuid)"

static void	read_members(struct db *, const char *tenant_id,
		    struct people *);
static void	read_invitations(struct db *, const char *tenant_id,
		    struct people *);
static void	read_gone(struct db *, const char *tenant_id, struct people *);
static enum member_role role_at(const struct db_rows *, int row, int column);
static enum people_result result_of(struct db *, const struct db_rows *);

WAITS struct people
people_db_read(struct db *db, const char *tenant_id, enum member_role who)
{
	struct people	people = { .members_n = 0 };

	read_members(db, tenant_id, &people);
	if (who == MEMBER_OWNER || who == MEMBER_MANAGER)
		read_invitations(db, tenant_id, &people);
	if (who == MEMBER_OWNER)
		read_gone(db, tenant_id, &people);
	return (people);
}

WAITS struct people_looks *
people_db_looks(struct db *db, const char *tenant_id, const char *account_id)
{
	DB_QUERY(people_looks_of,
	    "SELECT coalesce(p.name, ''), m.account_id IS NOT NULL "
	    "FROM account a LEFT JOIN person p ON p.account_id = a.id "
	    "LEFT JOIN membership m ON m.account_id = a.id "
	    "AND m.tenant_id = $1::uuid "
	    "WHERE a.id = $2::uuid AND (m.account_id IS NOT NULL "
	    "OR EXISTS (SELECT FROM audit u WHERE u.subject_id = a.id "
	    "AND u.tenant_id = $1::uuid AND u.action IN "
	    "('membership.removed', 'membership.left')))");
	DB_QUERY(people_looks,
	    "SELECT s.name, u.detail->>'slot', " MICROS("u.at") " "
	    "FROM audit u JOIN subscription s ON s.id = u.subject_id "
	    "WHERE u.actor_id = $2::uuid AND u.tenant_id = $1::uuid "
	    "AND u.action = 'key.shown' ORDER BY u.id DESC LIMIT 100");
	_Static_assert(PEOPLE_LOOKS_MAX == 100, "the limit above");
	const struct db_rows	*rows;
	struct people_looks	*looks;
	int			 i;

	rows = db_read(db, &people_looks_of, DB_ARGS(tenant_id, account_id));
	if (rows->n == 0)
		return (NULL);
	looks = arena_calloc(db_arena(db), 1, sizeof(*looks));
	looks->person = db_text(rows, 0, 0);
	looks->is_member = db_truth(rows, 0, 1);
	rows = db_read(db, &people_looks, DB_ARGS(tenant_id, account_id));
	looks->n = rows->n;
	looks->list = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*looks->list));
	for (i = 0; i < rows->n; i++)
		looks->list[i] = (struct people_look){
			.subscription = db_text(rows, i, 0),
			.slot = db_text(rows, i, 1),
			.at = db_number(rows, i, 2),
		};
	return (looks);
}

WAITS enum people_result
people_db_change(struct db *db, const char *who, const char *whom,
    enum member_role role)
{
	DB_QUERY(people_change,
	    "WITH " LOCKED ", done AS ("
	    "  UPDATE membership m SET role = $3::text FROM me, target"
	    "  WHERE m.account_id = target.account_id AND me.role = 'owner'"
	    "  AND target.role <> $3::text"
	    "  AND NOT (target.is_last AND $3::text <> 'owner')"
	    "  RETURNING m.account_id, m.tenant_id, target.role AS was"
	    "), params AS (SELECT jsonb_build_object("
	    "    'person', coalesce(p.name, ''), 'email', p.email,"
	    "    'client', t.name, 'by', coalesce(b.name, ''),"
	    "    'role', $3::text) AS list"
	    "  FROM done JOIN tenant t ON t.id = done.tenant_id"
	    "  LEFT JOIN person p ON p.account_id = done.account_id"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid"
	    "), told AS (SELECT mail_queue('people_role', x.account_id, NULL,"
	    "    params.list) AS mail FROM params, done, ("
	    "    SELECT account_id FROM people WHERE role = 'owner'"
	    "    UNION SELECT account_id FROM done) x"
	    "  WHERE x.account_id <> $1::uuid"
	    ") SELECT me.role = 'owner', target.account_id IS NOT NULL,"
	    "  target.is_last AND $3::text <> 'owner',"
	    "  CASE WHEN done.account_id IS NOT NULL THEN"
	    "    audit_write(done.tenant_id, 'account', $1::uuid,"
	    "    'membership.changed', 'account', done.account_id,"
	    "    jsonb_build_object('from', done.was, 'to', $3::text)) END,"
	    "  (SELECT count(told.mail) FROM told)"
	    "  FROM me LEFT JOIN target ON true LEFT JOIN done ON true");
	const struct db_rows	*rows;

	rows = db_write(db, &people_change, DB_ARGS(who, whom,
	    people_role_name(role)));
	return (result_of(db, rows));
}

WAITS enum people_result
people_db_remove(struct db *db, const char *who, const char *whom)
{
	/* The same rule as people_may_remove(); who leaves needs no right. */
	DB_QUERY(people_remove,
	    "WITH " LOCKED ", may AS (SELECT me.role = 'owner' OR"
	    "    me.account_id = target.account_id OR"
	    "    (me.role = 'manager' AND target.role = 'member') AS so"
	    "  FROM me, target"
	    "), done AS ("
	    "  DELETE FROM membership m USING target, may"
	    "  WHERE m.account_id = target.account_id AND may.so"
	    "  AND NOT target.is_last"
	    "  RETURNING m.account_id, m.tenant_id"
	    "), undone AS ("
	    "  UPDATE request r SET state = 'withdrawn', decided_at = now(),"
	    "    decided_by = $1::uuid FROM done"
	    "  WHERE r.account_id = done.account_id AND r.state = 'submitted'"
	    "  AND r.tenant_id = done.tenant_id RETURNING r.id, r.tenant_id"
	    "), params AS (SELECT jsonb_build_object("
	    "    'person', coalesce(p.name, ''), 'email', p.email,"
	    "    'client', t.name, 'by', CASE WHEN $1::uuid <> $2::uuid THEN"
	    "    coalesce(b.name, '') END) AS list"
	    "  FROM done JOIN tenant t ON t.id = done.tenant_id"
	    "  LEFT JOIN person p ON p.account_id = done.account_id"
	    "  LEFT JOIN person b ON b.account_id = $1::uuid"
	    "), told AS (SELECT mail_queue(CASE WHEN people.account_id ="
	    "    done.account_id THEN 'people_out' ELSE 'owner_person_gone'"
	    "    END, people.account_id, NULL, params.list) AS mail"
	    "  FROM params, done, people WHERE people.role = 'owner'"
	    "  OR people.account_id = done.account_id"
	    ") SELECT coalesce(may.so, false), target.account_id IS NOT NULL,"
	    "  target.is_last,"
	    "  CASE WHEN done.account_id IS NOT NULL THEN"
	    "    audit_write(done.tenant_id, 'account', $1::uuid,"
	    "    CASE WHEN $1::uuid = $2::uuid THEN 'membership.left'"
	    "    ELSE 'membership.removed' END, 'account', done.account_id,"
	    "    jsonb_build_object('role', target.role)) END,"
	    "  (SELECT count(told.mail) FROM told),"
	    "  (SELECT count(audit_write(undone.tenant_id, 'account',"
	    "    $1::uuid, 'request.withdrawn', 'request', undone.id))"
	    "    FROM undone)"
	    "  FROM me LEFT JOIN target ON true LEFT JOIN may ON true"
	    "  LEFT JOIN done ON true");

	return (result_of(db, db_write(db, &people_remove, DB_ARGS(who, whom))));
}

WAITS static void
read_members(struct db *db, const char *tenant_id, struct people *people)
{
	DB_QUERY(people_members,
	    "SELECT m.account_id, coalesce(p.name, ''), coalesce(p.email, ''),"
	    " m.role, " MICROS("m.created_at") ", a.state = 'active',"
	    " coalesce((SELECT string_agg(r.name, ', ' ORDER BY r.name_folded)"
	    "  FROM membership_role mr JOIN api_role r ON r.id = mr.role_id"
	    "  WHERE mr.account_id = m.account_id), ''), m.makes_keys "
	    "FROM membership m JOIN account a ON a.id = m.account_id "
	    "LEFT JOIN person p ON p.account_id = m.account_id "
	    "WHERE m.tenant_id = $1::uuid ORDER BY array_position("
	    "ARRAY['owner', 'manager', 'member'], m.role), m.created_at, "
	    "m.account_id LIMIT 200");
	_Static_assert(PEOPLE_MAX == 200, "the limit above");
	const struct db_rows	*rows;
	int			 i;

	rows = db_read(db, &people_members, DB_ARGS(tenant_id));
	people->members_n = rows->n;
	people->members = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*people->members));
	for (i = 0; i < rows->n; i++)
		people->members[i] = (struct people_member){
			.account_id = db_text(rows, i, 0),
			.person = db_text(rows, i, 1),
			.email = db_text(rows, i, 2),
			.role = role_at(rows, i, 3),
			.joined_at = db_number(rows, i, 4),
			.is_active = db_truth(rows, i, 5),
			.permits = db_text(rows, i, 6),
			.makes_keys = db_truth(rows, i, 7),
		};
}

WAITS static void
read_invitations(struct db *db, const char *tenant_id, struct people *people)
{
	DB_QUERY(people_invitations,
	    "SELECT i.id, i.email, i.role, " MICROS("i.created_at") ", "
	    MICROS("i.expires_at") ", coalesce(p.name, '') "
	    "FROM invitation i LEFT JOIN person p "
	    "ON p.account_id = i.invited_by "
	    "WHERE i.tenant_id = $1::uuid AND i.ended_at IS NULL "
	    "AND i.expires_at > now() ORDER BY i.id DESC LIMIT 50");
	_Static_assert(PEOPLE_INVITATIONS_MAX == 50, "the limit above");
	const struct db_rows	*rows;
	int			 i;

	rows = db_read(db, &people_invitations, DB_ARGS(tenant_id));
	people->invitations_n = rows->n;
	people->invitations = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*people->invitations));
	for (i = 0; i < rows->n; i++)
		people->invitations[i] = (struct people_invitation){
			.id = db_text(rows, i, 0),
			.email = db_text(rows, i, 1),
			.role = role_at(rows, i, 2),
			.sent_at = db_number(rows, i, 3),
			.until = db_number(rows, i, 4),
			.by = db_text(rows, i, 5),
		};
}

/* From the audit: the last row of each who is no member again. */
WAITS static void
read_gone(struct db *db, const char *tenant_id, struct people *people)
{
	DB_QUERY(people_gone_of,
	    "SELECT u.subject_id, coalesce(p.name, ''), " MICROS("u.at") ", "
	    "u.action = 'membership.left' "
	    "FROM audit u LEFT JOIN person p ON p.account_id = u.subject_id "
	    "WHERE u.tenant_id = $1::uuid AND u.action IN "
	    "('membership.removed', 'membership.left') "
	    "AND u.at > now() - interval '90 days' "
	    "AND NOT EXISTS (SELECT FROM membership m WHERE m.account_id = "
	    "u.subject_id AND m.tenant_id = u.tenant_id) "
	    "AND NOT EXISTS (SELECT FROM audit n WHERE n.subject_id = "
	    "u.subject_id AND n.tenant_id = u.tenant_id AND n.id > u.id "
	    "AND n.action = u.action) ORDER BY u.id DESC LIMIT 20");
	_Static_assert(PEOPLE_GONE_DAYS == 90 && PEOPLE_GONE_MAX == 20,
	    "the limits above");
	const struct db_rows	*rows;
	int			 i;

	rows = db_read(db, &people_gone_of, DB_ARGS(tenant_id));
	people->gone_n = rows->n;
	people->gone = arena_calloc(db_arena(db), (size_t)rows->n,
	    sizeof(*people->gone));
	for (i = 0; i < rows->n; i++)
		people->gone[i] = (struct people_gone){
			.account_id = db_text(rows, i, 0),
			.person = db_text(rows, i, 1),
			.at = db_number(rows, i, 2),
			.left = db_truth(rows, i, 3),
		};
}

static enum member_role
role_at(const struct db_rows *rows, int row, int column)
{
	enum member_role	role = MEMBER_NONE;
	bool			ok;

	ok = people_role_parse(db_text(rows, row, column), &role);
	assert(ok);
	return (role);
}

/* Columns: may, is there, is the last owner, audit row. */
static enum people_result
result_of(struct db *db, const struct db_rows *rows)
{
	db_must(db, rows);
	if (rows->n == 0 || !db_truth(rows, 0, 1))
		return (PEOPLE_NONE);
	if (!db_truth(rows, 0, 0))
		return (PEOPLE_MAY_NOT);
	if (!db_is_null(rows, 0, 3))
		return (PEOPLE_DONE);
	return (db_truth(rows, 0, 2) ? PEOPLE_LAST_OWNER : PEOPLE_DONE);
}
