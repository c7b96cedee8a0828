/*
 * The check against a real PostgreSQL (LATCHKEY_TEST_DATABASE_URL): what the
 * database says of keys and API users becomes verdicts.
 */
#include "accounts/people.h"
#include "base/clock.h"
#include "gateway/gateway.h"
#include "gateway/meter.h"

#include <arpa/inet.h>

#define KEY	"0123456789abcdef0123456789abcdef"
#define OLD	"fedcba9876543210fedcba9876543210"
#define PASS	"correct horse"

static char	 tenant[UUID_TEXT], product[UUID_TEXT], subscription[UUID_TEXT];
static char	 user[UUID_TEXT], account[UUID_TEXT];

static const char *
mac_hex(const char *purpose, const char *text)
{
	unsigned char	 mac[SHA256_BYTES];
	char		*hex = arena_alloc(arena, 2 * SHA256_BYTES + 1);

	assert_true(keyring_hmac(vault, purpose, 0, text, strlen(text), mac));
	hex_encode(hex, mac, sizeof(mac));
	return (hex);
}

static void
key_add(const char *key, const char *slot, const char *more)
{
	char	 id[UUID_TEXT];

	uuid_make(id);
	(void)people_ask(arena_fmt(arena, "INSERT INTO subscription_key (id, "
	    "subscription_id, slot, sealed, mac, prefix_mac, mac_version, "
	    "last4, created_by) VALUES ('%s', '%s', '%s', '', '\\x%s', '', 1, "
	    "'0000', '%s')", id, subscription, slot,
	    mac_hex("subscription-key", key), account));
	if (more != NULL)
		(void)people_ask(arena_fmt(arena, "UPDATE subscription_key "
		    "SET %s WHERE id = '%s'", more, id));
}

static void
password_add(const char *password)
{
	char	 id[UUID_TEXT];

	uuid_make(id);
	(void)people_ask(arena_fmt(arena, "INSERT INTO api_user_password (id, "
	    "api_user_id, mac, mac_version, created_by) VALUES ('%s', '%s', "
	    "'\\x%s', 1, '%s')", id, user, mac_hex("api-user-password",
	    arena_fmt(arena, "%s:%s", user, password)), account));
}

