/*
 * Sign-up and sign-in against a real PostgreSQL (LATCHKEY_TEST_DATABASE_URL).
 * Every test has addresses and networks of its own.
 */
#include "accounts/people.h"

static struct signup_answer
ask(const char *email, const char *name, const char *network)
{
	struct address	address = people_address(email);

	return (signup_db_ask(db, &address, name,
	    name == NULL ? NULL : "Altaworx", network));
}

static int64_t
count(const char *sql)
{
	return (db_number(db_read(owner, arena_memdup(arena, &(struct db_query){
	    "", sql }, sizeof(struct db_query)), DB_NONE), 0, 0));
}

static bool
create(const char *token, enum account_kind *kind)
{
	const struct account_new new = { "Ada Byron", "Altaworx GmbH",
				    "hash of ada" };
	struct session_start	 start = people_start();

	return (account_db_create(db, token, &new, &start, kind));
}

static void
test_signup_leaves_a_token(void **state)
{
	struct signup	signup;

	(void)state;
	assert_int_equal(ask("one@a.example", "Ada", "198.51.100.1").result,
	    SIGNUP_QUEUED);
	assert_int_equal(count("SELECT count(*) FROM person WHERE email = "
	    "'one@a.example'"), 0);
	assert_int_equal(count("SELECT count(*) FROM outbox WHERE address = "
	    "'one@a.example' AND kind = 'verify' AND params = "
	    "(SELECT jsonb_build_object('signup_id', id) FROM signup "
	    "WHERE email = 'one@a.example')"), 1);
	assert_true(signup_db_find(db, people_link("one@a.example"), &signup));
	assert_string_equal(signup.email, "one@a.example");
	assert_string_equal(signup.name, "Ada");
	assert_string_equal(signup.client, "Altaworx");
	assert_false(signup.is_staff);
	assert_false(signup_db_find(db, "", &signup));
	assert_false(signup_db_find(db, "no token", &signup));
	assert_false(signup_db_find(db,
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &signup));
}

static void
test_link_works_once(void **state)
{
	enum account_kind	 kind = ACCOUNT_ADMIN;
	struct signup		 signup;
	const char		*token;

	(void)state;
	(void)ask("once@a.example", "Ada", "198.51.100.1");
	token = people_link("once@a.example");
	assert_true(create(token, &kind));
	assert_int_equal(kind, ACCOUNT_CONTACT);
	assert_false(create(token, &kind));
	assert_false(signup_db_find(db, token, &signup));
	assert_string_equal(people_ask("SELECT name || '|' || client || '|' || "
	    "email_domain || '|' || state || '|' || kind || '|' || "
	    "password_hash FROM person JOIN account ON id = account_id "
	    "WHERE email = 'once@a.example'"),
	    "Ada Byron|Altaworx GmbH|a.example|active|contact|hash of ada");
	assert_int_equal(count("SELECT count(*) FROM session s JOIN person p "
	    "USING (account_id) WHERE email = 'once@a.example' AND "
	    "s.expires_at = s.created_at + interval '14 days'"), 1);
	assert_string_equal(people_ask("SELECT string_agg(action, ' ' "
	    "ORDER BY a.id) FROM audit a JOIN person p ON subject_id = "
	    "account_id WHERE email = 'once@a.example'"),
	    "account.created session.started");
}

static void
test_newest_link_counts(void **state)
{
	enum account_kind	 kind;
	struct signup		 signup;
	const char		*first, *second;

	(void)state;
	(void)ask("new@a.example", "Ada", "198.51.100.1");
	first = people_link("new@a.example");
	(void)ask("New@A.example", NULL, "198.51.100.1");
	second = people_link("New@A.example");
	assert_string_not_equal(first, second);
	assert_false(signup_db_find(db, first, &signup));
	assert_false(create(first, &kind));
	/* Sent again with what was typed at the first time. */
	assert_true(signup_db_find(db, second, &signup));
	assert_string_equal(signup.name, "Ada");
	assert_string_equal(signup.client, "Altaworx");
	assert_true(create(second, &kind));
}

static void
test_link_ends(void **state)
{
	enum account_kind	 kind;
	struct signup		 signup;
	const char		*token;

	(void)state;
	(void)ask("late@a.example", "Ada", "198.51.100.1");
	token = people_link("late@a.example");
	assert_int_equal(count("SELECT count(*) FROM signup WHERE email = "
	    "'late@a.example' AND expires_at = created_at + "
	    "interval '24 hours'"), 1);
	(void)people_ask("UPDATE signup SET expires_at = now() WHERE email = "
	    "'late@a.example'");
	assert_false(signup_db_find(db, token, &signup));
	assert_false(create(token, &kind));
	/* A new one can be sent. */
	assert_int_equal(ask("late@a.example", NULL, "198.51.100.1").result,
	    SIGNUP_QUEUED);
	assert_true(create(people_link("late@a.example"), &kind));
}

