/*
 * Second factors and passkeys against a real PostgreSQL
 * (LATCHKEY_TEST_DATABASE_URL).  Every test has an account of its own.
 */
#include "accounts/people.h"

#include "accounts/factor.h"
#include "accounts/passkey.h"

/* Shorter than a head, so it stands on no data key. */
static const unsigned char	sealed[] = "key";

static struct session *
person(const char *email)
{
	struct session	*s = session_db_find(db, people_contact(email));

	assert_non_null(s);
	return (s);
}

static const char *
nonce(void)
{
	char	*token = arena_alloc(arena, TOKEN_TEXT);

	token_make(token);
	return (token);
}

static void
set_up(struct session *s, struct recovery_codes *codes)
{
	recovery_codes_make(s->account_id, codes);
	assert_int_equal(factor_db_set_up(db, s, sealed, sizeof(sealed), 100,
	    nonce(), codes), FACTOR_DONE);
}

/* The token of a pending sign-in, after the right password. */
static const char *
half(const char *email)
{
	struct address		 address = people_address(email);
	struct credential	 c = account_db_credential(db, &address,
				    people_from("192.0.2.7"));
	const char		*token = nonce();

	assert_true(c.has_second);
	assert_true(factor_db_pend(db, &c, NULL, token));
	return (token);
}

static bool
enter(const char *token, const struct proof *proof)
{
	struct session_start	start = people_start();

	return (factor_db_enter(db, token, proof, &start));
}

static const char *
actions(const struct session *s)
{
	return (people_ask(arena_fmt(arena, "SELECT string_agg(action, ' ' "
	    "ORDER BY id) FROM audit WHERE subject_id = '%s'",
	    s->account_id)));
}

static const char *
mails(const struct session *s)
{
	return (people_ask(arena_fmt(arena, "SELECT string_agg(kind, ' ' "
	    "ORDER BY kind) FROM outbox WHERE account_id = '%s'",
	    s->account_id)));
}

static void
test_set_up_and_remove(void **state)
{
	struct session		*s = person("app@f.example");
	struct session_start	 start = people_start();
	struct recovery_codes	 codes;
	struct factors		 factors;
	struct address		 address = people_address("app@f.example");
	struct credential	 c = account_db_credential(db, &address,
				    people_from("192.0.2.7"));
	const char		*once = nonce();

	(void)state;
	assert_true(account_db_signin(db, &c, NULL, &start));
	recovery_codes_make(s->account_id, &codes);
	assert_int_equal(factor_db_set_up(db, s, sealed, sizeof(sealed), 100,
	    once, &codes), FACTOR_DONE);
	/* The other session ended, this one goes on. */
	assert_null(session_db_find(db, start.token));
	assert_true(session_db_find(db, s->cookie)->has_second);
	factors = factor_db_of(db, s->account_id);
	assert_true(factors.has_totp);
	assert_false(factors.has_passkey);
	assert_int_equal(factors.recovery_left, RECOVERY_CODES);
	/* The same form once more, and another one. */
	assert_int_equal(factor_db_set_up(db, s, sealed, sizeof(sealed), 100,
	    once, &codes), FACTOR_AGAIN);
	assert_int_equal(factor_db_set_up(db, s, sealed, sizeof(sealed), 100,
	    nonce(), &codes), FACTOR_CONFLICT);
	/* A password alone signs nobody in any more. */
	start = people_start();
	assert_false(account_db_signin(db, &c, NULL, &start));
	assert_int_equal(factor_db_remove(db, s), FACTOR_DONE);
	assert_int_equal(factor_db_remove(db, s), FACTOR_CONFLICT);
	factors = factor_db_of(db, s->account_id);
	assert_false(factors.has_totp);
	assert_int_equal(factors.recovery_left, 0);
	assert_non_null(strstr(actions(s), "factor.added factor.removed"));
	assert_string_equal(mails(s), "factor_added factor_removed");
}

