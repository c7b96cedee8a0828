/*
 * Sessions against a real PostgreSQL (LATCHKEY_TEST_DATABASE_URL).
 */
#include "accounts/people.h"
#include "sessions/session_kept.h"

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

/* As if nothing had changed for a while. */
static struct session *
find_quiet(const char *token)
{
	change(token, "stamped_at = now() - interval '11 s'");
	return (session_db_find(db, token));
}

static void
test_kept(void **state)
{
	DB_QUERY(seven, "SELECT 7");
	const char	*token = people_contact("kept@s.example");
	struct session	*s, *again;

	(void)state;
	/* Too young: a change may be on its way that does not see it. */
	assert_null(session_db_find(db, token)->kept);
	s = find_quiet(token);
	assert_non_null(s->kept);
	assert_null(session_kept(s));
	session_keep(s, db_read(db, &seven, DB_NONE));
	again = session_db_find(db, token);
	assert_ptr_equal(again->kept, s->kept);
	assert_ptr_not_equal(again, s);
	assert_string_equal(again->email, "kept@s.example");
	assert_string_equal(again->cookie, token);
	assert_int_equal(db_number(session_kept(again), 0, 0), 7);
	/* What the row says is read anew each time. */
	change(token, "fresh_at = now() - interval '15 min', "
	    "last_used_at = now() - interval '6 min'");
	again = session_db_find(db, token);
	assert_ptr_equal(again->kept, s->kept);
	assert_false(again->fresh);
	assert_true(again->stale);

	(void)people_ask("UPDATE person SET name = 'Grace' WHERE email = "
	    "'kept@s.example'");
	again = session_db_find(db, token);
	assert_string_equal(again->name, "Grace");
	assert_null(again->kept);
	/* Whoever still looks at the old one may. */
	assert_string_equal(s->name, "Ada Byron");
	assert_int_equal(db_number(session_kept(s), 0, 0), 7);

	assert_non_null(find_quiet(token)->kept);
	assert_null(session_kept(session_db_find(db, token)));
	session_db_end(db, token);
	assert_null(session_db_find(db, token));
	assert_null(session_db_find(db, token));
}

/* Each of these must be seen by the next request. */
static void
test_stamps(void **state)
{
	const char	*token = people_contact("stamps@s.example"), *id;
	char		 tenant[UUID_TEXT];

	(void)state;
	uuid_make(tenant);
	(void)people_ask(arena_fmt(arena, "INSERT INTO tenant (id, code, name, "
	    "name_folded, slug) VALUES ('%s', 'STAMPS', 'Stamps', 'stamps', "
	    "'stamps')", tenant));
	id = find_quiet(token)->account_id;
	(void)people_ask(arena_fmt(arena, "INSERT INTO membership (account_id, "
	    "tenant_id, role, let_in_by) VALUES ('%s', '%s', 'owner', "
	    "'first')", id, tenant));
	assert_int_equal(session_db_find(db, token)->role, MEMBER_OWNER);
	(void)find_quiet(token);
	(void)people_ask(arena_fmt(arena, "UPDATE membership SET role = "
	    "'member' WHERE account_id = '%s'", id));
	assert_int_equal(session_db_find(db, token)->role, MEMBER_MEMBER);
	(void)find_quiet(token);
	(void)people_ask("UPDATE tenant SET name = 'New' WHERE code = "
	    "'STAMPS'");
	assert_string_equal(session_db_find(db, token)->tenant_name, "New");
	(void)find_quiet(token);
	(void)people_ask(arena_fmt(arena, "INSERT INTO totp (account_id, "
	    "sealed, last_counter) VALUES ('%s', '', 0)", id));
	assert_true(session_db_find(db, token)->has_second);
	(void)find_quiet(token);
	(void)people_ask(arena_fmt(arena, "DELETE FROM totp WHERE account_id = "
	    "'%s'", id));
	assert_false(session_db_find(db, token)->has_second);
	(void)find_quiet(token);
	(void)people_ask(arena_fmt(arena, "DELETE FROM membership WHERE "
	    "account_id = '%s'", id));
	assert_int_equal(session_db_find(db, token)->role, MEMBER_NONE);
	(void)find_quiet(token);
	(void)people_ask(arena_fmt(arena, "UPDATE account SET state = "
	    "'disabled' WHERE id = '%s'", id));
	assert_null(session_db_find(db, token));
}

/* More than there is room for: the oldest go, the others are right. */
static void
test_many_kept(void **state)
{
	struct arena	*request = arena_new(1024 * 1024, NULL, NULL);
	struct session	 one = { .name = "", .email = "" };
	struct kept	*k;
	unsigned char	 hash[SHA256_BYTES];
	unsigned	 i, found = 0;

	(void)state;
	for (i = 0; i < 3 * SESSION_KEPT_MAX; i++) {
		sha256(hash, &i, sizeof(i));
		one.account_id = arena_fmt(request, "%u", i);
		assert_non_null(kept_put(request, hash, i, &one));
		/* Used all the time: it stays. */
		sha256(hash, &(unsigned){ 0 }, sizeof(i));
		assert_non_null(kept_find(request, hash));
	}
	for (i = 0; i < 3 * SESSION_KEPT_MAX; i++) {
		sha256(hash, &i, sizeof(i));
		k = kept_find(request, hash);
		if (k == NULL)
			continue;
		found++;
		assert_int_equal(k->stamp, i);
		assert_string_equal(k->session.account_id,
		    arena_fmt(request, "%u", i));
		kept_drop(hash);
		assert_null(kept_find(request, hash));
	}
	assert_in_range(found, SESSION_KEPT_MAX / 2, SESSION_KEPT_MAX);
	arena_free(request);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_many_kept),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_tenant),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_touch),
		cmocka_unit_test(test_replaced),
	};

	return (cmocka_run_group_tests(tests, people_setup, people_teardown));
}
