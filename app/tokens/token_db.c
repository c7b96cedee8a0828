/*
 * SQL of access tokens.
 */
#include "tokens/token.h"

#include <assert.h>

#include "base/str.h"
#include "sessions/session.h"
#include "web/scope.h"

#define MICROS(x)	"coalesce((extract(epoch FROM " x ") * 1000000)::bigint, 0)"
#define MAC_VERSIONS	8u

static const char *scopes_array(struct db *, unsigned scopes);
static const char *mac_text(struct db *, const struct keyring *,
		    uint32_t version, const char *token);

struct access_tokens
access_token_db_list(struct db *db, const char *account_id)
{
	DB_QUERY(access_token_list,
	    "SELECT id, name, first4, last4, array_to_string(scopes, ', '), "
	    "coalesce(host(last_used_address), ''), " MICROS("created_at") ", "
	    MICROS("expires_at") ", " MICROS("last_used_at") ", "
	    "expires_at <= now() FROM access_token "
	    "WHERE account_id = $1::uuid AND ended_at IS NULL "
	    "ORDER BY id DESC LIMIT 100");
	const struct db_rows	*rows;
	struct access_tokens	 tokens;
	int			 i;

	rows = db_read(db, &access_token_list, DB_ARGS(account_id));
	tokens.n = rows->n;
	tokens.list = arena_calloc(db_arena(db), (size_t)rows->n + 1,
	    sizeof(*tokens.list));
	for (i = 0; i < rows->n; i++)
		tokens.list[i] = (struct access_token){
			.id = db_text(rows, i, 0),
			.name = db_text(rows, i, 1),
			.first4 = db_text(rows, i, 2),
			.last4 = db_text(rows, i, 3),
			.scopes = db_text(rows, i, 4),
			.last_address = db_text(rows, i, 5),
			.created_at = db_number(rows, i, 6),
			.expires_at = db_number(rows, i, 7),
			.last_used_at = db_number(rows, i, 8),
			.is_expired = db_truth(rows, i, 9),
		};
	return (tokens);
}

enum access_token_result
access_token_db_make(struct db *db, const struct keyring *ring,
    const char *account_id, const struct access_token_form *form,
    const char *token, const char *nonce)
{
	/* The account's row is held, so that two at once count each other. */
	DB_QUERY(access_token_make_one,
	    "WITH who AS MATERIALIZED (SELECT id FROM account "
	    "WHERE id = $1::uuid AND state = 'active' FOR UPDATE), "
	    "room AS (SELECT id FROM who WHERE (SELECT count(*) "
	    "FROM access_token WHERE account_id = $1::uuid "
	    "AND ended_at IS NULL AND expires_at > now()) < 20), "
	    "burn AS (INSERT INTO reveal (nonce_hash, account_id) "
	    "SELECT $2::bytea, id FROM room ON CONFLICT (nonce_hash) "
	    "DO NOTHING RETURNING account_id AS id), "
	    "made AS (INSERT INTO access_token (id, account_id, name, mac, "
	    "mac_version, first4, last4, scopes, expires_at) "
	    "SELECT $3::uuid, id, $4, decode($5, 'hex'), $6::integer, $7, $8, "
	    "$9::text[], $10::timestamptz FROM burn RETURNING id, account_id), "
	    "told AS (SELECT audit_write(m.tenant_id, 'account', "
	    "made.account_id, 'token.made', 'access_token', made.id, "
	    "(SELECT jsonb_object_agg(translate(x, ':-', '__'), 'yes') "
	    "FROM unnest($9::text[]) AS x)) "
	    "AS n, mail_queue('token_made', made.account_id, NULL, "
	    "jsonb_build_object('token', $4, 'scopes', "
	    "array_to_string($9::text[], ', '))) AS mail FROM made "
	    "LEFT JOIN membership m ON m.account_id = made.account_id) "
	    "SELECT EXISTS (SELECT FROM room), "
	    "(SELECT count(n) + count(mail) FROM told)");
	_Static_assert(ACCESS_TOKENS_MAX == 20, "the number above");
	const struct db_rows	*rows;
	struct arena		*a = db_arena(db);
	unsigned char		 hash[SHA256_BYTES];
	uint32_t		 version;
	char			 id[UUID_TEXT];

	uuid_make(id);
	sha256(hash, nonce, strlen(nonce));
	version = keyring_newest(ring, "access-token");
	rows = db_write(db, &access_token_make_one, DB_ARGS(account_id,
	    db_bytes(db, hash, sizeof(hash)), id, form->name,
	    mac_text(db, ring, version, token), db_int(db, version),
	    arena_strndup(a, token + 3, 4),
	    token + ACCESS_TOKEN_TEXT - 1 - 4, scopes_array(db, form->scopes),
	    db_time(db, form->expires_at)));
	db_must(db, rows);
	if (!db_truth(rows, 0, 0))
		return (ACCESS_TOKEN_FULL);
	return (db_number(rows, 0, 1) == 2 ? ACCESS_TOKEN_MADE :
	    ACCESS_TOKEN_AGAIN);
}

bool
access_token_db_revoke(struct db *db, const char *account_id, const char *id)
{
	DB_QUERY(access_token_revoke,
	    "WITH gone AS (UPDATE access_token SET ended_at = now() "
	    "WHERE id = $2::uuid AND account_id = $1::uuid "
	    "AND ended_at IS NULL RETURNING id, account_id), "
	    "told AS (SELECT audit_write(m.tenant_id, 'account', "
	    "gone.account_id, 'token.revoked', 'access_token', gone.id) AS n "
	    "FROM gone LEFT JOIN membership m "
	    "ON m.account_id = gone.account_id) SELECT count(n) FROM told");
	const struct db_rows	*rows;

	rows = db_write(db, &access_token_revoke, DB_ARGS(account_id, id));
	db_must(db, rows);
	return (db_number(rows, 0, 0) == 1);
}

