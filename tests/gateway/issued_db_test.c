/*
 * Issued keys against a real PostgreSQL (LATCHKEY_TEST_DATABASE_URL): what the
 * database says of them, and of the profiles, becomes verdicts.
 */
#include "accounts/people.h"
#include "base/clock.h"
#include "crypto/coded.h"
#include "gateway/gateway.h"
#include "gateway/meter.h"

#include <arpa/inet.h>

static char	 tenant[UUID_TEXT], account[UUID_TEXT];
static char	 coded[CODED_TEXT], issued[UUID_TEXT];

static const char *
mac_hex(const char *text)
{
	unsigned char	 mac[SHA256_BYTES];
	char		*hex = arena_alloc(arena, 2 * SHA256_BYTES + 1);

	assert_true(keyring_hmac(vault, "subscription-key", 0, text,
	    strlen(text), mac));
	hex_encode(hex, mac, sizeof(mac));
	return (hex);
}

static int
begin(void **state)
{
	(void)people_setup(state);
	uuid_make(tenant);
	uuid_make(account);
	(void)people_ask(arena_fmt(arena, "INSERT INTO account (id, kind, "
	    "password_hash) VALUES ('%s', 'contact', 'x')", account));
	(void)people_ask(arena_fmt(arena, "INSERT INTO tenant (id, code, name, "
	    "name_folded, slug) VALUES ('%s', 'ALTWORX', 'Altaworx', "
	    "'altaworx', 'altaworx')", tenant));
	(void)people_ask("INSERT INTO product (id, slug, name) VALUES "
	    "(gen_random_uuid(), 'revio-api', 'Rev.io API')");
	cache_setup(64);
	limit_setup(1024);
	meter_setup(1024);
	return (0);
}

static int
end(void **state)
{
	cache_end();
	limit_end();
	meter_end();
	return (people_teardown(state));
}

/* The tools have no ear: a test says itself what a trigger tells. */
static void
change(const char *sql)
{
	(void)people_ask(sql);
	cache_told(tenant);
}

static void
issue(void)
{
	char	 other[UUID_TEXT], subscribed[UUID_TEXT], value[UUID_TEXT];

	uuid_make(other);
	uuid_make(subscribed);
	uuid_make(issued);
	uuid_make(value);
	coded_make(coded, "ca_");
	(void)people_ask(arena_fmt(arena, "INSERT INTO product (id, slug, "
	    "name, profile, one_key_per_tenant) VALUES ('%s', 'studio', "
	    "'Studio API', 'user-key', false)", other));
	(void)people_ask(arena_fmt(arena, "INSERT INTO product_resource "
	    "(product_id, place, name, path, operations) VALUES ('%s', 1, "
	    "'Customers', '/customers', '{GET,POST}')", other));
	(void)people_ask(arena_fmt(arena, "INSERT INTO product_scope (id, "
	    "product_id, word, place) SELECT gen_random_uuid(), '%s', w, n "
	    "FROM unnest('{read:customer,write:customer}'::text[]) "
	    "WITH ORDINALITY AS x (w, n)", other));
	(void)people_ask("INSERT INTO product_scope_grant SELECT c.id, r.id, "
	    "CASE c.word WHEN 'read:customer' THEN 'GET' ELSE 'POST' END "
	    "FROM product_scope c JOIN product_resource r "
	    "ON r.product_id = c.product_id");
	(void)people_ask(arena_fmt(arena, "INSERT INTO subscription (id, "
	    "tenant_id, product_id, one_key, name) VALUES ('%s', '%s', '%s', "
	    "false, 'Studio-KEY')", subscribed, tenant, other));
	(void)people_ask(arena_fmt(arena, "INSERT INTO membership "
	    "(account_id, tenant_id, role, let_in_by) VALUES ('%s', '%s', "
	    "'owner', 'first')", account, tenant));
	(void)people_ask(arena_fmt(arena, "INSERT INTO issued_key (id, "
	    "subscription_id, name, name_folded, maker_id, state) VALUES "
	    "('%s', '%s', 'One', 'one', '%s', 'pending')", issued, subscribed,
	    account));
	(void)people_ask(arena_fmt(arena, "INSERT INTO issued_key_scope "
	    "SELECT '%s', id FROM product_scope WHERE word = 'read:customer'",
	    issued));
	(void)people_ask(arena_fmt(arena, "INSERT INTO subscription_key (id, "
	    "subscription_id, key_id, mac, prefix_mac, mac_version, last4) "
	    "VALUES ('%s', '%s', '%s', '\\x%s', '', 1, '0000')", value,
	    subscribed, issued, mac_hex(coded)));
	cache_told("*");
}

