/*
 * Every job on a real PostgreSQL (LATCHKEY_TEST_COURIER_URL, with the courier's
 * rights): done when due, not before, and once.
 */
#include "jobs/job.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define T	"0189bbbb-0000-7000-8000-000000000001"	/* tenant */
#define P	"0189bbbb-0000-7000-8000-000000000002"	/* product */
#define ADA	"0189bbbb-0000-7000-8000-00000000000a"	/* owner */
#define BOB	"0189bbbb-0000-7000-8000-00000000000b"	/* member */
#define TOM	"0189bbbb-0000-7000-8000-00000000000c"	/* staff */
#define ANN	"0189bbbb-0000-7000-8000-00000000000d"	/* admin */

static struct arena	*arena;
static struct db	*courier, *owner;

static void
on_fail(void *arg, enum db_failure kind, const char *why)
{
	(void)arg;
	fail_msg("database failed with %d: %s", (int)kind, why);
}

static struct db *
connect_as(const char *variable)
{
	const char	*url = getenv(variable), *why = "not set";
	struct db	*db = NULL;

	if (url != NULL)
		db = db_open(url, "jobs_db_test", arena, on_fail, NULL, &why);
	if (db == NULL)
		fail_msg("%s: %s", variable, why);
	return (db);
}

static const struct db_rows *
sql(const char *text)
{
	struct db_query	*query = arena_alloc(arena, sizeof(*query));

	*query = (struct db_query){ "", text };
	return (db_read(owner, query, DB_NONE));
}

static int64_t
count(const char *from)
{
	return (db_number(sql(arena_fmt(arena, "SELECT count(*) FROM %s",
	    from)), 0, 0));
}

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(16u << 20, NULL, NULL);
	courier = connect_as("LATCHKEY_TEST_COURIER_URL");
	owner = connect_as("LATCHKEY_TEST_OWNER_URL");
	(void)sql("INSERT INTO account (id, kind, staff_role, password_hash)"
	    " VALUES ('" ADA "', 'contact', NULL, 'x'),"
	    " ('" BOB "', 'contact', NULL, 'x'),"
	    " ('" TOM "', 'staff', 'staff', 'x'),"
	    " ('" ANN "', 'staff', 'admin', 'x')");
	(void)sql("INSERT INTO person (account_id, email, email_folded,"
	    " email_domain, name, client) SELECT id, id || '@a', id || '@a',"
	    " 'a', 'Ada', 'Altaworx Inc' FROM account");
	(void)sql("INSERT INTO tenant (id, code, name, name_folded, slug)"
	    " VALUES ('" T "', 'ALTWORX', 'Altaworx', 'altaworx', 'altaworx')");
	(void)sql("INSERT INTO membership (account_id, tenant_id, role,"
	    " let_in_by) VALUES ('" ADA "', '" T "', 'owner', 'first'),"
	    " ('" BOB "', '" T "', 'member', 'domain')");
	(void)sql("INSERT INTO product (id, slug, name)"
	    " VALUES ('" P "', 'p', 'Rev.io API')");
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	db_close(courier);
	db_close(owner);
	arena_free(arena);
	return (0);
}

static int
empty(void **state)
{
	(void)state;
	(void)sql("DELETE FROM outbox");
	(void)sql("DELETE FROM notice");
	(void)sql("DELETE FROM job");
	(void)sql("TRUNCATE request CASCADE");
	(void)sql("DELETE FROM subscription_change");
	(void)sql("DELETE FROM subscription");
	return (0);
}