static void
test_three_mails_an_hour(void **state)
{
	static const char *const emails[] = { "busy@a.example",
	    "nobody@a.example", "known@a.example" };
	struct signup_answer	 answer;
	size_t			 e;
	int			 i;

	(void)state;
	/* The same for one who signed up, for one whom we don't know, and for
	 * one with an account (whose sign-up was one of the three). */
	(void)people_contact("known@a.example");
	for (e = 0; e < COUNT(emails); e++) {
		for (i = e == 2 ? 1 : 0; i < SIGNUP_MAILS; i++)
			assert_int_equal(ask(emails[e], e == 0 ? "Ada" : NULL,
			    "198.51.100.1").result, SIGNUP_QUEUED);
		answer = ask(emails[e], NULL, "198.51.100.1");
		assert_int_equal(answer.result, SIGNUP_ADDRESS_BUSY);
		answer = ask(emails[e], "Ada", "198.51.100.2");
		assert_int_equal(answer.result, SIGNUP_ADDRESS_BUSY);
		assert_int_equal(answer.next_at, count(arena_fmt(arena,
		    "SELECT (extract(epoch FROM min(created_at) + "
		    "interval '1 hour') * 1000000)::bigint FROM signup "
		    "WHERE email = '%s'", emails[e])));
	}
	assert_int_equal(count("SELECT count(*) FROM outbox WHERE address = "
	    "'busy@a.example'"), 3);
	/* The same work, so the same time; but there is no link that the
	 * courier would send. */
	assert_int_equal(count("SELECT count(*) FROM outbox o JOIN signup s "
	    "ON s.id = (o.params ->> 'signup_id')::uuid WHERE o.address = "
	    "'nobody@a.example' AND s.token_hash IS NULL "
	    "AND s.used_at IS NOT NULL"), 3);
	assert_int_equal(count("SELECT count(*) FROM outbox WHERE kind = "
	    "'account_exists' AND account_id = (SELECT account_id FROM person "
	    "WHERE email = 'known@a.example')"), 2);
	(void)people_ask("UPDATE signup SET created_at = created_at - "
	    "interval '1 hour' WHERE id = (SELECT min(id::text)::uuid FROM "
	    "signup WHERE email = 'busy@a.example')");
	assert_int_equal(ask("busy@a.example", NULL, "198.51.100.1").result,
	    SIGNUP_QUEUED);
	assert_int_equal(ask("busy@a.example", NULL, "198.51.100.1").result,
	    SIGNUP_ADDRESS_BUSY);
}

static void
test_known_address_gets_no_token(void **state)
{
	(void)state;
	(void)people_contact("have@a.example");
	assert_int_equal(ask("HAVE@a.example", "Mallory", "198.51.100.1")
	    .result, SIGNUP_QUEUED);
	assert_int_equal(count("SELECT count(*) FROM signup WHERE email = "
	    "'HAVE@a.example' AND token_hash IS NULL"), 1);
	assert_int_equal(count("SELECT count(*) FROM outbox WHERE "
	    "params::text LIKE '%Mallory%' OR address = 'HAVE@a.example'"), 0);
}

static void
test_network_is_throttled(void **state)
{
	struct signup_answer	 answer = { 0 };
	char			*email;
	int			 i;

	(void)state;
	for (i = 0; i < 60; i++) {
		email = arena_fmt(arena, "n%d@flood.example", i);
		assert_int_equal(ask(email, "Ada", "198.51.100.60").result,
		    SIGNUP_QUEUED);
	}
	answer = ask("last@flood.example", "Ada", "198.51.100.60");
	assert_int_equal(answer.result, SIGNUP_NETWORK_BUSY);
	assert_in_range(answer.wait_s, 1, 10);
	assert_int_equal(count("SELECT count(*) FROM signup WHERE email = "
	    "'last@flood.example'"), 0);
	assert_int_equal(ask("last@flood.example", "Ada", "198.51.100.61")
	    .result, SIGNUP_QUEUED);
}

static void
invite(const char *email, const char *role)
{
	char	id[UUID_TEXT], token[TOKEN_TEXT], hex[2 * SHA256_BYTES + 1];
	unsigned char	hash[SHA256_BYTES];

	uuid_make(id);
	link_token("verify", id, token);
	link_token_hash(token, hash);
	hex_encode(hex, hash, sizeof(hash));
	(void)people_ask(arena_fmt(arena, "INSERT INTO signup (id, email, "
	    "email_folded, email_domain, name, invited_as, token_hash, "
	    "expires_at) VALUES ('%s', '%s', '%s', 'staff.example', 'Sam', "
	    "'%s', '\\x%s', now() + interval '24 hours')", id, email, email,
	    role, hex));
}