struct access *
access_token_db_find(struct db *db, const struct keyring *ring,
    const char *token, const char *address)
{
	/* The HMAC key may have newer versions than the token; a closed tenant
	 * is none.  The seconds are ACCESS_TOKEN_TOUCH_S. */
	DB_QUERY(access_token_find,
	    "SELECT k.id, k.name, array_to_string(k.scopes, ' '), "
	    MICROS("k.expires_at") ", k.last_used_at IS NULL "
	    "OR k.last_used_at < now() - interval '60 seconds' "
	    "OR k.last_used_address IS DISTINCT FROM $2::inet, "
	    "a.id, CASE WHEN a.kind = 'contact' THEN 'contact' "
	    "ELSE a.staff_role END, p.name, p.email, p.email_domain, "
	    "p.client, t.id, t.code, t.name, "
	    "CASE WHEN t.id IS NOT NULL THEN m.role END, "
	    "EXISTS (SELECT FROM second_factor f WHERE f.account_id = a.id) "
	    "FROM access_token k "
	    "JOIN account a ON a.id = k.account_id AND a.state = 'active' "
	    "JOIN person p ON p.account_id = a.id "
	    "LEFT JOIN membership m ON m.account_id = a.id "
	    "LEFT JOIN tenant t ON t.id = m.tenant_id AND t.state = 'active' "
	    "WHERE k.mac = ANY (SELECT decode(h, 'hex') "
	    "FROM unnest($1::text[]) AS h) "
	    "AND k.ended_at IS NULL AND k.expires_at > now()");
	const struct db_rows	*rows;
	struct arena		*a = db_arena(db);
	struct access		*access;
	struct session		*s;
	const char		*macs[MAC_VERSIONS], *role, *word;
	uint32_t		 version;
	size_t			 n = 0;

	for (version = keyring_newest(ring, "access-token");
	    version > 0 && n < COUNT(macs); version--)
		macs[n++] = mac_text(db, ring, version, token);
	rows = db_read(db, &access_token_find, DB_ARGS(
	    db_text_array(db, macs, n), address));
	if (rows->n == 0)
		return (NULL);
	access = arena_alloc(a, sizeof(*access));
	access->id = db_text(rows, 0, 0);
	access->name = db_text(rows, 0, 1);
	access->scopes = 0;
	for (word = db_text(rows, 0, 2); *word != '\0'; word += n) {
		word += strspn(word, " ");
		n = strcspn(word, " ");
		access->scopes |= scope_parse(arena_strndup(a, word, n));
	}
	access->expires_at = db_number(rows, 0, 3);
	access->is_stale = db_truth(rows, 0, 4);
	s = arena_calloc(a, 1, sizeof(*s));
	s->account_id = db_text(rows, 0, 5);
	role = db_text(rows, 0, 6);
	s->kind = str_eq(role, "contact") ? ACCOUNT_CONTACT :
	    str_eq(role, "admin") ? ACCOUNT_ADMIN : ACCOUNT_STAFF;
	s->name = db_text(rows, 0, 7);
	s->email = db_text(rows, 0, 8);
	s->email_domain = db_text(rows, 0, 9);
	s->client = db_text(rows, 0, 10);
	s->tenant_id = db_text(rows, 0, 11);
	s->tenant_code = db_text(rows, 0, 12);
	s->tenant_name = db_text(rows, 0, 13);
	role = db_text(rows, 0, 14);
	s->role = role == NULL ? MEMBER_NONE : str_eq(role, "owner") ?
	    MEMBER_OWNER : str_eq(role, "manager") ? MEMBER_MANAGER :
	    MEMBER_MEMBER;
	s->has_second = db_truth(rows, 0, 15);
	access->session = s;
	return (access);
}

void
access_token_db_touch(struct db *db, const char *id, const char *address)
{
	/* A row that somebody else has locked is being written anyway. */
	DB_QUERY(access_token_touch,
	    "UPDATE access_token SET last_used_at = now(), "
	    "last_used_address = $2::inet WHERE id IN (SELECT id "
	    "FROM access_token WHERE id = $1::uuid AND ended_at IS NULL "
	    "FOR UPDATE SKIP LOCKED)");
	const struct db_rows	*rows;

	rows = db_write(db, &access_token_touch, DB_ARGS(id, address));
	db_must(db, rows);
}

static const char *
scopes_array(struct db *db, unsigned scopes)
{
	const char	*names[SCOPES_MAX];
	size_t		 i, n = 0;

	for (i = 0; i < COUNT(scope_words); i++) {
		if ((scopes & scope_words[i].bit) != 0)
			names[n++] = scope_words[i].name;
	}
	return (db_text_array(db, names, n));
}

/* In hexadecimal. */
static const char *
mac_text(struct db *db, const struct keyring *ring, uint32_t version,
    const char *token)
{
	unsigned char	 mac[SHA256_BYTES];
	char		*text = arena_alloc(db_arena(db), 2 * sizeof(mac) + 1);
	bool		 ok;

	ok = keyring_hmac(ring, "access-token", version, token, strlen(token),
	    mac);
	assert(ok);
	hex_encode(text, mac, sizeof(mac));
	return (text);
}
