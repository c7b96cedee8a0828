/*
 * The outbox as couriers see it, on a real PostgreSQL
 * (LATCHKEY_TEST_COURIER_URL, LATCHKEY_TEST_OWNER_URL): claims, ends, times,
 * and what is left behind.
 */
#include "mail/mail.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "crypto/token.h"

#define ADA	"0189aaaa-0000-7000-8000-00000000000a"	/* contact */
#define TOM	"0189aaaa-0000-7000-8000-00000000000b"	/* staff */
#define SUE	"0189aaaa-0000-7000-8000-00000000000c"	/* disabled staff */
#define SIGNUP	"0189aaaa-0000-7000-8000-00000000000d"
#define ONE	"0189aaaa-0000-7000-8000-000000000001"	/* couriers */
#define TWO	"0189aaaa-0000-7000-8000-000000000002"

static struct arena	*arena;
static struct db	*one, *two, *owner;

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
		db = db_open(url, "outbox_db_test", arena, on_fail, NULL,
		    &why);
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
number(const char *text)
{
	return (db_number(sql(text), 0, 0));
}

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(16u << 20, NULL, NULL);
	one = connect_as("LATCHKEY_TEST_COURIER_URL");
	two = connect_as("LATCHKEY_TEST_COURIER_URL");
	owner = connect_as("LATCHKEY_TEST_OWNER_URL");
	(void)sql("INSERT INTO account (id, kind, staff_role, state,"
	    " password_hash) VALUES"
	    " ('" ADA "', 'contact', NULL, 'active', 'x'),"
	    " ('" TOM "', 'staff', 'staff', 'active', 'x'),"
	    " ('" SUE "', 'staff', 'admin', 'disabled', 'x')");
	(void)sql("INSERT INTO person (account_id, email, email_folded,"
	    " email_domain, name) VALUES"
	    " ('" ADA "', 'Ada@a.example', 'ada@a.example', 'a.example',"
	    " 'Ada'), ('" TOM "', 't@r.example', 't@r.example', 'r.example',"
	    " 'Tom'), ('" SUE "', 's@r.example', 's@r.example', 'r.example',"
	    " 'Sue')");
	(void)sql("INSERT INTO signup (id, email, email_folded, email_domain,"
	    " name, invited_as, expires_at) VALUES ('" SIGNUP "', 'b@b', 'b@b',"
	    " 'b', 'B', 'admin', '2040-01-01 00:00:00+00')");
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	db_close(one);
	db_close(two);
	db_close(owner);
	arena_free(arena);
	return (0);
}

static int
empty(void **state)
{
	(void)state;
	(void)sql("DELETE FROM outbox");
	return (0);
}

static const char *
param(const struct outbox_mail *mail, const char *name)
{
	int	i;

	for (i = 0; i < mail->n_params; i++)
		if (str_eq(mail->params[i].name, name))
			return (mail->params[i].value);
	fail_msg("no parameter %s", name);
	return (NULL);
}

static void
queue_verify(void)
{
	(void)sql("SELECT mail_queue('verify', NULL, 'b@b',"
	    " jsonb_build_object('signup_id', '" SIGNUP "'))");
}

static void
queue_ada(void)
{
	(void)sql("SELECT mail_queue('request_approved', '" ADA "', NULL,"
	    " '{\"request_name\": \"A-KEY\"}')");
}

static struct outbox_mail
claim(struct db *db, const char *courier)
{
	struct outbox_mail	mail;

	if (!outbox_claim(db, courier, &mail))
		fail_msg("nothing to claim");
	return (mail);
}

static void
test_claim(void **state)
{
	struct outbox_mail	mail, other;

	(void)state;
	assert_false(outbox_claim(one, ONE, &mail));
	assert_true(outbox_due_in(one) == INT64_MAX);
	(void)sql("SELECT mail_queue('request_submitted', '" ADA "', NULL,"
	    " jsonb_build_object('request_name', 'Ä & B-KEY', 'due_at',"
	    " '2026-11-22 14:05:00+00'::timestamptz, 'none', NULL))");
	assert_true(outbox_due_in(one) == 0);
	mail = claim(one, ONE);
	assert_string_equal(mail.kind, "request_submitted");
	assert_string_equal(mail.to, "Ada@a.example");
	assert_string_equal(mail.name, "Ada");
	assert_int_equal(mail.tries, 1);
	assert_true(clock_now() - mail.at < MINUTE_US);
	assert_int_equal(mail.n_params, 2);
	assert_string_equal(param(&mail, "request_name"), "Ä & B-KEY");
	assert_string_equal(param(&mail, "due_at"), "1795356300000000");
	assert_false(mail.has_link);
	/* It is nobody else's, for two minutes. */
	assert_false(outbox_claim(two, TWO, &other));
	assert_in_range(outbox_due_in(two), 110 * SECOND_US, 120 * SECOND_US);
	/* A courier that died: another one takes it, and the first one's end
	 * no longer counts. */
	(void)sql("UPDATE outbox SET next_at = now()");
	other = claim(two, TWO);
	assert_string_equal(other.id, mail.id);
	assert_int_equal(other.tries, 2);
	outbox_end(one, ONE, mail.id, OUTBOX_SENT, "");
	assert_int_equal(number("SELECT count(*) FROM outbox"
	    " WHERE state = 'queued'"), 1);
	outbox_end(two, TWO, mail.id, OUTBOX_SENT, "");
	assert_int_equal(number("SELECT count(*) FROM outbox"
	    " WHERE state = 'sent'"), 1);
}