static int
begin(void **state)
{
	(void)people_setup(state);
	uuid_make(tenant);
	uuid_make(product);
	uuid_make(subscription);
	uuid_make(user);
	uuid_make(account);
	(void)people_ask(arena_fmt(arena, "INSERT INTO account (id, kind, "
	    "password_hash) VALUES ('%s', 'contact', 'x')", account));
	(void)people_ask(arena_fmt(arena, "INSERT INTO tenant (id, code, name, "
	    "name_folded, slug) VALUES ('%s', 'ALTWORX', 'Altaworx', "
	    "'altaworx', 'altaworx')", tenant));
	(void)people_ask(arena_fmt(arena, "INSERT INTO product (id, slug, "
	    "name) VALUES ('%s', 'revio-api', 'Rev.io API')", product));
	(void)people_ask(arena_fmt(arena, "INSERT INTO product_resource "
	    "(product_id, place, name, path, operations) VALUES ('%s', 1, "
	    "'Contacts', '/contacts', '{GET,DELETE}')", product));
	(void)people_ask(arena_fmt(arena, "INSERT INTO subscription (id, "
	    "tenant_id, product_id, one_key, name) VALUES ('%s', '%s', '%s', "
	    "true, 'Altaworx-KEY')", subscription, tenant, product));
	(void)people_ask(arena_fmt(arena, "INSERT INTO api_user (id, "
	    "tenant_id, username, vendor, vendor_folded, integration, "
	    "created_by) VALUES ('%s', '%s', 'FORTAPI', 'Fort', 'fort', 'x', "
	    "'%s')", user, tenant, account));
	(void)people_ask(arena_fmt(arena, "INSERT INTO api_user_role "
	    "(api_user_id, role_id, tenant_id) SELECT '%s', id, tenant_id "
	    "FROM api_role WHERE tenant_id = '%s' AND preset = 'read-only'",
	    user, tenant));
	key_add(KEY, "primary", NULL);
	password_add(PASS);
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

/* Asks as the gateway does, reading what is asked for; how often it read. */
static unsigned
ask(struct check *c, const char *key, const char *login, const char *method,
    const char *target)
{
	static struct call	 call;
	struct call		*in = &call;
	char			*basic = NULL;
	unsigned		 reads = 0;

	call_begin(in, CALL_LINE);
	if (key != NULL)
		call_header(in, "ocp-apim-subscription-key", key);
	*c = (struct check){ .call = in, .since = clock_monotonic() };
	c->read = call_read(in, method, target);
	if (login != NULL) {
		basic = strchr(login, ':');
		in->user_kind = CALL_USER_GIVEN;
		(void)snprintf(in->user, sizeof(in->user), "%.*s",
		    (int)(basic - login), login);
		(void)snprintf(in->password, sizeof(in->password), "%s",
		    basic + 1);
	}
	for (;;) {
		check_run(c, clock_now(), 0);
		switch (c->need) {
		case CHECK_DONE:
			return (reads);
		case CHECK_KEY:
			gateway_db_key(db, c->hash, c->mac);
			break;
		case CHECK_USER:
			gateway_db_user(db, &c->user_key);
			break;
		case CHECK_TOKEN:
		case CHECK_LIMITS:
			fail();
		}
		assert_true(++reads <= 2);
	}
}

#define LOGIN	"FORTAPI@ALTWORX:" PASS

static enum verdict
verdict(const char *key, const char *login)
{
	struct check	 c;

	(void)ask(&c, key, login, "GET", "/contacts/7");
	return (c.verdict);
}

/* The tools have no ear: a test says itself what a trigger tells. */
static void
change(const char *sql)
{
	(void)people_ask(sql);
	cache_told(tenant);
}

static void
test_allowed(void **state)
{
	struct check	 c;
	char		 id[UUID_TEXT];

	(void)state;
	cache_hears();
	assert_int_equal(ask(&c, KEY, LOGIN, "GET", "/contacts/7"), 2);
	assert_int_equal(c.verdict, VERDICT_ALLOWED);
	assert_string_equal(c.key->code, "ALTWORX");
	assert_string_equal(c.key->product->slug, "revio-api");
	uuid_write(id, c.key->subscription);
	assert_string_equal(id, subscription);
	assert_string_equal(c.user->name, "FORTAPI");
	assert_int_equal(c.scope_bytes, 3);
	assert_memory_equal(c.scope, "all", 3);
	/* From now on nobody is asked. */
	assert_int_equal(ask(&c, KEY, LOGIN, "GET", "/contacts/7"), 0);
	assert_int_equal(c.verdict, VERDICT_ALLOWED);
	assert_int_equal(ask(&c, KEY, LOGIN, "DELETE", "/contacts/7"), 0);
	assert_int_equal(c.verdict, VERDICT_NOT_PERMITTED);
	assert_int_equal(ask(&c, KEY, LOGIN, "GET", "/contacts/../x"), 0);
	assert_int_equal(c.verdict, VERDICT_NOT_PERMITTED);
	assert_int_equal(ask(&c, KEY, NULL, "GET", "/contacts"), 0);
	assert_int_equal(c.verdict, VERDICT_MISSING_API_USER);
	assert_int_equal(ask(&c, KEY, LOGIN "!", "GET", "/contacts"), 0);
	assert_int_equal(c.verdict, VERDICT_BAD_API_USER);
}

static void
test_absent(void **state)
{
	struct check	 c;

	(void)state;
	cache_hears();
	assert_int_equal(ask(&c, OLD, LOGIN, "GET", "/"), 1);
	assert_int_equal(c.verdict, VERDICT_UNKNOWN_KEY);
	assert_int_equal(ask(&c, OLD, LOGIN, "GET", "/"), 0);
	assert_int_equal(c.verdict, VERDICT_UNKNOWN_KEY);
	(void)verdict(KEY, LOGIN);
	assert_int_equal(ask(&c, KEY, "NOBODY@ALTWORX:x", "GET", "/"), 1);
	assert_int_equal(c.verdict, VERDICT_BAD_API_USER);
	assert_int_equal(ask(&c, KEY, "NOBODY@ALTWORX:x", "GET", "/"), 0);
	assert_int_equal(verdict(KEY, "FORTAPI@OTHER:" PASS),
	    VERDICT_BAD_API_USER);
	assert_int_equal(verdict(NULL, LOGIN), VERDICT_MISSING_KEY);
}

static void
test_changes(void **state)
{
	(void)state;
	cache_hears();
	assert_int_equal(verdict(KEY, LOGIN), VERDICT_ALLOWED);
	change("UPDATE api_user SET state = 'disabled'");
	assert_int_equal(verdict(KEY, LOGIN), VERDICT_API_USER_DISABLED);
	change("UPDATE api_user SET state = 'enabled'");
	assert_int_equal(verdict(KEY, LOGIN), VERDICT_ALLOWED);
	change("UPDATE api_user SET expires_at = now()");
	assert_int_equal(verdict(KEY, LOGIN), VERDICT_API_USER_DISABLED);
	change("UPDATE api_user SET expires_at = NULL");
	change("DELETE FROM api_role_grant WHERE operation = 'GET'");
	assert_int_equal(verdict(KEY, LOGIN), VERDICT_NOT_PERMITTED);
	change("INSERT INTO api_role_grant (role_id, tenant_id, resource_id, "
	    "operation) SELECT r.id, r.tenant_id, p.id, 'GET' FROM api_role r,"
	    " product_resource p WHERE r.preset = 'read-only'");
	assert_int_equal(verdict(KEY, LOGIN), VERDICT_ALLOWED);
}

/* An old password goes on until its time, as an old key does. */
static void
test_overlap(void **state)
{
	(void)state;
	cache_hears();
	change("UPDATE api_user_password SET state = 'old', ends_at = now() + "
	    "interval '1 hour' WHERE state = 'current'");
	password_add("new password");
	cache_told(tenant);
	assert_int_equal(verdict(KEY, LOGIN), VERDICT_ALLOWED);
	assert_int_equal(verdict(KEY, "FORTAPI@ALTWORX:new password"),
	    VERDICT_ALLOWED);
	change("UPDATE api_user_password SET ends_at = now() WHERE "
	    "state = 'old'");
	assert_int_equal(verdict(KEY, LOGIN), VERDICT_BAD_API_USER);
	assert_int_equal(verdict(KEY, "FORTAPI@ALTWORX:new password"),
	    VERDICT_ALLOWED);
}

/* What the client has instead of the product's plan, and what was counted
 * before this portal was started. */
static void
test_limits(void **state)
{
	const char	*right = "FORTAPI@ALTWORX:new password";
	struct check	 c;
	int		 i;

	(void)state;
	cache_hears();
	change("UPDATE product SET calls_a_second = 1000, calls_a_day = 5000, "
	    "calls_a_month = 90000");
	change("UPDATE tenant SET calls_a_second = 900, calls_a_day = 12, "
	    "user_calls_a_minute = 20, all_calls_a_minute = 300, "
	    "all_calls_a_day = 3000");
	change(arena_fmt(arena, "INSERT INTO usage_count VALUES ('%s', "
	    "(now() AT TIME ZONE 'UTC')::date, 9, date_trunc('month', "
	    "now() AT TIME ZONE 'UTC')::date, 19)", subscription));
	cache_told("*");
	(void)ask(&c, KEY, right, "GET", "/contacts");
	assert_int_equal(c.verdict, VERDICT_ALLOWED);
	assert_int_equal(c.limits.n, 7);
	assert_int_equal(c.limits.rows[0].quota, 900);
	assert_int_equal(c.limits.rows[1].quota, 200);
	assert_int_equal(c.limits.rows[2].quota, 12);
	assert_int_equal(c.limits.rows[2].left, 2);
	assert_int_equal(c.limits.rows[3].left, 90000 - 20);
	assert_int_equal(c.limits.rows[4].quota, 20);
	assert_int_equal(c.limits.rows[5].quota, 300);
	assert_int_equal(c.limits.rows[6].quota, 3000);
	/* A refusal for another reason is no call. */
	for (i = 0; i < 5; i++)
		assert_int_equal(verdict(KEY, NULL),
		    VERDICT_MISSING_API_USER);
	assert_int_equal(verdict(KEY, right), VERDICT_ALLOWED);
	assert_int_equal(verdict(KEY, right), VERDICT_ALLOWED);
	assert_int_equal(verdict(KEY, right), VERDICT_QUOTA_EXCEEDED);
	/* Read again, it is not forgotten; and the plan counts at once. */
	cache_told("*");
	assert_int_equal(verdict(KEY, right), VERDICT_QUOTA_EXCEEDED);
	change("UPDATE tenant SET calls_a_day = NULL, "
	    "user_calls_a_minute = NULL");
	cache_told("*");
	assert_int_equal(verdict(KEY, right), VERDICT_ALLOWED);
	change("UPDATE tenant SET all_calls_a_minute = 1");
	cache_told("*");
	assert_int_equal(verdict(KEY, right), VERDICT_RATE_LIMITED);
	change("UPDATE tenant SET all_calls_a_minute = NULL, "
	    "all_calls_a_day = NULL, calls_a_second = NULL");
	change("UPDATE product SET calls_a_second = NULL, calls_a_day = NULL, "
	    "calls_a_month = NULL");
	cache_told("*");
}

static void
from_there(void *arg, struct meter_cell *c)
{
	c->family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, arg, c->address), 1);
}