static void
test_invitation(void **state)
{
	enum account_kind	kind;
	struct signup		signup;

	(void)state;
	invite("sam@staff.example", "admin");
	assert_true(signup_db_find(db, people_link("sam@staff.example"),
	    &signup));
	assert_true(signup.is_staff);
	/* A stranger who signs up with that address changes nothing of it. */
	assert_int_equal(ask("sam@staff.example", "Mallory", "198.51.100.1")
	    .result, SIGNUP_QUEUED);
	assert_string_equal(people_ask("SELECT kind FROM outbox WHERE address "
	    "= 'sam@staff.example'"), "staff_invite");
	assert_true(signup_db_find(db, people_link("sam@staff.example"),
	    &signup));
	assert_true(signup.is_staff);
	assert_string_equal(signup.name, "Sam");
	assert_true(create(people_link("sam@staff.example"), &kind));
	assert_int_equal(kind, ACCOUNT_ADMIN);
	assert_string_equal(people_ask("SELECT kind || staff_role || client "
	    "FROM account JOIN person ON account_id = id WHERE email = "
	    "'sam@staff.example'"), "staffadmin");
}

static void
test_invitation_ends(void **state)
{
	enum account_kind	kind;

	(void)state;
	invite("tim@staff.example", "staff");
	(void)people_ask("UPDATE signup SET expires_at = now() WHERE email = "
	    "'tim@staff.example'");
	/* Nobody brings it back to life by asking for another mail. */
	(void)ask("tim@staff.example", NULL, "198.51.100.1");
	assert_int_equal(count("SELECT count(*) FROM outbox o JOIN signup s "
	    "ON s.id = (o.params ->> 'signup_id')::uuid WHERE o.address = "
	    "'tim@staff.example' AND s.used_at IS NULL"), 0);
	(void)ask("tim@staff.example", "Tim", "198.51.100.1");
	assert_true(create(people_link("tim@staff.example"), &kind));
	assert_int_equal(kind, ACCOUNT_CONTACT);
}

static void
test_credential(void **state)
{
	struct address		known = people_address("in@a.example");
	struct address		unknown = people_address("out@a.example");
	struct session_start	start;
	struct credential	c;

	(void)state;
	c = account_db_credential(db, &unknown, people_from("203.0.113.1"));
	assert_null(c.account_id);
	assert_null(c.hash);
	assert_false(c.is_active);
	(void)people_contact("in@a.example");
	c = account_db_credential(db, &known, people_from("203.0.113.1"));
	assert_non_null(c.account_id);
	assert_string_equal(c.hash, "no hash");
	assert_true(c.is_active);
	assert_false(c.is_known);
	assert_int_equal(c.kind, ACCOUNT_CONTACT);
	start = people_start();
	start.network = "203.0.113.1";
	assert_true(account_db_signin(db, &c, "new hash", &start));
	/* Its password is another one by now. */
	start = people_start();
	assert_false(account_db_signin(db, &c, NULL, &start));
	c = account_db_credential_of(db, c.account_id, people_from("203.0.113.1"));
	assert_string_equal(c.hash, "new hash");
	assert_true(c.is_known);
	(void)people_ask("UPDATE account SET state = 'disabled' WHERE id = "
	    "(SELECT account_id FROM person WHERE email = 'in@a.example')");
	start = people_start();
	assert_false(account_db_signin(db, &c, NULL, &start));
	assert_null(session_db_find(db, start.token));
	c = account_db_credential(db, &known, people_from("203.0.113.1"));
	assert_false(c.is_active);
}

static void
test_failures_are_written(void **state)
{
	struct address		known = people_address("try@a.example");
	struct address		unknown = people_address("try2@a.example");
	struct credential	c;
	int			i;

	(void)state;
	(void)people_contact("try@a.example");
	/* One row each, with an account or without, and no address in it. */
	for (i = 0; i < 2; i++) {
		c = account_db_credential(db, i == 0 ? &known : &unknown,
		    people_from("203.0.113.2"));
		assert_int_equal(tries_db_begin(db, &c.tries), 0);
		account_db_failed(db, &c);
	}
	assert_int_equal(count("SELECT count(*) FROM audit WHERE action = "
	    "'session.failed' AND detail = '{}'"), 2);
	assert_int_equal(count("SELECT count(*) FROM throttle WHERE key LIKE "
	    "'%@%'"), 0);
	assert_int_equal(count("SELECT count(*) FROM throttle WHERE bucket = "
	    "'password'"), 2);
}

static void
test_since(void **state)
{
	struct session	*s = session_db_find(db,
			    people_contact("since@a.example"));

	(void)state;
	assert_non_null(s);
	assert_int_equal(account_db_since(db, s->account_id),
	    count("SELECT (extract(epoch FROM created_at) * 1000000)::bigint "
	    "FROM account JOIN person ON account_id = id WHERE email = "
	    "'since@a.example'"));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_signup_leaves_a_token),
		cmocka_unit_test(test_link_works_once),
		cmocka_unit_test(test_newest_link_counts),
		cmocka_unit_test(test_link_ends),
		cmocka_unit_test(test_three_mails_an_hour),
		cmocka_unit_test(test_known_address_gets_no_token),
		cmocka_unit_test(test_network_is_throttled),
		cmocka_unit_test(test_invitation),
		cmocka_unit_test(test_invitation_ends),
		cmocka_unit_test(test_credential),
		cmocka_unit_test(test_failures_are_written),
		cmocka_unit_test(test_since),
	};

	return (cmocka_run_group_tests(tests, people_setup, people_teardown));
}
