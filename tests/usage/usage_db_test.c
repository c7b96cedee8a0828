/*
 * What pages say of calls, against a real PostgreSQL
 * (LATCHKEY_TEST_DATABASE_URL).
 */
#include "accounts/people.h"
#include "base/clock.h"
#include "usage/usage.h"

static char	 tenant[UUID_TEXT], other[UUID_TEXT], product[UUID_TEXT];
static char	 subscription[UUID_TEXT], theirs[UUID_TEXT], user[UUID_TEXT];

static void
client_add(char id[UUID_TEXT], char sub_id[UUID_TEXT], const char *code,
    const char *name)
{
	uuid_make(id);
	uuid_make(sub_id);
	(void)people_ask(arena_fmt(arena, "INSERT INTO tenant (id, code, name, "
	    "name_folded, slug) VALUES ('%s', '%s', '%s', lower('%s'), "
	    "lower('%s'))", id, code, name, name, code));
	(void)people_ask(arena_fmt(arena, "INSERT INTO subscription (id, "
	    "tenant_id, product_id, one_key, name, created_at) VALUES ('%s', "
	    "'%s', '%s', true, '-%s-KEY', now() - interval '90 days')",
	    sub_id, id, product, name));
}

static void
called(const char *sub_id, const char *user_id, const char *ago,
    const char *outcome, int calls)
{
	(void)people_ask(arena_fmt(arena, "INSERT INTO usage_hour VALUES ("
	    "'%s', date_trunc('hour', now() - interval '%s'), '%s', '%s', %d)",
	    sub_id, ago, user_id, outcome, calls));
	(void)people_ask(arena_fmt(arena, "INSERT INTO usage_day VALUES ("
	    "'%s', ((now() - interval '%s') AT TIME ZONE 'UTC')::date, '%s', "
	    "'%s', %d)", sub_id, ago, user_id, outcome, calls));
}

static int
begin(void **state)
{
	static const char	 nobody[] =
				    "00000000-0000-0000-0000-000000000000";

	(void)people_setup(state);
	uuid_make(product);
	uuid_make(user);
	(void)people_ask(arena_fmt(arena, "INSERT INTO product (id, slug, "
	    "name, calls_a_day, calls_a_month) VALUES ('%s', 'revio-api', "
	    "'Rev.io API', 1000, 9000)", product));
	client_add(tenant, subscription, "ALTWORX", "Altaworx");
	client_add(other, theirs, "OTHER", "Other");
	(void)people_ask(arena_fmt(arena, "INSERT INTO account (id, kind, "
	    "password_hash) VALUES ('%s', 'contact', 'x')", user));
	(void)people_ask(arena_fmt(arena, "INSERT INTO api_user (id, "
	    "tenant_id, username, vendor, vendor_folded, integration, "
	    "created_by) VALUES ('%s', '%s', 'FORTAPI', 'Fort', 'fort', 'x', "
	    "'%s')", user, tenant, user));
	called(subscription, user, "0", "allowed", 40);
	called(subscription, nobody, "0", "missing_api_user", 3);
	called(subscription, user, "5 days", "allowed", 7);
	called(subscription, user, "5 days", "rate_limited", 2);
	called(subscription, user, "100 days", "allowed", 1000);
	called(theirs, nobody, "0", "allowed", 500);
	called(nobody, nobody, "0", "unknown_key", 9);
	return (0);
}

static int64_t
sum(const struct usage_bars *bars, bool refused)
{
	int64_t	 n = 0;
	int	 i;

	for (i = 0; i < bars->n; i++)
		n += refused ? bars->list[i].refused : bars->list[i].allowed;
	return (n);
}

static void
test_bars(void **state)
{
	static const struct {
		int		 n;
		int64_t		 allowed, refused;
	} want[] = { { 24, 40, 3 }, { 7, 47, 5 }, { 30, 47, 5 },
		{ 12, 1047, 5 } };
	struct usage_bars	 bars;
	size_t			 i;
	int			 k;

	(void)state;
	for (i = 0; i < COUNT(usage_spans); i++) {
		bars = usage_db_bars(db, tenant, NULL, &usage_spans[i]);
		assert_int_equal(bars.n, want[i].n);
		assert_int_equal(sum(&bars, false), want[i].allowed);
		assert_int_equal(sum(&bars, true), want[i].refused);
		assert_int_equal(bars.list[bars.n - 1].refused >= 3, 1);
		for (k = 1; k < bars.n; k++)
			assert_true(bars.list[k].at > bars.list[k - 1].at);
	}
	assert_ptr_equal(usage_span("7d"), &usage_spans[1]);
	assert_ptr_equal(usage_span("9d"), &usage_spans[2]);
	assert_ptr_equal(usage_span(NULL), &usage_spans[2]);
}