static void
test_subscription_expires(void **state)
{
	const struct db_rows	*rows;

	(void)state;
	(void)sql("INSERT INTO subscription (id, tenant_id, product_id,"
	    " environment, one_key, name, state, expires_at)"
	    " SELECT gen_random_uuid(), '" T "', '" P "', e, true, n, s, t"
	    " FROM (VALUES ('live', 'Due-KEY', 'active', now() - interval '1 s'),"
	    " ('test', 'Held-KEY', 'suspended', now() - interval '1 h'),"
	    " ('next', 'Later-KEY', 'active', now() + interval '1 h'),"
	    " ('none', 'Never-KEY', 'active', NULL)) AS v (e, n, s, t)");
	jobs_run(courier);
	assert_int_equal(count("subscription WHERE state = 'expired'"
	    " AND ended_at IS NOT NULL AND name IN ('Due-KEY', 'Held-KEY')"),
	    2);
	assert_int_equal(count("subscription WHERE state = 'active'"), 2);
	assert_int_equal(count("audit WHERE action = 'subscription.expired'"
	    " AND actor_kind = 'system' AND tenant_id = '" T "'"), 2);
	assert_int_equal(count("subscription_change"
	    " WHERE what = 'expired' AND account_id IS NULL"), 2);
	/* All contacts are told, and the client's address for notices. */
	rows = sql("SELECT account_id, params->>'client', params->>'product'"
	    " FROM outbox WHERE kind = 'subscription_expired'"
	    " AND params->>'subscription_name' = 'Due-KEY'"
	    " ORDER BY account_id");
	assert_int_equal(rows->n, 2);
	assert_string_equal(db_text(rows, 0, 0), ADA);
	assert_string_equal(db_text(rows, 0, 1), "Altaworx");
	assert_string_equal(db_text(rows, 0, 2), "Rev.io API");
	jobs_run(courier);
	assert_int_equal(count("outbox"), 4);
	assert_int_equal(count("audit"), 2);
}

/* As if the courier ran that many days (and a half) before the end, which was
 * set `since` days before it. */
static void
days_before(int days, int since)
{
	(void)sql(arena_fmt(arena, "UPDATE subscription SET expires_at ="
	    " now() + interval '%d days 12 h', expiry_set_at = now()"
	    " + interval '%d days 12 h' WHERE name = 'Ends-KEY'", days,
	    days - since));
	jobs_run(courier);
	jobs_run(courier);
}

static const char *
reminded(void)
{
	const struct db_rows	*rows;

	rows = sql("SELECT coalesce(string_agg(params->>'days' || ' '"
	    " || coalesce(address, 'contact'), ', '"
	    " ORDER BY address NULLS FIRST), '') FROM outbox"
	    " WHERE kind = 'subscription_expiring'");
	(void)sql("DELETE FROM outbox");
	return (db_text(rows, 0, 0));
}

static void
test_the_end_is_reminded_of(void **state)
{
	(void)state;
	(void)sql("UPDATE tenant SET notices_to = 'ops@a'");
	(void)sql("INSERT INTO subscription (id, tenant_id, product_id,"
	    " one_key, name) VALUES (gen_random_uuid(), '" T "', '" P "',"
	    " true, 'Ends-KEY')");
	days_before(60, 100);
	assert_string_equal(reminded(), "");
	days_before(29, 100);
	assert_string_equal(reminded(), "30 contact, 30 contact, 30 ops@a");
	(void)sql("DELETE FROM job");
	/* Away for long: the last one that is due, alone, and once. */
	days_before(6, 100);
	assert_string_equal(reminded(), "7 contact, 7 contact, 7 ops@a");
	(void)sql("UPDATE subscription SET state = 'suspended'");
	(void)sql("DELETE FROM job");
	days_before(13, 100);
	assert_string_equal(reminded(), "14 contact, 14 contact, 14 ops@a");
	/* A day before: the disabled don't hear of it. */
	(void)sql("UPDATE account SET state = 'disabled'"
	    " WHERE id = '" BOB "'");
	days_before(0, 100);
	assert_string_equal(reminded(), "1 contact, 1 ops@a");
	(void)sql("UPDATE account SET state = 'active'"
	    " WHERE id = '" BOB "'");
	/* Of what was to be told before the end was set, nothing. */
	(void)sql("DELETE FROM job");
	days_before(5, 6);
	assert_string_equal(reminded(), "");
	days_before(0, 1);
	assert_string_equal(reminded(), "");
	/* Ended: nothing either. */
	(void)sql("DELETE FROM job");
	(void)sql("UPDATE subscription SET state = 'cancelled'");
	days_before(6, 100);
	assert_string_equal(reminded(), "");
	(void)sql("UPDATE tenant SET notices_to = ''");
}