static void
called(enum verdict outcome, bool with_user, int64_t at, const char *address)
{
	struct meter_cell	 cell = { .outcome = (uint8_t)outcome };
	char			 key_id[UUID_TEXT];

	if (outcome != VERDICT_UNKNOWN_KEY) {
		(void)snprintf(key_id, sizeof(key_id), "%s", people_ask(
		    "SELECT id FROM subscription_key WHERE slot = 'primary'"));
		assert_true(uuid_read(cell.key, key_id));
		assert_true(uuid_read(cell.subscription, subscription));
		cell.has_quota = true;
	}
	if (with_user)
		assert_true(uuid_read(cell.user, user));
	meter_add(&cell, at, from_there, (void *)(uintptr_t)address);
}

/* What was called is written once, however often it is sent. */
static void
test_usage(void **state)
{
	int64_t		 now = clock_now();
	const char	*rows;
	uint64_t	 batch;
	int		 i;
	static struct meter_cell	 cells[METER_BATCH];
	static uint32_t			 calls[METER_BATCH];

	(void)state;
	(void)people_ask("DELETE FROM usage_count");
	assert_int_equal(meter_db_flush(db), 0);
	for (i = 0; i < 5; i++)
		called(VERDICT_ALLOWED, true, now, "192.0.2.7");
	called(VERDICT_RATE_LIMITED, true, now, "192.0.2.7");
	called(VERDICT_MISSING_API_USER, false, now, "192.0.2.7");
	called(VERDICT_UNKNOWN_KEY, false, now, "192.0.2.8");
	called(VERDICT_ALLOWED, true, now - 40 * DAY_US, "192.0.2.9");
	assert_int_not_equal(meter_db_flush(db), 0);
	assert_int_equal(meter_db_flush(db), 0);
	rows = people_ask("SELECT string_agg(outcome || ' ' || calls, ', ' "
	    "ORDER BY outcome, calls) FROM usage_hour");
	assert_string_equal(rows, "allowed 1, allowed 5, missing_api_user 1, "
	    "rate_limited 1, unknown_key 1");
	assert_string_equal(people_ask("SELECT sum(calls) FROM usage_day"),
	    "9");
	assert_string_equal(people_ask("SELECT day_calls || ' ' || "
	    "month_calls FROM usage_count"), "5 5");
	assert_string_equal(people_ask("SELECT string_agg(host("
	    "last_used_address), ', ') FROM subscription_key"), "192.0.2.7");
	assert_string_equal(people_ask("SELECT host(last_used_address) FROM "
	    "api_user WHERE last_used_at > now() - interval '1 minute'"),
	    "192.0.2.7");
	/* Sent by one who died before he knew of it. */
	called(VERDICT_ALLOWED, true, now, "192.0.2.7");
	assert_int_equal(meter_take(cells, calls, &batch), 1);
	(void)people_ask(arena_fmt(arena, "UPDATE usage_flush SET batch = %d",
	    (int)batch));
	assert_int_not_equal(meter_db_flush(db), 0);
	assert_true(meter_settled());
	assert_string_equal(people_ask("SELECT sum(calls) FROM usage_day"),
	    "9");
	/* More days of one subscription in a batch; a late one of the past. */
	called(VERDICT_ALLOWED, true, now - 40 * DAY_US, "192.0.2.9");
	assert_int_not_equal(meter_db_flush(db), 0);
	assert_string_equal(people_ask("SELECT day_calls || ' ' || "
	    "month_calls FROM usage_count"), "5 5");
}

static void
test_subscription(void **state)
{
	const char	*right = "FORTAPI@ALTWORX:new password";

	(void)state;
	cache_hears();
	key_add(OLD, "secondary", NULL);
	cache_told("*");
	change("UPDATE product SET calls_a_minute = 100000000");
	cache_told("*");
	assert_int_equal(verdict(OLD, right), VERDICT_ALLOWED);
	change("UPDATE subscription SET expires_at = now() + "
	    "interval '300 milliseconds'");
	while (verdict(OLD, right) == VERDICT_ALLOWED)
		continue;	/* by its own clock, told by nobody */
	assert_int_equal(verdict(OLD, right), VERDICT_EXPIRED);
	assert_int_equal(verdict(OLD, NULL), VERDICT_EXPIRED);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_subscription),
	};

	return (cmocka_run_group_tests(tests, begin, end));
}
