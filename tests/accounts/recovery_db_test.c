/*
 * Links of forgotten passwords against a real PostgreSQL
 * (LATCHKEY_TEST_DATABASE_URL), and the job that judges and hashes.
 */
#include "accounts/people.h"
#include "accounts/recovery.h"
#include "base/clock.h"

static enum signup_result
ask(const char *email)
{
	struct address	address = people_address(email);

	return (recovery_db_ask(db, &address, "198.51.100.9").result);
}

static const char *
link_of(const char *email)
{
	char		*token = arena_alloc(arena, TOKEN_TEXT);
	const char	*id;

	id = people_ask(arena_fmt(arena, "SELECT id FROM recovery WHERE "
	    "email_folded = '%s' ORDER BY id DESC LIMIT 1", email));
	assert_non_null(id);
	link_token("reset", id, token);
	return (token);
}

static void
test_reset(void **state)
{
	struct recovery	 recovery;
	const char	*cookie, *token;

	(void)state;
	cookie = people_contact("reset@a.example");
	assert_int_equal(ask("reset@a.example"), SIGNUP_QUEUED);
	token = link_of("reset@a.example");
	assert_true(recovery_db_find(db, token, &recovery));
	assert_string_equal(recovery.email, "reset@a.example");
	assert_string_equal(recovery.name, "Ada Byron");
	assert_string_equal(recovery.client, "Altaworx");
	assert_non_null(session_db_find(db, cookie));
	assert_true(recovery_db_reset(db, token, "new hash", "browser"));
	assert_null(session_db_find(db, cookie));
	assert_false(recovery_db_find(db, token, &recovery));
	assert_false(recovery_db_reset(db, token, "newer hash", "browser"));
	assert_string_equal(people_ask("SELECT password_hash FROM account "
	    "JOIN person ON account_id = id WHERE email = 'reset@a.example'"),
	    "new hash");
	assert_string_equal(people_ask("SELECT string_agg(kind, ' ' ORDER BY "
	    "kind) FROM outbox JOIN person USING (account_id) WHERE email = "
	    "'reset@a.example'"), "password_reset recovery");
}

static void
test_same_rows_without_account(void **state)
{
	(void)state;
	assert_int_equal(ask("nobody@a.example"), SIGNUP_QUEUED);
	assert_string_equal(people_ask("SELECT count(*) || '|' || "
	    "count(token_hash) || '|' || count(account_id) FROM recovery "
	    "WHERE email_folded = 'nobody@a.example'"), "1|1|0");
	assert_string_equal(people_ask("SELECT kind FROM outbox WHERE address "
	    "= 'nobody@a.example'"), "recovery");
}

/* Each mail moved back by the time that had to pass: never as long as a link
 * lives. */
static void
test_mails_come_ever_more_slowly(void **state)
{
	static const int	minutes[] = { 1, 2, 4, 8, 16, 20, 20, 20 };
	struct signup_answer	answer = { 0 };
	struct address		address = people_address("busy@a.example");
	size_t			i;

	(void)state;
	for (i = 0; i < RECOVERY_MAILS; i++)
		assert_int_equal(ask("busy@a.example"), SIGNUP_QUEUED);
	assert_int_equal(ask("busy@a.example"), SIGNUP_ADDRESS_BUSY);
	assert_string_equal(people_ask("SELECT count(*) FROM recovery WHERE "
	    "email_folded = 'busy@a.example'"), "3");
	for (i = 0; i < COUNT(minutes); i++) {
		answer = recovery_db_ask(db, &address, "198.51.100.9");
		assert_int_equal(answer.result, SIGNUP_ADDRESS_BUSY);
		assert_in_range(answer.next_at, clock_now() +
		    (minutes[i] * 60 - 5) * SECOND_US,
		    clock_now() + minutes[i] * MINUTE_US);
		(void)people_ask(arena_fmt(arena, "WITH moved AS (UPDATE "
		    "recovery SET created_at = created_at - interval '%d min' "
		    "WHERE email_folded = 'busy@a.example' RETURNING 1) "
		    "SELECT count(*) FROM moved", minutes[i]));
		assert_int_equal(ask("busy@a.example"), SIGNUP_QUEUED);
	}
	assert_true(RECOVERY_EVERY_MAX_S < RECOVERY_LINK_S);
}

static void
test_links_that_do_not_count(void **state)
{
	struct recovery	 recovery;
	const char	*first, *second;

	(void)state;
	(void)people_contact("many@a.example");
	(void)ask("many@a.example");
	first = link_of("many@a.example");
	(void)ask("many@a.example");
	second = link_of("many@a.example");
	assert_false(recovery_db_find(db, first, &recovery));
	assert_false(recovery_db_reset(db, first, "x", "browser"));
	assert_true(recovery_db_find(db, second, &recovery));
	/* Of another purpose. */
	assert_false(recovery_db_find(db, people_link("many@a.example"),
	    &recovery));
	assert_false(recovery_db_find(db, "", &recovery));
	(void)people_ask("UPDATE account SET password_at = now() FROM person "
	    "WHERE account_id = id AND email = 'many@a.example'");
	assert_false(recovery_db_find(db, second, &recovery));
	assert_false(recovery_db_reset(db, second, "x", "browser"));
}

static void
test_change(void **state)
{
	struct address		 address = people_address("c@a.example");
	struct session_start	 other = people_start();
	struct credential	 credential;
	const char		*cookie;
	char			 token[TOKEN_TEXT];

	(void)state;
	cookie = people_contact("c@a.example");
	credential = account_db_credential(db, &address,
	    people_from("192.0.2.7"));
	assert_true(account_db_signin(db, &credential, NULL, &other));
	token_make(token);
	/* Of a session that is no more, nothing changes. */
	assert_false(password_db_change(db, &credential, "h", "no session",
	    token));
	assert_true(password_db_change(db, &credential, "h", cookie, token));
	assert_null(session_db_find(db, cookie));
	assert_null(session_db_find(db, other.token));
	assert_non_null(session_db_find(db, token));
	/* The password is another one by now. */
	assert_false(password_db_change(db, &credential, "i", token, cookie));
	assert_non_null(session_db_find(db, token));
}

static void
test_job(void **state)
{
	struct password_job	 job = { 0 }, again = { 0 };

	(void)state;
	job.wanted = password_normalise(arena, "violet harbour 42 tunes");
	password_job_run(&job);
	assert_true(job.is_right && job.done);
	assert_int_equal(job.verdict, PASSWORD_GOOD);
	again.present = job.wanted;
	again.present_hash = job.hash;
	again.wanted = password_normalise(arena, "Short");
	password_job_run(&again);
	assert_true(again.is_right);
	assert_false(again.done);
	assert_int_equal(again.verdict, PASSWORD_TOO_SHORT);
	again = (struct password_job){ .present = password_normalise(arena,
	    "violet harbour 42 tune"), .present_hash = job.hash,
	    .wanted = job.wanted };
	password_job_run(&again);
	assert_false(again.is_right);
	assert_false(again.done);
	again = (struct password_job){ .present = job.wanted };
	password_job_run(&again);
	assert_false(again.is_right);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_same_rows_without_account),
		cmocka_unit_test(test_mails_come_ever_more_slowly),
		cmocka_unit_test(test_links_that_do_not_count),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_job),
	};

	return (cmocka_run_group_tests(tests, people_setup, people_teardown));
}