/* Asks with the issued key in its header, and others; NULL: not sent. */
static enum verdict
call_with(struct check *c, const char *method, const char *tenant_name,
    const char *product_slug, const char *environment)
{
	static struct call	 call;

	call_begin(&call, CALL_LINE);
	call_header(&call, "x-api-key", coded);
	if (tenant_name != NULL)
		call_header(&call, "x-tenant-name", tenant_name);
	if (product_slug != NULL)
		call_header(&call, "x-latchkey-product", product_slug);
	if (environment != NULL)
		call_header(&call, "x-latchkey-environment", environment);
	*c = (struct check){ .call = &call, .since = clock_monotonic() };
	c->read = call_read(&call, method, "/customers/7");
	check_run(c, clock_now(), 0);
	if (c->need == CHECK_KEY) {
		gateway_db_key(db, c->hash, c->mac);
		check_run(c, clock_now(), 0);
	}
	assert_int_equal(c->need, CHECK_DONE);
	return (c->verdict);
}

static enum verdict
issued_verdict(void)
{
	struct check	 c;

	return (call_with(&c, "GET", "altaworx", NULL, NULL));
}

static void
test_issued(void **state)
{
	struct check	 c;
	struct denial	 d;
	char		 id[UUID_TEXT], detail[DENIAL_DETAIL];

	(void)state;
	cache_hears();
	issue();
	assert_int_equal(issued_verdict(), VERDICT_KEY_PENDING);
	change("UPDATE issued_key SET state = 'active'");
	assert_int_equal(call_with(&c, "GET", "AltaWorx", "studio", "live"),
	    VERDICT_ALLOWED);
	uuid_write(id, c.key->issued->id);
	assert_string_equal(id, issued);
	assert_string_equal(c.key->issued->words, "read:customer");
	assert_string_equal(c.key->product->environment, "live");
	assert_null(c.user);
	assert_memory_equal(c.scope, "all", 3);
	/* The product's own 200 a minute, and the profile's of each key. */
	assert_int_equal(c.limits.n, 2);
	assert_string_equal(c.limits.rows[1].name, "key-minute");
	assert_int_equal(c.limits.rows[1].quota, 200);
	assert_int_equal(call_with(&c, "POST", "altaworx", NULL, NULL),
	    VERDICT_NOT_PERMITTED);
	d = check_denial(&c, detail);
	assert_string_equal(d.detail, "The call needs scope write:customer, "
	    "which this key does not have.");
	assert_int_equal(call_with(&c, "DELETE", "altaworx", NULL, NULL),
	    VERDICT_NOT_PERMITTED);
	assert_int_equal(c.needs_bytes, 0);
	assert_int_equal(call_with(&c, "GET", NULL, NULL, NULL),
	    VERDICT_MISSING_TENANT);
	d = check_denial(&c, detail);
	assert_non_null(strstr(d.detail, " X-Tenant-Name "));
	assert_int_equal(call_with(&c, "GET", "", NULL, NULL),
	    VERDICT_MISSING_TENANT);
	assert_int_equal(call_with(&c, "GET", "altaworx2", NULL, NULL),
	    VERDICT_WRONG_TENANT);
	assert_int_equal(call_with(&c, "GET", "altaworx", "revio-api", NULL),
	    VERDICT_NOT_PERMITTED);
	assert_int_equal(call_with(&c, "GET", "altaworx", "studio", "test"),
	    VERDICT_WRONG_ENVIRONMENT);
	d = check_denial(&c, detail);
	assert_string_equal(d.detail,
	    "This key is of the environment live.");
}

