/*
 * SQL of sign-ups, from the wish for a mail to the account.
 */
#include "accounts/account.h"

#include "mail/link.h"

/*
 * Mails that one network may ask for: 60 at once, then one in 10 seconds,
 * which is enough for a company behind one address and 8 640 a day for one who
 * wants to annoy strangers, each of whom gets 3 an hour at most.
 */
#define NETWORK		"'mail_network', $8, interval '10 s'"
#define NETWORK_BURST	"60"

static const char *link_hash(struct db *, const char *token);

struct signup_answer
signup_db_ask(struct db *db, const struct address *address, const char *name,
    const char *client, const char *network)
{
	/*
	 * The row of an address with an account, or of one that nobody signed
	 * up with, has no token: it counts for the three mails an hour as any
	 * other.  `invite`: somebody of staff stays one, with the name that
	 * was given to us, for as long as that invitation holds.
	 *
	 * Sending again to an address that nobody signed up with queues a mail
	 * too, so that it takes the same work.  The courier drops it, because
	 * its row is used from the beginning.
	 */
	DB_QUERY(signup_ask,
	    "WITH turn AS MATERIALIZED (SELECT signup_next_at($3) AS next_at, "
	    "ceil(throttle_wait(" NETWORK ", " NETWORK_BURST "))::bigint "
	    "AS wait_s), "
	    "free AS MATERIALIZED (SELECT 1 AS one FROM turn "
	    "WHERE next_at IS NULL AND wait_s = 0), "
	    "hit AS MATERIALIZED (SELECT throttle_hit(" NETWORK ") AS at "
	    "FROM free), "
	    "known AS (SELECT account_id FROM person "
	    "WHERE email_folded = $3), "
	    "last AS (SELECT name, client FROM signup "
	    "WHERE email_folded = $3 AND token_hash IS NOT NULL "
	    "AND used_at IS NULL AND invited_as IS NULL "
	    "ORDER BY id DESC LIMIT 1), "
	    "invite AS (SELECT name, client, invited_as FROM signup "
	    "WHERE email_folded = $3 AND token_hash IS NOT NULL "
	    "AND used_at IS NULL AND invited_as IS NOT NULL "
	    "AND replaced_at IS NULL AND expires_at > now() "
	    "ORDER BY id DESC LIMIT 1), "
	    "wish AS (SELECT k.account_id, i.invited_as, "
	    "coalesce(i.name, $5, l.name) AS name, "
	    "coalesce(i.client, $6, l.client, '') AS client "
	    "FROM free LEFT JOIN known k ON true LEFT JOIN invite i ON true "
	    "LEFT JOIN last l ON true), "
	    "older AS (UPDATE signup SET replaced_at = now() "
	    "WHERE email_folded = $3 AND used_at IS NULL "
	    "AND replaced_at IS NULL AND EXISTS (SELECT FROM wish "
	    "WHERE account_id IS NULL AND name IS NOT NULL)), "
	    "made AS (INSERT INTO signup (id, email, email_folded, "
	    "email_domain, name, client, invited_as, token_hash, expires_at, "
	    "used_at) "
	    "SELECT $1::text::uuid, $2, $3, $4, coalesce(name, ''), client, "
	    "invited_as, CASE WHEN account_id IS NULL AND name IS NOT NULL "
	    "THEN $7::bytea END, now() + interval '24 hours', "
	    "CASE WHEN account_id IS NULL AND name IS NULL THEN now() END "
	    "FROM wish), "
	    "mail AS MATERIALIZED (SELECT mail_queue("
	    "CASE WHEN account_id IS NOT NULL THEN 'account_exists' "
	    "WHEN invited_as IS NOT NULL THEN 'staff_invite' "
	    "ELSE 'verify' END, account_id, $2, "
	    "CASE WHEN account_id IS NULL "
	    "THEN jsonb_build_object('signup_id', $1::text) "
	    "ELSE '{}'::jsonb END) AS id FROM wish) "
	    "SELECT (extract(epoch FROM next_at) * 1000000)::bigint, wait_s, "
	    "(SELECT count(at) FROM hit), (SELECT count(id) FROM mail) "
	    "FROM turn");
	const struct db_rows	*rows;
	struct signup_answer	 answer = { .result = SIGNUP_QUEUED };
	char			 id[UUID_TEXT], token[TOKEN_TEXT];

	uuid_make(id);
	link_token("verify", id, token);
	rows = db_write(db, &signup_ask, DB_ARGS(id, address->text,
	    address->folded, address->domain, name, client,
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

/*
 * A link counts while it is unused, in time, and the newest of its address.
 * Ids are UUIDv7, so they grow, and exactly one is the newest even when two
 * were made in the same instant.
 */
#define COUNTS	"s.used_at IS NULL AND s.replaced_at IS NULL "		\
	"AND s.expires_at > now() "					\
	"AND NOT EXISTS (SELECT FROM signup n WHERE "			\
	"n.email_folded = s.email_folded AND n.token_hash IS NOT NULL "	\
	"AND n.id > s.id) "						\
	"AND NOT EXISTS (SELECT FROM person p WHERE "			\
	"p.email_folded = s.email_folded)"

bool
signup_db_find(struct db *db, const char *token, struct signup *ret_signup)
{
	DB_QUERY(signup_find,
	    "SELECT s.id, s.email, s.name, s.client, "
	    "s.invited_as IS NOT NULL FROM signup s "
	    "WHERE s.token_hash = $1::bytea AND " COUNTS);
	const struct db_rows	*rows;

	if (!token_shaped(token))
		return (false);
	rows = db_read(db, &signup_find, DB_ARGS(link_hash(db, token)));
	if (rows->n == 0)
		return (false);
	ret_signup->id = db_text(rows, 0, 0);
	ret_signup->email = db_text(rows, 0, 1);
	ret_signup->name = db_text(rows, 0, 2);
	ret_signup->client = db_text(rows, 0, 3);
	ret_signup->is_staff = db_truth(rows, 0, 4);
	return (true);
}

bool
account_db_create(struct db *db, const char *token,
    const struct account_new *new, const struct session_start *start,
    enum account_kind *ret_kind)
{
	/* Of two at once, the second waits for the row of `used`, sees that it
	 * is used, and makes nothing. */
	DB_QUERY(account_create,
	    "WITH used AS (UPDATE signup s SET used_at = now() "
	    "WHERE s.token_hash = $1::bytea AND " COUNTS " RETURNING *), "
	    "made AS (INSERT INTO account (id, kind, staff_role, "
	    "password_hash, signed_in_at) SELECT $2::uuid, "
	    "CASE WHEN invited_as IS NULL THEN 'contact' ELSE 'staff' END, "
	    "invited_as, $5, now() FROM used RETURNING id, staff_role), "
	    "person AS (INSERT INTO person (account_id, email, email_folded, "
	    "email_domain, name, client) SELECT $2::uuid, email, email_folded, "
	    "email_domain, $3, CASE WHEN invited_as IS NULL THEN $4 "
	    "ELSE '' END FROM used), "
	    SESSION_SQL("made", "$6", "$7", "$8", "$9", "$10",
	    "$11") ", "
	    "audit AS (SELECT audit_write(NULL, 'account', id, "
	    "'account.created', 'account', id, jsonb_build_object('role', "
	    "coalesce(staff_role, 'contact'))) AS one, "
	    "audit_write(NULL, 'account', id, 'session.started', 'account', "
	    "id) AS two FROM made) "
	    "SELECT made.staff_role FROM made, audit "
	    "WHERE one IS NOT NULL AND two IS NOT NULL");
	const struct db_rows	*rows;
	const char		*role;
	char			 id[UUID_TEXT];

	uuid_make(id);
	rows = db_write(db, &account_create, DB_ARGS(link_hash(db, token), id,
	    new->name, new->client, new->password_hash,
	    SESSION_ARGS(db, start)));
	if (rows->outcome != DB_OK || rows->n == 0)
		return (false);
	role = db_text(rows, 0, 0);
	if (role == NULL)
		*ret_kind = ACCOUNT_CONTACT;
	else
		*ret_kind = str_eq(role, "admin") ? ACCOUNT_ADMIN :
		    ACCOUNT_STAFF;
	return (true);
}

static const char *
link_hash(struct db *db, const char *token)
{
	unsigned char	hash[SHA256_BYTES];

	link_token_hash(token, hash);
	return (db_bytes(db, hash, sizeof(hash)));
}
