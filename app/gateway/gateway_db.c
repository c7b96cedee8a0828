/*
 * SQL of the gateway check: one key with its subscription and what an issued
 * one may do, one API user with what it may do.  Both are index look-ups, for what the cache does not know.
 */
#include "gateway/gateway.h"

#include <assert.h>

#include "base/str.h"

#define US(x)	"coalesce((extract(epoch FROM " x ") * 1000000)::bigint, 0)"

/* The first that is not NULL; 0 is no limit.  The most is 1,000,000,000. */
#define PLAN(x)	"coalesce(" x ", 0)::bigint"

/* Columns of a key: what else is of its product, and of issued ones alone. */
#define PRODUCT	21
#define ISSUED	25

static void	 read_plan(struct plan *, const struct db_rows *, int column);
static void	 read_product(struct key_entry *, const struct db_rows *);
static void	 read_issued(struct key_entry *, const struct db_rows *);
static enum fact_issued issued_of(const char *);
static enum fact_subscription state_of(const char *);
static void	 copy_uuid(unsigned char *, const struct db_rows *, int column);
static void	 copy_mac(struct db *, struct password_mac *,
		    const struct db_rows *, int column);

void
gateway_db_key(struct db *db, const unsigned char hash[HASH_SHORT_BYTES],
    const unsigned char mac[SHA256_BYTES])
{
	DB_QUERY(gateway_key,
	    "SELECT s.id, s.tenant_id, s.product_id, p.slug, t.code, s.state, "
	    "p.needs_api_user AND f.is_pair, "
	    "CASE WHEN i.state = 'revoked' THEN 0 ELSE " US("k.ends_at")
	    " END, " US("s.expires_at") ", k.id, "
	    PLAN("t.calls_a_second, p.calls_a_second") ", "
	    PLAN("t.calls_a_minute, p.calls_a_minute") ", "
	    PLAN("t.calls_a_day, p.calls_a_day") ", "
	    PLAN("t.calls_a_month, p.calls_a_month") ", "
	    PLAN("t.user_calls_a_minute, p.user_calls_a_minute") ", "
	    PLAN("t.all_calls_a_minute") ", " PLAN("t.all_calls_a_day") ", "
	    "coalesce(c.day_calls, 0), coalesce(c.month_calls, 0), "
	    "coalesce(c.day - '1970-01-01'::date, 0)::bigint, "
	    "coalesce((extract(year FROM c.month) - 1970) * 12 + "
	    "extract(month FROM c.month) - 1, 0)::bigint, "
	    "s.environment, f.key_header, f.key_query, f.tenant_header, "
	    "i.id, i.state, " US("i.expires_at") ", "
	    PLAN("i.calls_a_minute, p.key_calls_a_minute, "
	    "f.key_calls_a_minute") ", "
	    "CASE f.tenant_by WHEN 'slug' THEN t.slug WHEN 'host' THEN "
	    "coalesce((SELECT string_agg(h.host, ' ') FROM tenant_host h "
	    "WHERE h.tenant_id = t.id), '') ELSE '' END, "
	    "CASE WHEN i.id IS NOT NULL THEN key_matrix(i.id) END, "
	    "CASE WHEN i.id IS NOT NULL THEN key_words(i.id) END, "
	    "CASE WHEN i.id IS NOT NULL THEN product_words(p.id) ELSE '' END "
	    "FROM subscription_key k "
	    "JOIN subscription s ON s.id = k.subscription_id "
	    "JOIN product p ON p.id = s.product_id "
	    "JOIN key_profile f ON f.name = p.profile "
	    "JOIN tenant t ON t.id = s.tenant_id "
	    "LEFT JOIN issued_key i ON i.id = k.key_id "
	    "LEFT JOIN usage_count c ON c.subscription_id = s.id "
	    "WHERE k.mac = $1::bytea AND (k.state IN ('current', 'old') "
	    "AND (k.ends_at IS NULL OR k.ends_at > now()) "
	    "OR i.state = 'revoked') AND i.state IS DISTINCT FROM 'deleted'");
	uint64_t		 number = cache_begin();
	const struct db_rows	*rows;
	struct key_entry	*k;
	unsigned char		 tenant[CACHE_UUID];

	rows = db_read(db, &gateway_key,
	    DB_ARGS(db_bytes(db, mac, SHA256_BYTES)));
	if (rows->n == 0) {
		cache_drop_key(hash);
		cache_put_absent(hash, number);
		return;
	}
	copy_uuid(tenant, rows, 1);
	k = cache_put_key(hash, tenant, number);
	copy_uuid(k->subscription, rows, 0);
	copy_uuid(k->id, rows, 9);
	read_product(k, rows);
	if (!db_is_null(rows, 0, ISSUED))
		read_issued(k, rows);
	if (k->product->plan.day != 0 || k->product->plan.month != 0)
		limit_load(k->subscription, &(struct limit_counts){
		    .day = db_number(rows, 0, 19),
		    .month = db_number(rows, 0, 20),
		    .day_calls = (uint64_t)db_number(rows, 0, 17),
		    .month_calls = (uint64_t)db_number(rows, 0, 18) });
	(void)snprintf(k->code, sizeof(k->code), "%s", db_text(rows, 0, 4));
	k->state = (uint8_t)state_of(db_text(rows, 0, 5));
	k->key_ends_at = db_number(rows, 0, 7);
	k->ends_at = db_number(rows, 0, 8);
}

