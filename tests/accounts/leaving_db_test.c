/*
 * New addresses, closed accounts and one's own data against a real PostgreSQL
 * (LATCHKEY_TEST_DATABASE_URL).  Every test has accounts of its own.
 */
#include "accounts/people.h"

#include "accounts/close.h"
#include "accounts/email_change.h"

static struct session *
person(const char *email)
{
	struct session	*s = session_db_find(db, people_contact(email));

	assert_non_null(s);
	return (s);
}

static enum signup_result
ask(const struct session *s, const char *email)
{
	struct address	address = people_address(email);

	return (email_change_db_ask(db, s->account_id, &address,
	    "198.51.100.9").result);
}

/* The token of the account's newest change: to confirm, or to undo it. */
static const char *
link_of(const struct session *s, const char *kind)
{
	char		*token = arena_alloc(arena, TOKEN_TEXT);
	const char	*id;

	id = people_ask(arena_fmt(arena, "SELECT id FROM email_change WHERE "
	    "account_id = '%s' ORDER BY id DESC LIMIT 1", s->account_id));
	assert_non_null(id);
	link_token(kind, id, token);
	return (token);
}

static const char *
address_of(const struct session *s)
{
	return (people_ask(arena_fmt(arena, "SELECT email FROM person WHERE "
	    "account_id = '%s'", s->account_id)));
}

static void
test_confirm_and_undo(void **state)
{
	struct session		*s = person("old@c.example");
	struct session		*other = person("else@c.example");
	struct email_change	 change;
	const char		*token;

	(void)state;
	assert_int_equal(ask(s, "new@c.example"), SIGNUP_QUEUED);
	token = link_of(s, "email-confirm");
	assert_true(email_change_db_find(db, token, s->account_id, &change));
	assert_string_equal(change.email, "new@c.example");
	assert_string_equal(change.present, "old@c.example");
	/* Another account's link is none. */
	assert_false(email_change_db_find(db, token, other->account_id,
	    &change));
	assert_int_equal(email_change_db_confirm(db, token,
	    other->account_id), EMAIL_GONE);
	assert_int_equal(email_change_db_confirm(db, token, s->account_id),
	    EMAIL_DONE);
	assert_string_equal(address_of(s), "new@c.example");
	assert_int_equal(email_change_db_confirm(db, token, s->account_id),
	    EMAIL_GONE);
	token = link_of(s, "email-undo");
	assert_true(email_change_db_find_undo(db, token, &change));
	assert_string_equal(change.email, "old@c.example");
	assert_int_equal(email_change_db_undo(db, token), EMAIL_DONE);
	assert_string_equal(address_of(s), "old@c.example");
	assert_null(session_db_find(db, s->cookie));
	assert_int_equal(email_change_db_undo(db, token), EMAIL_GONE);
}

static void
test_links_that_do_not_count(void **state)
{
	struct session		*s = person("link@c.example");
	struct email_change	 change;
	const char		*first, *second;

	(void)state;
	assert_int_equal(ask(s, "one@c.example"), SIGNUP_QUEUED);
	first = link_of(s, "email-confirm");
	assert_int_equal(ask(s, "two@c.example"), SIGNUP_QUEUED);
	second = link_of(s, "email-confirm");
	assert_false(email_change_db_find(db, first, s->account_id, &change));
	assert_true(email_change_db_find(db, second, s->account_id, &change));
	/* Somebody signs up with it meanwhile. */
	(void)people_contact("two@c.example");
	assert_int_equal(email_change_db_confirm(db, second, s->account_id),
	    EMAIL_TAKEN);
	assert_string_equal(address_of(s), "link@c.example");
	(void)people_ask("UPDATE email_change SET expires_at = now()");
	assert_false(email_change_db_find(db, second, s->account_id, &change));
	assert_false(email_change_db_find(db, "no token", s->account_id,
	    &change));
}

static void
test_an_address_that_has_an_account(void **state)
{
	struct session	*s = person("nosy@c.example");

	(void)state;
	(void)people_contact("taken@c.example");
	/* The same answer, and a mail to that account in place of the link. */
	assert_int_equal(ask(s, "taken@c.example"), SIGNUP_QUEUED);
	assert_string_equal(people_ask("SELECT string_agg(kind, ' ') FROM "
	    "outbox JOIN person USING (account_id) WHERE email = "
	    "'taken@c.example'"), "email_taken");
}

static void
test_closing(void **state)
{
	struct session		*s = person("bye@c.example");
	struct address		 address = people_address("bye@c.example");
	struct credential	 c = account_db_credential(db, &address,
				    people_from("192.0.2.7"));
	struct session_start	 start = people_start();
	const char		*hash = c.hash;

	(void)state;
	start.browser = "a browser's cookie";
	assert_true(account_db_signin(db, &c, NULL, &start));
	c.hash = "another one";
	assert_int_equal(close_db_account(db, &c), CLOSE_CHANGED);
	assert_non_null(session_db_find(db, s->cookie));
	c.hash = hash;
	assert_int_equal(close_db_account(db, &c), CLOSE_DONE);
	assert_int_equal(close_db_account(db, &c), CLOSE_CHANGED);
	assert_null(session_db_find(db, s->cookie));
	assert_null(session_db_find(db, start.token));
	assert_null(address_of(s));
	assert_string_equal(people_ask(arena_fmt(arena, "SELECT state || "
	    "password_hash FROM account WHERE id = '%s'", s->account_id)),
	    "closed*");
	assert_string_equal(people_ask(arena_fmt(arena, "SELECT count(*) FROM "
	    "known_browser WHERE account_id = '%s'", s->account_id)), "0");
	assert_string_equal(people_ask("SELECT kind FROM outbox WHERE address "
	    "= 'bye@c.example' AND state = 'queued' ORDER BY created_at DESC "
	    "LIMIT 1"), "account_closed");
	/* The address is free again. */
	assert_non_null(session_db_find(db, people_contact("bye@c.example")));
}

static void
test_own_data(void **state)
{
	struct session	*s = person("data@c.example");
	struct session	*other = person("not-mine@c.example");
	const char	*json = close_db_data(db, s->account_id);

	(void)state;
	assert_non_null(strstr(json, "data@c.example"));
	assert_non_null(strstr(json, s->account_id));
	assert_null(strstr(json, other->account_id));
	assert_null(strstr(json, "not-mine"));
	/* Nor what opens anything. */
	assert_null(strstr(json, "no hash"));
	assert_null(strstr(json, s->cookie));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_confirm_and_undo),
		cmocka_unit_test(test_links_that_do_not_count),
		cmocka_unit_test(test_an_address_that_has_an_account),
		cmocka_unit_test(test_closing),
		cmocka_unit_test(test_own_data),
	};

	return (cmocka_run_group_tests(tests, people_setup, people_teardown));
}
