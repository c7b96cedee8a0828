/*
 * Invitations in the database, from the mail to the seat.
 */
#include "people/people.h"

#include <assert.h>

#include "mail/link.h"

/*
 * Mails that a client may send to strangers: 30 at once, then one in 5
 * minutes; and 3 at once, then one in 20 minutes to the same address, whoever
 * sends them.
 */
#define OF_CLIENT	"'invite_client', me.tenant_id::text, interval '5 min'"
#define OF_CLIENT_BURST	"30"
#define OF_ADDRESS	"'invite_address', $7, interval '20 min'"
#define OF_ADDRESS_BURST "3"

/* An invitation `i` that counts: who sent it may still do so. */
#define COUNTS								\
    "i.ended_at IS NULL AND i.expires_at > now() "			\
    "AND EXISTS (SELECT FROM tenant t WHERE t.id = i.tenant_id "	\
    "AND t.state = 'active') "						\
    "AND EXISTS (SELECT FROM membership im JOIN account ia "		\
    "ON ia.id = im.account_id AND ia.state = 'active' "			\
    "WHERE im.account_id = i.invited_by AND im.tenant_id = i.tenant_id " \
    "AND (im.role = 'owner' "						\
    "OR (im.role = 'manager' AND i.role = 'member')))"


static const char	*link_hash(struct db *, const char *token);
static const char	*text_hash(struct arena *, const char *);

WAITS struct invite_answer
invite_db_send(struct db *db, const char *who, const struct address *address,
    enum member_role role)
{
	/* The same rule as people_may_invite(). */
	DB_QUERY(invite_send,
	    "WITH me AS (SELECT m.account_id, m.tenant_id, m.role, t.name"
	    "  FROM membership m JOIN tenant t ON t.id = m.tenant_id"
	    "  AND t.state = 'active' JOIN account a ON a.id = m.account_id"
	    "  AND a.state = 'active' WHERE m.account_id = $2::uuid"
	    "  AND (m.role = 'owner' OR (m.role = 'manager'"
	    "    AND $3::text = 'member'))"
	    "), there AS (SELECT m.account_id FROM me, person p"
	    "  JOIN membership m ON m.account_id = p.account_id"
	    "  WHERE p.email_folded = $5 AND m.tenant_id = me.tenant_id"
	    "), turn AS MATERIALIZED (SELECT ceil(greatest("
	    "    throttle_wait(" OF_CLIENT ", " OF_CLIENT_BURST "),"
	    "    throttle_wait(" OF_ADDRESS ", " OF_ADDRESS_BURST ")))::bigint"
	    "    AS wait_s FROM me"
	    "), free AS (SELECT me.* FROM me, turn WHERE turn.wait_s = 0"
	    "  AND NOT EXISTS (SELECT FROM there)"
	    "), hit AS MATERIALIZED (SELECT throttle_hit(" OF_CLIENT ") AS a,"
	    "    throttle_hit(" OF_ADDRESS ") AS b FROM free me"
	    "), older AS (UPDATE invitation i SET ended_at = now(),"
	    "    ending = 'replaced' FROM free"
	    "  WHERE i.tenant_id = free.tenant_id AND i.email_folded = $5"
	    "  AND i.ended_at IS NULL RETURNING i.id"
	    "), made AS (INSERT INTO invitation (id, tenant_id, role, email,"
	    "    email_folded, email_domain, invited_by, token_hash)"
	    "  SELECT $1::uuid, free.tenant_id, $3::text, $4, $5, $6,"
	    "  $2::uuid, $8::bytea FROM free"
	    "  WHERE (SELECT count(*) FROM older) >= 0"
	    "  RETURNING id, tenant_id"
	    ") SELECT EXISTS (SELECT FROM there), turn.wait_s,"
	    "  (SELECT count(a) + count(b) FROM hit),"
	    "  CASE WHEN made.id IS NOT NULL THEN audit_write(made.tenant_id,"
	    "    'account', $2::uuid, 'invitation.sent', 'invitation',"
	    "    made.id, jsonb_build_object('role', $3::text)) END,"
	    "  CASE WHEN made.id IS NOT NULL THEN mail_queue('invitation',"
	    "    NULL, $4, jsonb_build_object('invitation_id', made.id,"
	    "    'client', me.name)) END"
	    "  FROM me CROSS JOIN turn LEFT JOIN made ON true");
	const struct db_rows	*rows;
	struct invite_answer	 answer = { .result = INVITE_SENT };
	char			 id[UUID_TEXT], token[TOKEN_TEXT];