void
gateway_db_user(struct db *db, const struct user_key *key)
{
	/* The code may be a former one of the tenant. */
	DB_QUERY(gateway_user,
	    "SELECT u.id, u.username, u.state = 'enabled', "
	    US("u.expires_at") ", c.mac, coalesce(c.mac_version, 0), "
	    "o.mac, coalesce(o.mac_version, 0), " US("o.ends_at") ", "
	    "m.matrix "
	    "FROM api_user u JOIN tenant t ON t.id = u.tenant_id "
	    "LEFT JOIN api_user_password c ON c.api_user_id = u.id "
	    "AND c.state = 'current' "
	    "LEFT JOIN api_user_password o ON o.api_user_id = u.id "
	    "AND o.state = 'old' AND o.ends_at > now(), "
	    "api_user_matrix(u.id, $2::uuid) AS m (matrix) "
	    "WHERE u.tenant_id = $1::uuid AND u.name_held "
	    "AND u.state <> 'deleted' AND u.username = $3 "
	    "AND (t.code = $4 OR EXISTS (SELECT FROM tenant_alias a "
	    "WHERE a.code = $4 AND a.tenant_id = t.id))");
	uint64_t		 number = cache_begin();
	struct arena		*a = db_arena(db);
	const char		*at = strchr(key->name, '@'), *matrix;
	const struct db_rows	*rows;
	struct user_entry	*u;
	unsigned char		 hash[SHA256_BYTES], absent[HASH_SHORT_BYTES];
	char			 tenant[UUID_TEXT], product[UUID_TEXT];

	assert(at != NULL);
	uuid_write(tenant, key->tenant);
	uuid_write(product, key->product);
	rows = db_read(db, &gateway_user, DB_ARGS(tenant, product,
	    arena_strndup(a, key->name, (size_t)(at - key->name)), at + 1));
	if (rows->n == 0) {
		cache_drop_user(key);
		user_absent_hash(key, absent);
		cache_put_absent(absent, number);
		return;
	}
	u = cache_put_user(key, number);
	copy_uuid(u->id, rows, 0);
	(void)snprintf(u->name, sizeof(u->name), "%s", db_text(rows, 0, 1));
	u->enabled = db_truth(rows, 0, 2);
	u->ends_at = db_number(rows, 0, 3);
	copy_mac(db, &u->password, rows, 4);
	if (!db_is_null(rows, 0, 6)) {
		copy_mac(db, &cache_old(u)->password, rows, 6);
		u->old->ends_at = db_number(rows, 0, 8);
	}
	matrix = db_text(rows, 0, 9);
	sha256(hash, matrix, strlen(matrix));
	u->set = cache_set(hash, matrix, strlen(matrix));
}