static void
test_codes_once(void **state)
{
	struct session		*s = person("code@f.example");
	struct recovery_codes	 codes;
	struct challenge	 challenge;
	struct proof		 proof = { .counter = 101 };
	const char		*one, *two;

	(void)state;
	set_up(s, &codes);
	one = half("code@f.example");
	two = half("code@f.example");
	assert_true(factor_db_pending(db, one, people_from("192.0.2.7"),
	    &challenge));
	assert_string_equal(challenge.account_id, s->account_id);
	assert_true(challenge.has_totp);
	assert_int_equal(challenge.sealed_bytes, sizeof(sealed));
	assert_int_equal(challenge.last_counter, 100);
	assert_null(challenge.visitor.browser);
	assert_true(enter(one, &proof));
	assert_false(enter(one, &proof));
	assert_false(enter(two, &proof));
	proof.counter = 100;
	assert_false(enter(two, &proof));
	proof = (struct proof){ .is_recovery = true };
	memcpy(proof.hash, codes.hash[3], sizeof(proof.hash));
	assert_true(enter(two, &proof));
	assert_false(factor_db_use(db, s->account_id, &proof));
	assert_int_equal(factor_db_of(db, s->account_id).recovery_left,
	    RECOVERY_CODES - 1);
	assert_non_null(strstr(mails(s), "recovery_used"));
	proof = (struct proof){ .counter = 102 };
	assert_true(factor_db_use(db, s->account_id, &proof));
	assert_false(factor_db_use(db, s->account_id, &proof));
}

static void
test_half_a_sign_in_ends(void **state)
{
	struct session		*s = person("half@f.example");
	struct recovery_codes	 codes;
	struct challenge	 challenge;
	const struct visitor	*here = people_from("192.0.2.7");
	const char		*token;

	(void)state;
	set_up(s, &codes);
	assert_false(factor_db_pending(db, nonce(), here, &challenge));
	token = half("half@f.example");
	(void)people_ask(arena_fmt(arena, "UPDATE account SET password_at = "
	    "now() WHERE id = '%s'", s->account_id));
	assert_false(factor_db_pending(db, token, here, &challenge));
	token = half("half@f.example");
	(void)people_ask("UPDATE pending_signin SET expires_at = now()");
	assert_false(factor_db_pending(db, token, here, &challenge));
	token = half("half@f.example");
	(void)people_ask(arena_fmt(arena, "UPDATE account SET state = "
	    "'disabled' WHERE id = '%s'", s->account_id));
	assert_false(factor_db_pending(db, token, here, &challenge));
}

static void
test_new_recovery_codes(void **state)
{
	struct session		*s = person("renew@f.example");
	struct recovery_codes	 old, new;
	struct proof		 proof = { .is_recovery = true };
	const char		*once = nonce();

	(void)state;
	recovery_codes_make(s->account_id, &new);
	/* There is no factor that they would stand in for. */
	assert_int_equal(factor_db_recovery_new(db, s, nonce(), &new),
	    FACTOR_CONFLICT);
	set_up(s, &old);
	assert_int_equal(factor_db_recovery_new(db, s, once, &new),
	    FACTOR_DONE);
	assert_int_equal(factor_db_recovery_new(db, s, once, &old),
	    FACTOR_AGAIN);
	memcpy(proof.hash, old.hash[0], sizeof(proof.hash));
	assert_false(factor_db_use(db, s->account_id, &proof));
	memcpy(proof.hash, new.hash[0], sizeof(proof.hash));
	assert_true(factor_db_use(db, s->account_id, &proof));
}

/* ---- passkeys */

static enum factor_result
add(struct session *s, const char *id, int64_t n, bool *ret_has_codes)
{
	const struct passkey_new new = {
		.id = { (const unsigned char *)id, strlen(id) },
		.key = { (const unsigned char *)"key", 3 },
		.algorithm = PASSKEY_ES256, .count = 1,
	};
	unsigned char		 once[AGAIN_NONCE];
	struct recovery_codes	 codes;

	memset(once, 0, sizeof(once));
	memcpy(once, s->account_id + 24, 12);
	memcpy(once + 12, &n, 4);
	recovery_codes_make(s->account_id, &codes);
	return (passkey_db_add(db, s, "Laptop", &new, once, &codes,
	    ret_has_codes));
}