static void
test_oldest_first(void **state)
{
	(void)state;
	queue_ada();
	queue_verify();
	(void)sql("UPDATE outbox SET next_at = now() - interval '1 hour'"
	    " WHERE kind = 'verify'");
	assert_string_equal(claim(one, ONE).kind, "verify");
	assert_string_equal(claim(two, TWO).kind, "request_approved");
}

static void
test_signup(void **state)
{
	struct outbox_mail	mail;

	(void)state;
	queue_verify();
	mail = claim(one, ONE);
	assert_string_equal(mail.to, "b@b");
	assert_string_equal(mail.name, "");
	assert_true(mail.has_link && mail.link_open);
	assert_true(mail.link_until == INT64_C(2208988800000000));
	assert_string_equal(mail.invited_as, "admin");
	(void)sql("UPDATE outbox SET next_at = now()");
	(void)sql("UPDATE signup SET used_at = now()");
	mail = claim(one, ONE);
	assert_true(mail.has_link && !mail.link_open);
	(void)sql("UPDATE signup SET used_at = NULL");
	/* What is no number of a sign-up breaks nothing. */
	(void)sql("UPDATE outbox SET next_at = now(), params ="
	    " '{\"signup_id\": \"x\", \"odd_at\": \"tomorrow\"}'");
	mail = claim(one, ONE);
	assert_false(mail.has_link);
	assert_string_equal(param(&mail, "odd_at"), "tomorrow");
}

static void
test_closed_account(void **state)
{
	(void)state;
	queue_ada();
	(void)sql("UPDATE account SET state = 'closed' WHERE id = '" ADA "'");
	assert_null(claim(one, ONE).to);
	(void)sql("UPDATE account SET state = 'active' WHERE id = '" ADA "'");
}

/* Nothing of what was sent, and to whom, stays. */
static void
test_sent(void **state)
{
	const struct db_rows	*rows;
	struct outbox_mail	 mail;

	(void)state;
	queue_verify();
	mail = claim(one, ONE);
	outbox_end(one, ONE, mail.id, OUTBOX_SENT, "");
	rows = sql("SELECT state, address, params::text, claimed_by,"
	    " ended_at IS NOT NULL FROM outbox");
	assert_string_equal(db_text(rows, 0, 0), "sent");
	assert_true(db_is_null(rows, 0, 1));
	assert_string_equal(db_text(rows, 0, 2), "{}");
	assert_true(db_is_null(rows, 0, 3));
	assert_true(db_truth(rows, 0, 4));
	assert_false(outbox_claim(one, ONE, &mail));
	assert_int_equal(number("SELECT count(*) FROM audit"), 0);
}

static void
test_retry(void **state)
{
	static const int64_t	 wait_s[] = { 30, 60, 120, 240, 480, 960, 1920,
				    3600, 3600, 3600 };
	const struct db_rows	*rows;
	struct outbox_mail	 mail;
	size_t			 i;

	(void)state;
	queue_verify();
	for (i = 0; i < COUNT(wait_s); i++) {
		mail = claim(one, ONE);
		assert_int_equal(mail.tries, i + 1);
		outbox_end(one, ONE, mail.id, OUTBOX_RETRY, "server away");
		rows = sql("SELECT state, address, last_error, claimed_by,"
		    " round(extract(epoch FROM next_at - now()))::bigint"
		    " FROM outbox");
		assert_string_equal(db_text(rows, 0, 0), "queued");
		assert_string_equal(db_text(rows, 0, 1), "b@b");
		assert_string_equal(db_text(rows, 0, 2), "server away");
		assert_true(db_is_null(rows, 0, 3));
		assert_in_range(db_number(rows, 0, 4), wait_s[i] - 2,
		    wait_s[i]);
		assert_false(outbox_claim(two, TWO, &mail));
		(void)sql("UPDATE outbox SET next_at = now()");
	}
}

