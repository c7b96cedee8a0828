/*
 * Keys: what is made and stored, nonces, and (against a real PostgreSQL, see
 * LATCHKEY_TEST_DATABASE_URL) that a key is revealed to members only, once a
 * nonce.
 */
#include "requests/world.h"

#include "keys/key.h"
#include "requests/request.h"

static const char	*cookie;

static int
begin(void **state)
{
	char	*token = arena_alloc(arena, TOKEN_TEXT);

	(void)state;
	world_clear();
	token_make(token);
	cookie = token;
	return (0);
}

static void
test_make(void **state)
{
	struct key_made	 one, two;
	struct secret	 key;
	unsigned char	 mac[SHA256_BYTES];
	const char	*plain;

	(void)state;
	assert_true(key_make(ring, "primary", &one));
	assert_true(key_make(ring, "secondary", &two));
	assert_int_equal(key_open(ring, arena, one.id, "primary", one.sealed,
	    sizeof(one.sealed), &key), SEAL_OK);
	plain = secret_reveal(arena, key);
	assert_int_equal(strlen(plain), 32);
	assert_int_equal(strspn(plain, "0123456789abcdef"), 32);
	assert_string_equal(one.last4, plain + 28);
	assert_true(keyring_hmac(ring, "subscription-key", one.mac_version,
	    plain, 32, mac));
	assert_memory_equal(mac, one.mac, sizeof(mac));
	assert_true(keyring_hmac(ring, "subscription-key-prefix",
	    one.mac_version, plain, 8, mac));
	assert_memory_equal(mac, one.prefix_mac, sizeof(mac));
	assert_memory_not_equal(one.mac, two.mac, sizeof(mac));
	/* Moved to another row or slot it does not open. */
	assert_int_equal(key_open(ring, arena, two.id, "primary", one.sealed,
	    sizeof(one.sealed), &key), SEAL_BROKEN);
	assert_int_equal(key_open(ring, arena, one.id, "secondary",
	    one.sealed, sizeof(one.sealed), &key), SEAL_BROKEN);
	one.sealed[20] ^= 1;
	assert_int_equal(key_open(ring, arena, one.id, "primary", one.sealed,
	    sizeof(one.sealed), &key), SEAL_BROKEN);
}

/* A ring without HMAC keys makes nothing. */
static void
test_no_keys(void **state)
{
	struct keyring	*empty = keyring_new();
	struct key_made	 made;

	(void)state;
	assert_false(key_make(empty, "primary", &made));
	keyring_free(empty);
}

static void
test_nonce(void **state)
{
	static const char	 id[] = "0193f1c8-0000-7000-8000-000000000001";
	static const char	 other[] =
				    "0193f1c8-0000-7000-8000-000000000002";
	const char		*nonce;
	char			*bad;
	char			 cookie2[TOKEN_TEXT];
	size_t			 i;

	(void)state;
	nonce = key_nonce_make(arena, cookie, id, "primary");
	assert_true(strlen(nonce) <= KEY_NONCE_MAX);
	assert_true(key_nonce_valid(arena, nonce, cookie, id, "primary"));
	assert_false(key_nonce_valid(arena, nonce, cookie, id, "secondary"));
	assert_false(key_nonce_valid(arena, nonce, cookie, other, "primary"));
	token_make(cookie2);
	assert_false(key_nonce_valid(arena, nonce, cookie2, id, "primary"));
	assert_string_not_equal(nonce, key_nonce_make(arena, cookie, id,
	    "primary"));
	for (i = 0; nonce[i] != '\0'; i++) {
		bad = arena_strdup(arena, nonce);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		assert_false(key_nonce_valid(arena, bad, cookie, id,
		    "primary"));
		bad[i] = '\0';
		assert_false(key_nonce_valid(arena, bad, cookie, id,
		    "primary"));
	}
	assert_false(key_nonce_valid(arena, arena_fmt(arena, "%sA", nonce),
	    cookie, id, "primary"));
}

static void
test_reveal(void **state)
{
	const char	*ada = contact("Ada", "a.example", "A Co");
	const char	*eve = contact("Eve", "e.example", "E Co");
	const char	*keeper = staff("Tomas"), *request, *sub;
	struct request_decision	 d = { NULL, keeper, "" };
	struct request_tenant	 t = { NULL, "ACO", "A Co", false };
	struct key_revealed	 shown = { 0 };
	struct secret		 key;
	int64_t			 before;

	(void)state;
	assert_int_equal(request_db_submit(db, ada, product, "A Co-KEY",
	    "A Co", 48, 0, "live"), REQUEST_SUBMIT_DONE);
	request = text(db, "SELECT id FROM request", DB_NONE);
	d.request_id = request;
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_DONE);
	sub = text(db, "SELECT id FROM subscription", DB_NONE);
	before = count(db, "SELECT count(*) FROM audit WHERE action = "
	    "'key.shown'", DB_NONE);
	assert_int_equal(key_db_reveal(db, ada, sub, "primary", "n1", &shown),
	    KEY_REVEAL_SHOWN);
	assert_int_equal(key_open(ring, arena, shown.key_id, "primary",
	    shown.sealed, shown.sealed_bytes, &key), SEAL_OK);
	assert_string_equal(shown.name, "A Co-KEY");
	assert_string_equal(shown.tenant_code, "ACO");
	/* Sent again: nothing is read, nothing is written. */
	memset(&shown, 0, sizeof(shown));
	assert_int_equal(key_db_reveal(db, ada, sub, "primary", "n1", &shown),
	    KEY_REVEAL_AGAIN);
	assert_null(shown.sealed);
	assert_string_equal(shown.name, "A Co-KEY");
	assert_int_equal(count(db, "SELECT count(*) FROM audit WHERE action = "
	    "'key.shown'", DB_NONE), before + 1);
	/* Nobody else, and their nonces are not burned. */
	assert_int_equal(key_db_reveal(db, eve, sub, "primary", "n2", &shown),
	    KEY_REVEAL_NONE);
	assert_int_equal(key_db_reveal(db, keeper, sub, "primary", "n2",
	    &shown), KEY_REVEAL_NONE);
	assert_int_equal(count(db, "SELECT count(*) FROM reveal", DB_NONE),
	    1);
	run(db, "UPDATE subscription SET state = 'suspended'", DB_NONE);
	assert_int_equal(key_db_reveal(db, ada, sub, "secondary", "n2",
	    &shown), KEY_REVEAL_SHOWN);
	run(db, "UPDATE subscription SET state = 'cancelled'", DB_NONE);
	assert_int_equal(key_db_reveal(db, ada, sub, "primary", "n3", &shown),
	    KEY_REVEAL_NONE);
	assert_int_equal(count(db, "SELECT count(*) FROM audit WHERE action = "
	    "'key.shown'", DB_NONE), before + 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_make, begin),
		cmocka_unit_test_setup(test_no_keys, begin),
		cmocka_unit_test_setup(test_nonce, begin),
		cmocka_unit_test_setup(test_reveal, begin),
	};

	return (cmocka_run_group_tests(tests, world_setup, world_teardown));
}