	uuid_make(id);
	link_token("invite", id, token);
	rows = db_write(db, &invite_send, DB_ARGS(id, who,
	    people_role_name(role), address->text, address->folded,
	    address->domain, text_hash(db_arena(db), address->folded),
	    link_hash(db, token)));
	explicit_bzero(token, sizeof(token));
	/* Two at the same moment for one address: one of them went. */
	if (rows->outcome == DB_CONFLICT)
		return (answer);
	db_must(db, rows);
	if (rows->n == 0) {
		answer.result = INVITE_MAY_NOT;
	} else if (db_truth(rows, 0, 0)) {
		answer.result = INVITE_IS_MEMBER;
	} else if (db_number(rows, 0, 1) > 0) {
		answer.result = INVITE_BUSY;
		answer.wait_s = db_number(rows, 0, 1);
	}
	return (answer);
}

WAITS bool
invite_db_withdraw(struct db *db, const char *who, const char *id)
{
	DB_QUERY(invite_withdraw,
	    "WITH done AS (UPDATE invitation i SET ended_at = now(),"
	    "    ending = 'withdrawn' FROM membership m"
	    "  WHERE i.id = $2::uuid AND i.ended_at IS NULL"
	    "  AND m.account_id = $1::uuid AND m.tenant_id = i.tenant_id"
	    "  AND (m.role = 'owner'"
	    "    OR (m.role = 'manager' AND i.role = 'member'))"
	    "  RETURNING i.id, i.tenant_id"
	    ") SELECT audit_write(done.tenant_id, 'account', $1::uuid,"
	    "  'invitation.withdrawn', 'invitation', done.id) FROM done");
	const struct db_rows	*rows;

	rows = db_write(db, &invite_withdraw, DB_ARGS(who, id));
	db_must(db, rows);
	return (rows->n == 1);
}

WAITS bool
invite_db_find(struct db *db, const char *token, const char *account_id,
    struct invite *ret_invite)
{
	DB_QUERY(invite_find,
	    "SELECT i.email, t.name, i.role, coalesce(b.name, ''),"
	    " (extract(epoch FROM i.expires_at) * 1000000)::bigint,"
	    " p.account_id IS NOT NULL,"
	    " coalesce(p.account_id = $2::uuid, false),"
	    " a.kind = 'contact' AND m.account_id IS NULL "
	    "FROM invitation i JOIN tenant t ON t.id = i.tenant_id "
	    "LEFT JOIN person b ON b.account_id = i.invited_by "
	    "LEFT JOIN person p ON p.email_folded = i.email_folded "
	    "LEFT JOIN account a ON a.id = p.account_id "
	    "LEFT JOIN membership m ON m.account_id = p.account_id "
	    "WHERE i.token_hash = $1::bytea AND " COUNTS);
	const struct db_rows	*rows;
	bool			 ok;

	if (!token_shaped(token))
		return (false);
	rows = db_read(db, &invite_find, DB_ARGS(link_hash(db, token),
	    account_id));
	if (rows->n == 0)
		return (false);
	ret_invite->email = db_text(rows, 0, 0);
	ret_invite->client = db_text(rows, 0, 1);
	ok = people_role_parse(db_text(rows, 0, 2), &ret_invite->role);
	assert(ok);
	ret_invite->by = db_text(rows, 0, 3);
	ret_invite->until = db_number(rows, 0, 4);
	if (!db_truth(rows, 0, 5))
		ret_invite->state = account_id == NULL ? INVITE_NEW :
		    INVITE_OTHER;
	else if (account_id == NULL)
		ret_invite->state = INVITE_SIGN_IN;
	else if (!db_truth(rows, 0, 6))
		ret_invite->state = INVITE_OTHER;
	else
		ret_invite->state = db_truth(rows, 0, 7) ? INVITE_JOIN :
		    INVITE_SEATED;
	return (true);
}

/* `seat` is the new membership of `used`, the invitation.  Told are those who
 * were owners before. */
#define SEATED(person)							\
    "told AS (SELECT mail_queue('owner_person_joined', m.account_id,"	\
    "    NULL, jsonb_build_object('person', " person ","		\
    "    'email', used.email, 'client', t.name, 'role', used.role,"	\
    "    'by', coalesce(b.name, ''))) AS mail"				\
    "  FROM used JOIN seat ON seat.tenant_id = used.tenant_id"		\
    "  JOIN tenant t ON t.id = used.tenant_id"				\
    "  LEFT JOIN person b ON b.account_id = used.invited_by"		\
    "  JOIN membership m ON m.tenant_id = used.tenant_id"		\
    "  AND m.role = 'owner'), "						\
    "audit AS (SELECT audit_write(used.tenant_id, 'account',"		\
    "    seat.account_id, 'membership.created', 'account',"		\
    "    seat.account_id, jsonb_build_object('role', used.role,"	\
    "    'rule', 'invitation', 'invitation', used.id)) AS n"		\
    "  FROM used JOIN seat ON seat.tenant_id = used.tenant_id)"

