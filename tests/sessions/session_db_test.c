/*
 * Sessions against a real PostgreSQL (LATCHKEY_TEST_DATABASE_URL).
 */
#include "accounts/people.h"

static const char *
new_token(void)
{
	char	*token = arena_alloc(arena, TOKEN_TEXT);

	token_make(token);
	return (token);
}

/* Changes the row of a session as the owner. */
static void
change(const char *token, const char *set)
{
	(void)people_ask(arena_fmt(arena, "UPDATE session SET %s WHERE "
	    "id_hash = sha256('%s')", set, token));
}

static void
test_find(void **state)
{
	const char	*token = people_contact("find@s.example");
	struct session	*s = session_db_find(db, token);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->kind, ACCOUNT_CONTACT);
	assert_string_equal(s->name, "Ada Byron");
	assert_string_equal(s->email, "find@s.example");
	assert_string_equal(s->email_domain, "s.example");
	assert_string_equal(s->client, "Altaworx");
	assert_null(s->tenant_id);
	assert_int_equal(s->role, MEMBER_NONE);
	assert_true(s->fresh);
	assert_false(s->stale);
	assert_string_equal(s->cookie, token);
	assert_null(session_db_find(db, new_token()));
	/* What the database holds of it opens nothing. */
	assert_null(session_db_find(db, people_ask("SELECT encode(id_hash, "
	    "'hex') FROM session LIMIT 1")));
	assert_string_equal(people_ask("SELECT count(*) FROM session WHERE "
	    "session::text LIKE '%find%'"), "0");
}

static void
test_tenant(void **state)
{
	const char	*token = people_contact("member@s.example");
	struct session	*s = session_db_find(db, token);
	char		 id[UUID_TEXT];

	(void)state;
	uuid_make(id);
	(void)people_ask(arena_fmt(arena, "INSERT INTO tenant (id, code, name, "
	    "name_folded, slug) VALUES ('%s', 'SESS', 'Sess', 'sess', "
	    "'sess')", id));
	(void)people_ask(arena_fmt(arena, "INSERT INTO membership (account_id, "
	    "tenant_id, role, let_in_by) VALUES ('%s', '%s', 'manager', "
	    "'first')", s->account_id, id));
	s = session_db_find(db, token);
	assert_string_equal(s->tenant_id, id);
	assert_string_equal(s->tenant_code, "SESS");
	assert_string_equal(s->tenant_name, "Sess");
	assert_int_equal(s->role, MEMBER_MANAGER);
	(void)people_ask("UPDATE tenant SET state = 'closed', "
	    "ended_at = now() WHERE code = 'SESS'");
	s = session_db_find(db, token);
	assert_null(s->tenant_id);
	assert_int_equal(s->role, MEMBER_NONE);
}

static void
test_ends(void **state)
{
	const char	*token;

	(void)state;
	token = people_contact("idle@s.example");
	change(token, "last_used_at = now() - interval '11 h 59 min'");
	assert_non_null(session_db_find(db, token));
	change(token, "last_used_at = now() - interval '12 h'");
	assert_null(session_db_find(db, token));

	token = people_contact("old@s.example");
	change(token, "expires_at = now()");
	assert_null(session_db_find(db, token));

	token = people_contact("disabled@s.example");
	(void)people_ask("UPDATE account SET state = 'disabled' WHERE id = "
	    "(SELECT account_id FROM person WHERE email = "
	    "'disabled@s.example')");
	assert_null(session_db_find(db, token));

	token = people_contact("leaves@s.example");
	session_db_end(db, token);
	session_db_end(db, token);
	assert_null(session_db_find(db, token));
	assert_string_equal(people_ask("SELECT count(*) FROM audit JOIN person "
	    "ON account_id = subject_id WHERE action = 'session.ended' AND "
	    "email = 'leaves@s.example'"), "1");
}

static void
test_fresh(void **state)
{
	const char	*token = people_contact("fresh@s.example");
	struct session	*s;

	(void)state;
	change(token, "fresh_at = now() - interval '14 min'");
	assert_true(session_db_find(db, token)->fresh);
	change(token, "fresh_at = now() - interval '15 min'");
	s = session_db_find(db, token);
	assert_non_null(s);
	assert_false(s->fresh);
}

static void
test_touch(void **state)
{
	const char	*idle = people_contact("touch1@s.example");
	const char	*busy = people_contact("touch2@s.example");
	const char	*hashes[2];
	const char	*before;

	(void)state;
	change(idle, "last_used_at = now() - interval '6 min'");
	change(busy, "last_used_at = now() - interval '4 min'");
	assert_true(session_db_find(db, idle)->stale);
	assert_false(session_db_find(db, busy)->stale);
	before = people_ask(arena_fmt(arena, "SELECT last_used_at FROM session "
	    "WHERE id_hash = sha256('%s')", busy));
	hashes[0] = people_ask(arena_fmt(arena,
	    "SELECT encode(sha256('%s'), 'hex')", idle));
	hashes[1] = people_ask(arena_fmt(arena,
	    "SELECT encode(sha256('%s'), 'hex')", busy));
	session_db_touch(db, hashes, 2);
	assert_false(session_db_find(db, idle)->stale);
	assert_string_equal(before, people_ask(arena_fmt(arena, "SELECT "
	    "last_used_at FROM session WHERE id_hash = sha256('%s')", busy)));
}

static void
test_replaced(void **state)
{
	const char		*old = people_contact("twice@s.example");
	struct address		 address = people_address("twice@s.example");
	struct session_start	 start = people_start();
	struct credential	 c;

	(void)state;
	start.old = old;
	c = account_db_credential(db, &address,
	    people_from("192.0.2.7"));
	assert_true(account_db_signin(db, &c, NULL, &start));
	assert_null(session_db_find(db, old));
	assert_non_null(session_db_find(db, start.token));
	/* A sign-in that is refused leaves the old one. */
	old = start.token;
	start = people_start();
	start.old = old;
	c.hash = "another";
	assert_false(account_db_signin(db, &c, NULL, &start));
	assert_non_null(session_db_find(db, old));
	assert_null(session_db_find(db, start.token));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_tenant),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_touch),
		cmocka_unit_test(test_replaced),
	};

	return (cmocka_run_group_tests(tests, people_setup, people_teardown));
}