static void
test_parts(void **state)
{
	struct usage_parts	 parts;
	struct usage_bars	 bars;

	(void)state;
	parts = usage_db_users(db, tenant, usage_span("30d"));
	assert_int_equal(parts.n, 2);
	assert_string_equal(parts.list[0].name, "FORTAPI");
	assert_int_equal(parts.list[0].allowed, 47);
	assert_int_equal(parts.list[0].refused, 2);
	assert_string_equal(parts.list[1].name, "");
	parts = usage_db_users(db, tenant, usage_span("24h"));
	assert_int_equal(parts.list[0].allowed, 40);
	parts = usage_db_outcomes(db, tenant, NULL, usage_span("30d"));
	assert_int_equal(parts.n, 2);
	assert_string_equal(parts.list[0].name, "missing_api_user");
	assert_string_equal(usage_words(parts.list[1].name),
	    "Too many at once");
	parts = usage_db_outcomes(db, tenant, NULL, usage_span("24h"));
	assert_int_equal(parts.n, 1);
	/* Of one API user. */
	bars = usage_db_bars(db, tenant, user, usage_span("24h"));
	assert_int_equal(bars.n, 24);
	assert_int_equal(sum(&bars, false), 40);
	assert_int_equal(sum(&bars, true), 0);
	bars = usage_db_bars(db, tenant, user, usage_span("30d"));
	assert_int_equal(bars.n, 30);
	assert_int_equal(sum(&bars, false), 47);
	assert_int_equal(sum(&bars, true), 2);
	bars = usage_db_bars(db, other, user, usage_span("30d"));
	assert_int_equal(sum(&bars, false), 0);
	parts = usage_db_outcomes(db, tenant, user, usage_span("30d"));
	assert_int_equal(parts.n, 1);
	assert_string_equal(parts.list[0].name, "rate_limited");
	assert_int_equal(parts.list[0].refused, 2);
	parts = usage_db_outcomes(db, tenant, user, usage_span("24h"));
	assert_int_equal(parts.n, 0);
	parts = usage_db_refusals(db);
	assert_int_equal(parts.n, 3);
	assert_string_equal(parts.list[0].name, "unknown_key");
}

static void
test_quotas(void **state)
{
	struct usage_quotas	 quotas;

	(void)state;
	(void)people_ask(arena_fmt(arena, "INSERT INTO usage_count VALUES "
	    "('%s', (now() AT TIME ZONE 'UTC')::date - 1, 55, date_trunc("
	    "'month', now() AT TIME ZONE 'UTC')::date, 66)", subscription));
	(void)people_ask(arena_fmt(arena, "UPDATE tenant SET calls_a_month = "
	    "70 WHERE id = '%s'", tenant));
	quotas = usage_db_quotas(db, tenant);
	assert_int_equal(quotas.n, 1);
	assert_int_equal(quotas.list[0].day, 1000);
	assert_int_equal(quotas.list[0].day_calls, 0);
	assert_int_equal(quotas.list[0].month, 70);
	assert_int_equal(quotas.list[0].month_calls, 66);
}

static void
test_export(void **state)
{
	const char	*text;

	(void)state;
	text = buf_text(usage_db_export(db, tenant, usage_span("7d")));
	assert_non_null(strstr(text,
	    "time,subscription,api_user,outcome,calls\r\n"));
	/* A name that a spreadsheet would take for a formula. */
	assert_non_null(strstr(text,
	    ",\"'-Altaworx-KEY\",FORTAPI,allowed,40\r\n"));
	assert_null(strstr(text, "Other"));
	text = buf_text(usage_db_export(db, tenant, usage_span("24h")));
	assert_non_null(strstr(text, ":00Z,\"'-Altaworx-KEY\",,"
	    "missing_api_user,3\r\n"));
	assert_null(strstr(text, "rate_limited"));
}

static void
test_staff(void **state)
{
	struct usage_clients	 clients;

	(void)state;
	(void)people_ask(arena_fmt(arena, "INSERT INTO usage_count VALUES "
	    "('%s', (now() AT TIME ZONE 'UTC')::date, 500, date_trunc("
	    "'month', now() AT TIME ZONE 'UTC')::date, 500)", theirs));
	clients = usage_db_top(db, NULL, NULL);
	assert_int_equal(clients.n, 2);
	assert_string_equal(clients.list[0].code, "OTHER");
	assert_int_equal(clients.list[0].allowed, 500);
	assert_int_equal(clients.list[0].refused, 0);
	assert_int_equal(clients.list[1].allowed, 66);
	assert_true(clients.list[1].refused >= 3);
	assert_string_equal(clients.next_after, "");
	clients = usage_db_unused(db, NULL);
	assert_int_equal(clients.n, 2);
	assert_int_equal(clients.list[0].used_at, 0);
	assert_string_equal(clients.next_after, "");
}