static void
test_issued_changes(void **state)
{
	struct check	 c;

	(void)state;
	cache_hears();
	change("UPDATE issued_key SET state = 'inactive'");
	assert_int_equal(issued_verdict(), VERDICT_KEY_INACTIVE);
	change("UPDATE issued_key SET state = 'active', calls_a_minute = 7");
	assert_int_equal(call_with(&c, "GET", "altaworx", NULL, NULL),
	    VERDICT_ALLOWED);
	assert_int_equal(c.limits.rows[1].quota, 7);
	change("UPDATE issued_key SET calls_a_minute = NULL");
	/* What its maker loses, it loses; and its words with it. */
	change("UPDATE membership SET role = 'member'");
	assert_int_equal(call_with(&c, "GET", "altaworx", NULL, NULL),
	    VERDICT_NOT_PERMITTED);
	assert_string_equal(c.key->issued->words, "");
	assert_int_equal(c.needs_bytes, strlen("read:customer"));
	change("UPDATE membership SET role = 'owner'");
	assert_int_equal(issued_verdict(), VERDICT_ALLOWED);
	/* An old value goes on until somebody ends it. */
	change("UPDATE subscription_key SET state = 'old' "
	    "WHERE key_id IS NOT NULL");
	assert_int_equal(issued_verdict(), VERDICT_ALLOWED);
	change("UPDATE product SET profile = 'exchange' "
	    "WHERE slug = 'studio'");
	cache_told("*");
	/* Its keys are for the exchange alone. */
	assert_int_equal(issued_verdict(), VERDICT_UNKNOWN_KEY);
	change("UPDATE product SET profile = 'support-issued' "
	    "WHERE slug = 'studio'");
	cache_told("*");
	assert_int_equal(call_with(&c, "GET", NULL, NULL, NULL),
	    VERDICT_ALLOWED);
	change("UPDATE issued_key SET expires_at = now()");
	assert_int_equal(issued_verdict(), VERDICT_KEY_EXPIRED);
	change("UPDATE issued_key SET expires_at = NULL");
	change("UPDATE subscription_key SET state = 'ended', ends_at = now() "
	    "WHERE key_id IS NOT NULL");
	assert_int_equal(issued_verdict(), VERDICT_UNKNOWN_KEY);
	/* Whose values are known as those of a revoked key says so. */
	change("UPDATE issued_key SET state = 'revoked'");
	assert_int_equal(issued_verdict(), VERDICT_KEY_REVOKED);
}

static void
from_there(void *arg, struct meter_cell *c)
{
	c->family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, arg, c->address), 1);
}

/* Last used is told of the value and of the key. */
static void
test_issued_used(void **state)
{
	struct meter_cell	 cell = { .outcome = VERDICT_ALLOWED };
	char			 id[UUID_TEXT];

	(void)state;
	(void)snprintf(id, sizeof(id), "%s", people_ask("SELECT id FROM "
	    "subscription_key WHERE key_id IS NOT NULL"));
	assert_true(uuid_read(cell.key, id));
	meter_add(&cell, clock_now(), from_there,
	    (void *)(uintptr_t)"192.0.2.77");
	assert_int_not_equal(meter_db_flush(db), 0);
	assert_string_equal(people_ask("SELECT host(last_used_address) FROM "
	    "issued_key WHERE last_used_at > now() - interval '1 minute'"),
	    "192.0.2.77");
}

static void
test_profiles_read(void **state)
{
	const struct keyway_row	*row;

	(void)state;
	change("UPDATE product SET profile = 'partner-key' "
	    "WHERE slug = 'studio'");
	keyway_db_read(db);
	row = keyway_of("studio", 0, NULL);
	assert_int_equal(row->missing_status, 403);
	assert_string_equal(keyway_name_text(row->key), "X-Api-Key");
	assert_string_equal(row->letters, "pk");
	assert_true(keyway_of("revio-api", 0, NULL)->is_pair);
	assert_null(keyway_of(NULL, 0, NULL));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_issued),
		cmocka_unit_test(test_issued_changes),
		cmocka_unit_test(test_issued_used),
		cmocka_unit_test(test_profiles_read),
	};

	return (cmocka_run_group_tests(tests, begin, end));
}