static void
add_request(const char *submitted, const char *due)
{
	(void)sql(arena_fmt(arena, "INSERT INTO request (id, account_id,"
	    " product_id, name, client_folded, submitted_at, due_at)"
	    " VALUES (gen_random_uuid(), '" ADA "', '" P "', 'Altaworx-KEY',"
	    " 'altaworx', now() + interval '%s', now() + interval '%s')",
	    submitted, due));
}

static void
test_reminder(void **state)
{
	const struct db_rows	*rows;

	(void)state;
	add_request("-23 hours", "25 hours");
	jobs_run(courier);
	assert_int_equal(count("outbox"), 0);
	(void)sql("UPDATE request SET submitted_at = now() - interval"
	    " '24 h', due_at = now() + interval '24 h' - interval '1 s'");
	jobs_run(courier);
	jobs_run(courier);
	/* To all staff, once, with what they need to know. */
	rows = sql("SELECT account_id, params->>'request_name',"
	    " params->>'person', params->>'client', params->>'product',"
	    " params->>'due_at' LIKE '20__-__-__T%'"
	    " FROM outbox WHERE kind = 'request_reminder'"
	    " ORDER BY account_id");
	assert_int_equal(rows->n, 2);
	assert_string_equal(db_text(rows, 0, 0), TOM);
	assert_string_equal(db_text(rows, 1, 0), ANN);
	assert_string_equal(db_text(rows, 0, 1), "Altaworx-KEY");
	assert_string_equal(db_text(rows, 0, 2), "Ada");
	assert_string_equal(db_text(rows, 0, 3), "Altaworx Inc");
	assert_string_equal(db_text(rows, 0, 4), "Rev.io API");
	assert_true(db_truth(rows, 0, 5));
	assert_int_equal(count("outbox"), 2);
}

/* To admins alone; and the reminder that was missed is not sent any more. */
static void
test_overdue(void **state)
{
	const struct db_rows	*rows;

	(void)state;
	add_request("-49 hours", "-1 hour");
	jobs_run(courier);
	jobs_run(courier);
	rows = sql("SELECT kind, account_id FROM outbox");
	assert_int_equal(rows->n, 1);
	assert_string_equal(db_text(rows, 0, 0), "request_overdue");
	assert_string_equal(db_text(rows, 0, 1), ANN);
	/* A job's row goes when nothing waits for it any more. */
	(void)sql("UPDATE job SET done_at = now() - interval '91 days'");
	jobs_run(courier);
	assert_int_equal(count("job"), 1);
	(void)sql("UPDATE request SET state = 'withdrawn', decided_at = now()");
	jobs_run(courier);
	assert_int_equal(count("job"), 0);
	assert_int_equal(count("outbox"), 1);
}

static void
test_decided_is_not_told(void **state)
{
	(void)state;
	add_request("-49 hours", "-1 hour");
	(void)sql("UPDATE request SET state = 'withdrawn', decided_at = now()");
	add_request("-30 hours", "18 hours");
	(void)sql("UPDATE request SET state = 'withdrawn', decided_at = now()"
	    " WHERE state = 'submitted'");
	jobs_run(courier);
	assert_int_equal(count("outbox"), 0);
}

/* Neither is sent while it waits on the contact, whose time is not counted; and
 * each once, though the end of the time has moved. */