WAITS bool
invite_db_join(struct db *db, const char *token, const char *account_id)
{
	DB_QUERY(invite_join,
	    "WITH who AS (SELECT p.account_id, p.email_folded, p.name"
	    "  FROM person p JOIN account a ON a.id = p.account_id"
	    "  AND a.kind = 'contact' AND a.state = 'active'"
	    "  WHERE p.account_id = $2::uuid AND NOT EXISTS"
	    "  (SELECT FROM membership m WHERE m.account_id = p.account_id)"
	    "), used AS (UPDATE invitation i SET ended_at = now(),"
	    "    ending = 'accepted' FROM who WHERE i.token_hash = $1::bytea"
	    "  AND i.email_folded = who.email_folded AND " COUNTS
	    "  RETURNING i.*"
	    "), seat AS (INSERT INTO membership (account_id, tenant_id, role,"
	    "    let_in_by) SELECT $2::uuid, tenant_id, role, 'invitation'"
	    "  FROM used RETURNING account_id, tenant_id"
	    "), " SEATED("(SELECT who.name FROM who)")
	    " SELECT audit.n, (SELECT count(told.mail) FROM told) FROM audit");
	const struct db_rows	*rows;

	rows = db_write(db, &invite_join, DB_ARGS(link_hash(db, token),
	    account_id));
	return (rows->outcome == DB_OK && rows->n == 1);
}

WAITS bool
invite_db_create(struct db *db, const char *token, const char *name,
    const char *password_hash, const struct session_start *start)
{
	/* Of two at once, the second waits for the row of `used`, sees that it
	 * has ended, and makes nothing. */
	DB_QUERY(invite_create,
	    "WITH used AS (UPDATE invitation i SET ended_at = now(),"
	    "    ending = 'accepted' WHERE i.token_hash = $1::bytea AND "
	    COUNTS " AND NOT EXISTS (SELECT FROM person p WHERE"
	    "    p.email_folded = i.email_folded) RETURNING i.*"
	    "), made AS (INSERT INTO account (id, kind, password_hash,"
	    "    signed_in_at) SELECT $2::uuid, 'contact', $4, now() FROM used"
	    "  RETURNING id"
	    "), named AS (INSERT INTO person (account_id, email,"
	    "    email_folded, email_domain, name, client)"
	    "  SELECT $2::uuid, used.email, used.email_folded,"
	    "  used.email_domain, $3::text, t.name"
	    "  FROM used JOIN tenant t ON t.id = used.tenant_id"
	    "), seat AS (INSERT INTO membership (account_id, tenant_id, role,"
	    "    let_in_by) SELECT $2::uuid, tenant_id, role, 'invitation'"
	    "  FROM used RETURNING account_id, tenant_id"
	    "), " SESSION_SQL("made", "$5", "$6", "$7", "$8", "$9", "$10") ", "
	    SEATED("$3::text") ", born AS (SELECT audit_write(NULL, 'account',"
	    "    id, 'account.created', 'account', id, jsonb_build_object("
	    "    'role', 'contact')) AS n, audit_write(NULL, 'account', id,"
	    "    'session.started', 'account', id) AS m FROM made)"
	    " SELECT audit.n, born.n, born.m,"
	    " (SELECT count(told.mail) FROM told) FROM audit, born");
	const struct db_rows	*rows;
	char			 id[UUID_TEXT];

	uuid_make(id);
	rows = db_write(db, &invite_create, DB_ARGS(link_hash(db, token), id,
	    name, password_hash, SESSION_ARGS(db, start)));
	return (rows->outcome == DB_OK && rows->n == 1);
}

static const char *
link_hash(struct db *db, const char *token)
{
	unsigned char	hash[SHA256_BYTES];

	link_token_hash(token, hash);
	return (db_bytes(db, hash, sizeof(hash)));
}

/* The table of throttles is not where addresses stand. */
static const char *
text_hash(struct arena *a, const char *text)
{
	unsigned char	 hash[SHA256_BYTES];
	char		*hex = arena_alloc(a, 2 * SHA256_BYTES + 1);

	sha256(hash, text, strlen(text));
	hex_encode(hex, hash, sizeof(hash));
	return (hex);
}