/* After three days: failed, written down, and staff are told once. */
static void
test_given_up(void **state)
{
	const struct db_rows	*rows;
	struct outbox_mail	 mail;

	(void)state;
	queue_verify();
	(void)sql("UPDATE outbox SET created_at = now() - interval '3 days'"
	    " - interval '1 minute'");
	mail = claim(one, ONE);
	outbox_end(one, ONE, mail.id, OUTBOX_RETRY, "server away");
	/* The same once more, as after a lost connection. */
	outbox_end(one, ONE, mail.id, OUTBOX_RETRY, "server away");
	rows = sql("SELECT state, address, params::text FROM outbox"
	    " WHERE kind = 'verify'");
	assert_string_equal(db_text(rows, 0, 0), "failed");
	assert_true(db_is_null(rows, 0, 1));
	assert_string_equal(db_text(rows, 0, 2), "{}");
	assert_int_equal(number("SELECT count(*) FROM audit WHERE action ="
	    " 'mail.failed' AND actor_kind = 'system' AND detail->>'kind' ="
	    " 'verify'"), 1);
	rows = sql("SELECT account_id, params->>'failed_kind',"
	    " params->>'why', params ? 'queued_at' FROM outbox"
	    " WHERE kind = 'mail_failed'");
	assert_int_equal(rows->n, 1);	/* not to Sue, who is disabled */
	assert_string_equal(db_text(rows, 0, 0), TOM);
	assert_string_equal(db_text(rows, 0, 1), "verify");
	assert_string_equal(db_text(rows, 0, 2), "server away");
	assert_true(db_truth(rows, 0, 3));
	/* A second failure while that one waits: no second mail. */
	queue_ada();
	(void)sql("UPDATE outbox SET next_at = now() - interval '1 day'"
	    " WHERE kind = 'request_approved'");
	mail = claim(one, ONE);
	outbox_end(one, ONE, mail.id, OUTBOX_FAILED, "550");
	assert_int_equal(number("SELECT count(*) FROM outbox"
	    " WHERE kind = 'mail_failed'"), 1);
	/* And one that tells of failures tells nobody when it fails. */
	mail = claim(one, ONE);
	assert_string_equal(mail.kind, "mail_failed");
	outbox_end(one, ONE, mail.id, OUTBOX_FAILED, "550");
	assert_int_equal(number("SELECT count(*) FROM outbox"
	    " WHERE kind = 'mail_failed' AND state = 'failed'"), 1);
	assert_int_equal(number("SELECT count(*) FROM outbox"
	    " WHERE state = 'queued'"), 0);
}

static void
test_refused(void **state)
{
	struct outbox_mail	mail;

	(void)state;
	/* An invented address bothers nobody. */
	queue_verify();
	mail = claim(one, ONE);
	outbox_end(one, ONE, mail.id, OUTBOX_FAILED, "550");
	assert_int_equal(number("SELECT count(*) FROM outbox"
	    " WHERE state = 'queued'"), 0);
	/* An account that can't be written to does. */
	queue_ada();
	mail = claim(one, ONE);
	outbox_end(one, ONE, mail.id, OUTBOX_FAILED, "550");
	assert_int_equal(number("SELECT count(*) FROM outbox"
	    " WHERE state = 'queued' AND kind = 'mail_failed'"), 1);
}

static void
test_void(void **state)
{
	struct outbox_mail	 mail;
	char			 why[400];

	(void)state;
	queue_ada();
	mail = claim(one, ONE);
	/* A long reason is cut, and not within a character: 2 bytes each. */
	memset(why, 'x', sizeof(why));
	why[0] = 'y';
	for (size_t i = 1; i + 2 < sizeof(why); i += 2)
		memcpy(why + i, "ä", 2);
	why[sizeof(why) - 1] = '\0';
	outbox_end(one, ONE, mail.id, OUTBOX_VOID, why);
	assert_int_equal(number("SELECT octet_length(last_error) FROM outbox"
	    " WHERE state = 'dropped'"), 199);
	assert_int_equal(number("SELECT count(*) FROM outbox"
	    " WHERE state = 'queued'"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_claim, empty),
		cmocka_unit_test_setup(test_oldest_first, empty),
		cmocka_unit_test_setup(test_signup, empty),
		cmocka_unit_test_setup(test_closed_account, empty),
		cmocka_unit_test_setup(test_sent, empty),
		cmocka_unit_test_setup(test_retry, empty),
		cmocka_unit_test_setup(test_given_up, empty),
		cmocka_unit_test_setup(test_refused, empty),
		cmocka_unit_test_setup(test_void, empty),
	};

	crypto_init();
	return (cmocka_run_group_tests(tests, setup, teardown));
}
