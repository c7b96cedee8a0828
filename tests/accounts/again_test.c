/*
 * How a form travels through the page that asks for a fresh sign-in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts/again.h"

#define NOW	INT64_C(1795356300000000)

static struct arena		*arena;
static struct keyring		*ring;

static int
setup(void **state)
{
	unsigned char	 sealed[KEY_BYTES + SEAL_OVERHEAD];
	const char	*why;
	char		 folder[] = "/tmp/again-test-XXXXXX";
	char		*path;
	size_t		 n;

	(void)state;
	crypto_init();
	arena = arena_new(16u << 20, NULL, NULL);
	assert_non_null(mkdtemp(folder));
	path = arena_fmt(arena, "%s/master.key", folder);
	ring = keyring_new();
	if (!master_key_create(path, arena, &why) ||
	    !keyring_read_master(ring, arena, path, &why))
		fail_msg("%s", why);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	n = keyring_make(ring, "data", 1, sealed);
	assert_int_equal(keyring_add(ring, "data", 1, sealed, n), SEAL_OK);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	keyring_free(ring);
	arena_free(arena);
	return (0);
}

static const char *
open_at(const char *cookie, const char *path, int64_t now, const char *sealed)
{
	unsigned char	nonce[AGAIN_NONCE];

	return (again_open(ring, arena, cookie, path, now, sealed, nonce));
}

static void
test_round_trip(void **state)
{
	unsigned char	 one[AGAIN_NONCE], two[AGAIN_NONCE];
	const char	*a, *b;

	(void)state;
	a = again_seal(ring, arena, "cookie", "/a/b", NOW, "x=1&y=%20");
	b = again_seal(ring, arena, "cookie", "/a/b", NOW, "x=1&y=%20");
	assert_string_not_equal(a, b);
	assert_null(strstr(a, "x=1"));
	assert_string_equal(again_open(ring, arena, "cookie", "/a/b", NOW, a,
	    one), "x=1&y=%20");
	assert_string_equal(again_open(ring, arena, "cookie", "/a/b", NOW, b,
	    two), "x=1&y=%20");
	assert_memory_not_equal(one, two, AGAIN_NONCE);
	a = again_seal(ring, arena, "cookie", "/", NOW, "");
	assert_string_equal(open_at("cookie", "/", NOW, a), "");
}

static void
test_bound_and_short_lived(void **state)
{
	const char	*sealed = again_seal(ring, arena, "cookie", "/a/b", NOW,
			    "x=1");
	char		*broken;
	size_t		 i;

	(void)state;
	assert_non_null(open_at("cookie", "/a/b", NOW + AGAIN_S * SECOND_US,
	    sealed));
	assert_null(open_at("cookie", "/a/b", NOW + AGAIN_S * SECOND_US + 1,
	    sealed));
	assert_null(open_at("cookie", "/a/b", NOW - 2 * MINUTE_US, sealed));
	assert_null(open_at("biscuit", "/a/b", NOW, sealed));
	assert_null(open_at("cookie", "/a/c", NOW, sealed));
	assert_null(open_at("cookie", "/a", NOW, sealed));
	assert_null(open_at("cookie", "/a/b", NOW, ""));
	assert_null(open_at("cookie", "/a/b", NOW, "A"));
	assert_null(open_at("cookie", "/a/b", NOW, "!!!!"));
	for (i = 0; sealed[i] != '\0'; i++) {
		broken = arena_strdup(arena, sealed);
		broken[i] = broken[i] == 'A' ? 'B' : 'A';
		assert_null(open_at("cookie", "/a/b", NOW, broken));
	}
}

static void
test_size(void **state)
{
	char		*text = arena_alloc(arena, AGAIN_TEXT_MAX + 2);
	const char	*sealed;

	(void)state;
	memset(text, 'x', AGAIN_TEXT_MAX);
	sealed = again_seal(ring, arena, "cookie", "/", NOW, text);
	assert_string_equal(open_at("cookie", "/", NOW, sealed), text);
	/* With a path of the greatest length and a token it fits a form. */
	assert_true(strlen(sealed) + 1024 < 64u * 1024);
	text[AGAIN_TEXT_MAX] = 'x';
	assert_null(again_seal(ring, arena, "cookie", "/", NOW, text));
}

static void
test_passwords_stay(void **state)
{
	(void)state;
	assert_true(again_travels("reason"));
	assert_true(again_travels("nonce"));
	assert_false(again_travels("password"));
	assert_false(again_travels("new_password"));
	assert_false(again_travels("csrf"));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bound_and_short_lived),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_passwords_stay),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