static void
read_product(struct key_entry *k, const struct db_rows *rows)
{
	struct shared_product	 p;

	memset(&p, 0, sizeof(p));
	copy_uuid(p.id, rows, 2);
	(void)snprintf(p.slug, sizeof(p.slug), "%s", db_text(rows, 0, 3));
	p.needs_user = db_truth(rows, 0, 6);
	read_plan(&p.plan, rows, 10);
	(void)snprintf(p.environment, sizeof(p.environment), "%s",
	    db_text(rows, 0, PRODUCT));
	p.key_name = keyway_name(KEYWAY_KEY, db_text(rows, 0, PRODUCT + 1));
	p.query_name = keyway_name(KEYWAY_QUERY,
	    db_text(rows, 0, PRODUCT + 2));
	p.tenant_name = keyway_name(KEYWAY_TENANT,
	    db_text(rows, 0, PRODUCT + 3));
	/* It is copied. */
	p.scopes = (char *)(uintptr_t)db_text(rows, 0, ISSUED + 7);
	k->product = cache_product(&p);
}

static void
read_issued(struct key_entry *k, const struct db_rows *rows)
{
	const char		*matrix = db_text(rows, 0, ISSUED + 5);
	struct issued_key	*i;
	unsigned char		 hash[SHA256_BYTES];

	i = cache_issued(k, db_text(rows, 0, ISSUED + 4),
	    db_text(rows, 0, ISSUED + 6));
	copy_uuid(i->id, rows, ISSUED);
	i->state = (uint8_t)issued_of(db_text(rows, 0, ISSUED + 1));
	i->ends_at = db_number(rows, 0, ISSUED + 2);
	i->calls_a_minute = (uint32_t)db_number(rows, 0, ISSUED + 3);
	sha256(hash, matrix, strlen(matrix));
	i->set = cache_set(hash, matrix, strlen(matrix));
}

static enum fact_issued
issued_of(const char *state)
{
	if (str_eq(state, "active"))
		return (FACT_KEY_ACTIVE);
	if (str_eq(state, "pending"))
		return (FACT_KEY_PENDING);
	return (str_eq(state, "inactive") ? FACT_KEY_INACTIVE :
	    FACT_KEY_REVOKED);
}

static void
read_plan(struct plan *ret_plan, const struct db_rows *rows, int column)
{
	uint32_t	*const fields[] = { &ret_plan->second,
		&ret_plan->minute, &ret_plan->day, &ret_plan->month,
		&ret_plan->user_minute, &ret_plan->tenant_minute,
		&ret_plan->tenant_day };
	int		 i;

	memset(ret_plan, 0, sizeof(*ret_plan));
	for (i = 0; i < (int)COUNT(fields); i++)
		*fields[i] = (uint32_t)db_number(rows, 0, column + i);
}

static enum fact_subscription
state_of(const char *state)
{
	if (str_eq(state, "active"))
		return (FACT_ACTIVE);
	if (str_eq(state, "suspended"))
		return (FACT_SUSPENDED);
	return (str_eq(state, "expired") ? FACT_EXPIRED : FACT_CANCELLED);
}

static void
copy_uuid(unsigned char *to, const struct db_rows *rows, int column)
{
	bool	 ok = uuid_read(to, db_text(rows, 0, column));

	assert(ok);
}

/* The MAC and, in the next column, its version. */
static void
copy_mac(struct db *db, struct password_mac *to, const struct db_rows *rows,
    int column)
{
	const void	*mac;
	size_t		 n;

	if (db_is_null(rows, 0, column))
		return;
	mac = db_blob(db, rows, 0, column, &n);
	assert(n == SHA256_BYTES);
	memcpy(to->mac, mac, n);
	to->version = (uint32_t)db_number(rows, 0, column + 1);
}