static void
test_the_clock_stands_still(void **state)
{
	(void)state;
	add_request("-60 hours", "-12 hours");
	(void)sql("UPDATE request SET waiting_on = 'contact'");
	(void)sql("UPDATE request SET waits_since = now() - interval '40 hours'");
	jobs_run(courier);
	assert_int_equal(count("outbox"), 0);
	/* 60 - 40 hours are less than half of 48. */
	(void)sql("UPDATE request SET waiting_on = 'staff'");
	assert_int_equal(count("request WHERE waits_since IS NULL"
	    " AND waited >= interval '40 hours'"
	    " AND due_at - waited = submitted_at + interval '48 hours'"
	    " AND due_at > now() + interval '27 hours'"), 1);
	jobs_run(courier);
	assert_int_equal(count("outbox"), 0);
	(void)sql("UPDATE request SET submitted_at = submitted_at -"
	    " interval '5 hours', due_at = due_at - interval '5 hours'");
	jobs_run(courier);
	assert_int_equal(count("outbox WHERE kind = 'request_reminder'"), 2);
	(void)sql("UPDATE request SET waiting_on = 'contact'");
	(void)sql("UPDATE request SET waits_since = now() - interval '1 hour'");
	(void)sql("UPDATE request SET waiting_on = 'staff'");
	jobs_run(courier);
	assert_int_equal(count("outbox"), 2);
	/* Whatever ends a request starts the clock again before. */
	(void)sql("UPDATE request SET waiting_on = 'contact'");
	(void)sql("UPDATE request SET state = 'withdrawn', decided_at = now()");
	assert_int_equal(count("request WHERE waiting_on = 'staff'"
	    " AND waits_since IS NULL"), 1);
	assert_int_equal(count("request_note WHERE kind = 'decision'"
	    " AND outcome = 'withdrawn' AND side = 'system'"), 1);
}