static void
test_passkeys(void **state)
{
	const struct bytes	 id = { (const unsigned char *)"pk-1", 4 };
	const struct passkey_row *rows;
	struct session		*s = person("key@f.example");
	struct session		*other = person("other@f.example");
	struct passkey		 passkey;
	bool			 has_codes = false;
	int64_t			 i;

	(void)state;
	assert_int_equal(add(s, "pk-1", 1, &has_codes), FACTOR_DONE);
	assert_true(has_codes);
	assert_int_equal(add(s, "pk-2", 1, &has_codes), FACTOR_AGAIN);
	assert_int_equal(add(s, "pk-2", 2, &has_codes), FACTOR_DONE);
	assert_false(has_codes);
	/* One that is known, whosever it is. */
	assert_int_equal(add(other, "pk-1", 1, &has_codes), FACTOR_CONFLICT);
	for (i = 3; i <= PASSKEYS_MAX; i++)
		assert_int_equal(add(s, arena_fmt(arena, "pk-%d", (int)i), i,
		    &has_codes), FACTOR_DONE);
	assert_int_equal(add(s, "pk-11", 11, &has_codes), FACTOR_CONFLICT);
	assert_int_equal(passkey_db_list(db, s->account_id, &rows),
	    PASSKEYS_MAX);
	assert_string_equal(rows[0].name, "Laptop");
	assert_int_equal(rows[0].used_at, 0);
	assert_true(passkey_db_find(db, id, &passkey));
	assert_string_equal(passkey.account_id, s->account_id);
	assert_int_equal(passkey.key.n, 3);
	assert_false(passkey_db_remove(db, other, rows[0].id));
	assert_true(passkey_db_remove(db, s, rows[0].id));
	assert_false(passkey_db_remove(db, s, rows[0].id));
	assert_int_equal(factor_db_of(db, s->account_id).recovery_left,
	    RECOVERY_CODES);
	for (i = 1; i < PASSKEYS_MAX; i++)
		assert_true(passkey_db_remove(db, s, rows[i].id));
	/* With the last one its recovery codes go. */
	assert_int_equal(factor_db_of(db, s->account_id).recovery_left, 0);
	assert_false(passkey_db_find(db, id, &passkey));
}

static void
test_signing_in_with_a_passkey(void **state)
{
	const struct bytes	 id = { (const unsigned char *)"in-1", 4 };
	struct session		*s = person("in@f.example");
	struct session_start	 start = people_start();
	unsigned char		 once[AGAIN_NONCE] = "first", then[AGAIN_NONCE]
				    = "second", last[AGAIN_NONCE] = "third";
	bool			 has_codes = false;

	(void)state;
	assert_int_equal(add(s, "in-1", 1, &has_codes), FACTOR_DONE);
	assert_true(passkey_db_enter(db, id, 5, once, &start));
	assert_non_null(session_db_find(db, start.token));
	start = people_start();
	/* The challenge again, and a counter that does not go on. */
	assert_false(passkey_db_enter(db, id, 6, once, &start));
	assert_false(passkey_db_enter(db, id, 5, then, &start));
	assert_null(session_db_find(db, start.token));
	assert_false(passkey_db_use(db, person("in2@f.example")->account_id,
	    id, 9, last));
	assert_true(passkey_db_use(db, s->account_id, id, 10, then));
	assert_false(passkey_db_use(db, s->account_id, id, 11, then));
	(void)people_ask(arena_fmt(arena, "UPDATE account SET state = "
	    "'disabled' WHERE id = '%s'", s->account_id));
	assert_false(passkey_db_enter(db, id, 12, last, &start));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_set_up_and_remove),
		cmocka_unit_test(test_codes_once),
		cmocka_unit_test(test_half_a_sign_in_ends),
		cmocka_unit_test(test_new_recovery_codes),
		cmocka_unit_test(test_passkeys),
		cmocka_unit_test(test_signing_in_with_a_passkey),
	};

	return (cmocka_run_group_tests(tests, people_setup, people_teardown));
}