/* With 120 more, each is on one page and in the order that is promised. */
static void
test_staff_pages(void **state)
{
	struct usage_clients	 page;
	const char		*calls = NULL, *after = NULL, *last = "";
	int64_t			 before = INT64_MAX;
	char			 number[24];
	int			 n = 0, pages = 0, i;

	(void)state;
	(void)people_ask(arena_fmt(arena, "WITH t AS (INSERT INTO tenant (id, "
	    "code, name, name_folded, slug) SELECT gen_random_uuid(), "
	    "'PAGE' || n, 'Page ' || n, 'page ' || n, 'page-' || n "
	    "FROM generate_series(1, 120) AS n RETURNING id, code), "
	    "s AS (INSERT INTO subscription (id, tenant_id, product_id, "
	    "one_key, name, created_at) SELECT gen_random_uuid(), t.id, '%s', "
	    "true, t.code || '-KEY', now() - interval '90 days' FROM t "
	    "RETURNING id) INSERT INTO usage_count SELECT s.id, "
	    "(now() AT TIME ZONE 'UTC')::date, 1, date_trunc('month', "
	    "now() AT TIME ZONE 'UTC')::date, 7 + row_number() OVER () / 10 "
	    "FROM s", product));
	do {
		page = usage_db_top(db, calls, after);
		for (i = 0; i < page.n; i++) {
			assert_true(page.list[i].allowed < before ||
			    (page.list[i].allowed == before && strcmp(
			    page.list[i].subscription, last) < 0));
			before = page.list[i].allowed;
			last = page.list[i].subscription;
		}
		n += page.n;
		(void)snprintf(number, sizeof(number), "%lld",
		    (long long)page.next_calls);
		calls = number;
		after = page.next_after;
		assert_true(++pages <= 3);
	} while (*after != '\0');
	assert_int_equal(n, 122);
	after = NULL;
	last = "";
	n = pages = 0;
	do {
		page = usage_db_unused(db, after);
		for (i = 0; i < page.n; i++) {
			assert_true(strcmp(page.list[i].subscription, last) > 0);
			last = page.list[i].subscription;
		}
		n += page.n;
		after = page.next_after;
		assert_true(++pages <= 3);
	} while (*after != '\0');
	assert_int_equal(n, 122);
}

/* The next page is told of where 2,000 were looked at and all were used. */
static void
test_staff_looks_on(void **state)
{
	struct usage_clients	 page;

	(void)state;
	/* Nobody is told of so many: triggers rest. */
	(void)people_ask("ALTER TABLE tenant DISABLE TRIGGER USER");
	(void)people_ask("ALTER TABLE subscription DISABLE TRIGGER USER");
	(void)people_ask("UPDATE subscription SET created_at = now()");
	(void)people_ask(arena_fmt(arena, "WITH t AS (INSERT INTO tenant (id, "
	    "code, name, name_folded, slug) SELECT gen_random_uuid(), "
	    "'MANY' || n, 'Many ' || n, 'many ' || n, 'many-' || n "
	    "FROM generate_series(1, 2000) AS n RETURNING id, code) "
	    "INSERT INTO subscription (id, tenant_id, product_id, one_key, "
	    "name) SELECT gen_random_uuid(), t.id, '%s', true, t.code || "
	    "'-KEY' FROM t", product));
	(void)people_ask("UPDATE subscription SET created_at = now() - "
	    "interval '90 days' WHERE id = (SELECT id FROM subscription "
	    "ORDER BY id DESC LIMIT 1)");
	(void)people_ask("ALTER TABLE tenant ENABLE TRIGGER USER");
	(void)people_ask("ALTER TABLE subscription ENABLE TRIGGER USER");
	page = usage_db_unused(db, NULL);
	assert_int_equal(page.n, 0);
	assert_true(uuid_shaped(page.next_after));
	page = usage_db_unused(db, page.next_after);
	assert_int_equal(page.n, 1);
	assert_string_equal(page.next_after, "");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_quotas),
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_staff),
		cmocka_unit_test(test_staff_pages),
		cmocka_unit_test(test_staff_looks_on),
	};

	return (cmocka_run_group_tests(tests, begin, people_teardown));
}