/* One old and one young row in each table. */
static void
test_prune(void **state)
{
	static const struct {
		const char	*insert, *table;
	} tables[] = {
		{ "INSERT INTO signup (id, email, email_folded, email_domain,"
		    " name, created_at, expires_at) SELECT gen_random_uuid(),"
		    " 'a', 'a', 'a', 'A', now() - d, now() FROM (VALUES"
		    " (interval '8 days'), (interval '6 days')) AS v (d)",
		    "signup" },
		{ "INSERT INTO session (id_hash, account_id, last_used_at,"
		    " expires_at) SELECT h::bytea, '" ADA "', now() - i,"
		    " now() + e FROM (VALUES"
		    " ('a', interval '13 h', interval '1 day'),"
		    " ('b', interval '1 h', interval '1 day')) AS v (h, i, e)",
		    "session" },
		{ "INSERT INTO pending_signin (id_hash, account_id,"
		    " expires_at) VALUES"
		    " ('a', '" ADA "', now() - interval '1 s'),"
		    " ('b', '" ADA "', now() + interval '5 min')",
		    "pending_signin" },
		{ "INSERT INTO throttle (bucket, key, tat) VALUES"
		    " ('b', 'old', now() - interval '2 min'),"
		    " ('b', 'young', now() + interval '1 min')", "throttle" },
		{ "INSERT INTO reveal (nonce_hash, account_id, at) VALUES"
		    " ('a', '" ADA "', now() - interval '25 h'),"
		    " ('b', '" ADA "', now() - interval '23 h')", "reveal" },
		{ "INSERT INTO known_network (network, last_at) VALUES"
		    " ('192.0.2.1', now() - interval '91 days'),"
		    " ('192.0.2.2', now() - interval '89 days')",
		    "known_network" },
		{ "INSERT INTO known_device (account_id, device, last_at) VALUES"
		    " ('" ADA "', 'a', now() - interval '91 days'),"
		    " ('" ADA "', 'b', now() - interval '89 days')",
		    "known_device" },
		{ "INSERT INTO known_browser (account_id, id_hash, last_at)"
		  " VALUES ('" ADA "', 'a', now() - interval '366 days'),"
		  " ('" ADA "', 'b', now() - interval '364 days')",
		    "known_browser" },
		{ "INSERT INTO recovery (id, email_folded, token_hash,"
		    " created_at, expires_at) VALUES"
		    " (gen_random_uuid(), 'a@x', 'a', now() - interval '25 h',"
		    "     now()), (gen_random_uuid(), 'b@x', 'b', now(), now())",
		    "recovery" },
		/* One to confirm that is over, one that can be undone. */
		{ "INSERT INTO email_change (id, account_id, email,"
		    " email_folded, email_domain, expires_at, used_at,"
		    " old_email, old_folded, old_domain, undo_hash, undo_until)"
		    " VALUES (gen_random_uuid(), '" ADA "', 'a@x', 'a@x', 'x',"
		    " now() - interval '1 s', NULL, NULL, NULL, NULL, NULL,"
		    " NULL), (gen_random_uuid(), '" ADA "', 'b@x', 'b@x', 'x',"
		    " now() - interval '1 day', now(), 'c@x', 'c@x', 'x', 'u',"
		    " now() + interval '6 days')", "email_change" },
		{ "INSERT INTO usage_hour SELECT '" T "', now() - d, '" T "',"
		    " 'allowed', 1 FROM (VALUES (interval '41 days'),"
		    " (interval '39 days')) AS v (d)", "usage_hour" },
		{ "INSERT INTO usage_day SELECT '" T "', (now() - d)::date,"
		    " '" T "', 'allowed', 1 FROM (VALUES"
		    " (interval '402 days'), (interval '398 days')) AS v (d)",
		    "usage_day" },
		{ "INSERT INTO outbox (kind, state, ended_at) VALUES"
		    " ('verify', 'sent', now() - interval '31 days'),"
		    " ('verify', 'failed', now() - interval '29 days')",
		    "outbox" },
		/* Read or not. */
		{ "INSERT INTO notice (id, account_id, kind, params, at) VALUES"
		    " (gen_random_uuid(), '" ADA "', 'request_approved', '{}',"
		    " now() - interval '91 days'),"
		    " (gen_random_uuid(), '" ADA "', 'request_rejected', '{}',"
		    " now() - interval '89 days')", "notice" },
		{ "INSERT INTO job (kind, subject, due, done_at) VALUES"
		    " ('x', '" T "', now(), now() - interval '91 days'),"
		    " ('y', '" T "', now(), now() - interval '89 days')",
		    "job" },
	};
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(tables); i++)
		(void)sql(tables[i].insert);
	jobs_run(courier);
	for (i = 0; i < COUNT(tables); i++)
		if (count(tables[i].table) != 1)
			fail_msg("%s has %d rows", tables[i].table,
			    (int)count(tables[i].table));
	assert_int_equal(count("signup WHERE created_at > now() -"
	    " interval '7 days'"), 1);
	assert_int_equal(count("session WHERE id_hash = 'b'"), 1);
	assert_int_equal(count("notice WHERE kind = 'request_rejected'"), 1);
	assert_int_equal(count("pending_signin WHERE id_hash = 'b'"), 1);
	assert_int_equal(count("usage_hour WHERE hour > now() -"
	    " interval '40 days'"), 1);
	assert_int_equal(count("usage_day WHERE day > now() -"
	    " interval '400 days'"), 1);
	assert_int_equal(count("throttle WHERE key = 'young'"), 1);
	assert_int_equal(count("reveal WHERE nonce_hash = 'b'"), 1);
	assert_int_equal(count("known_network WHERE network = '192.0.2.2'"),
	    1);
	assert_int_equal(count("known_device WHERE device = 'b'"), 1);
	assert_int_equal(count("recovery WHERE token_hash = 'b'"), 1);
	assert_int_equal(count("email_change WHERE email = 'b@x'"), 1);
	assert_int_equal(count("outbox WHERE state = 'failed'"), 1);
	assert_int_equal(count("job WHERE kind = 'y'"), 1);
	/* The end of a session that is in use. */
	(void)sql("UPDATE session SET expires_at = now() - interval '1 s'");
	jobs_run(courier);
	assert_int_equal(count("session"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_end_is_reminded_of, empty),
		cmocka_unit_test_setup(test_subscription_expires, empty),
		cmocka_unit_test_setup(test_reminder, empty),
		cmocka_unit_test_setup(test_overdue, empty),
		cmocka_unit_test_setup(test_decided_is_not_told, empty),
		cmocka_unit_test_setup(test_the_clock_stands_still, empty),
		cmocka_unit_test_setup(test_prune, empty),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
