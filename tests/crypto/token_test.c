/*
 * Published vectors of SHA-256 (FIPS 180-4) and HMAC (RFC 4231), the shape of
 * tokens and UUIDs, and that forked processes do not repeat one another.
 */
#include "crypto/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/str.h"

static int
setup(void **state)
{
	(void)state;
	crypto_init();
	crypto_init();
	return (0);
}

static void
test_sha256(void **state)
{
	unsigned char		hash[SHA256_BYTES];
	char			hex[65];
	char			big[1000];

	(void)state;
	sha256(hash, "abc", 3);
	hex_encode(hex, hash, sizeof(hash));
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	sha256(hash, "", 0);
	hex_encode(hex, hash, sizeof(hash));
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	memset(big, 'a', sizeof(big));
	sha256(hash, big, sizeof(big));
	hex_encode(hex, hash, sizeof(hash));
	assert_string_equal(hex, "41edece42d63e8d9bf515a9ba6932e1c"
	    "20cbc9f5a5d134645adb5db1b9737ea3");
}

static void
check_hmac(const char *key_hex, const char *text, const char *expect)
{
	unsigned char	key[131], mac[SHA256_BYTES];
	char		hex[65];
	size_t		n = strlen(key_hex) / 2;

	assert_true(hex_decode(key, n, key_hex));
	hmac_sha256(mac, key, n, text, strlen(text));
	hex_encode(hex, mac, sizeof(mac));
	assert_string_equal(hex, expect);
}

/* RFC 4231 section 4; the order mixes keys short and long, since the context
 * is used again. */
/* The same for the same, another for another. */
static void
test_hash_short(void **state)
{
	unsigned char	 a[HASH_SHORT_BYTES], b[HASH_SHORT_BYTES];

	(void)state;
	hash_short(a, "FORTAPI@ALTWORX", 15);
	hash_short(b, "FORTAPI@ALTWORX", 15);
	assert_memory_equal(a, b, sizeof(a));
	hash_short(b, "FORTAPI@ALTWORY", 15);
	assert_memory_not_equal(a, b, sizeof(a));
	hash_short(b, "FORTAPI@ALTWORX", 14);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void
test_hmac(void **state)
{
	char	aa[263], dd[51], cd[51];

	(void)state;
	memset(aa, 'a', 262);
	aa[262] = '\0';
	memset(dd, 0xdd, 50);
	dd[50] = '\0';
	memset(cd, 0xcd, 50);
	cd[50] = '\0';
	check_hmac("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
	    "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
	check_hmac("4a656665", "what do ya want for nothing?",
	    "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	check_hmac(aa, "Test Using Larger Than Block-Size Key - Hash Key First",
	    "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
	check_hmac("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", dd,
	    "773ea91e36800e46854db8ebd09181a7"
	    "2959098b3ef8c122d9635514ced565fe");
	check_hmac("0102030405060708090a0b0c0d0e0f10111213141516171819", cd,
	    "82558a389a443c0ea4cc819899f2083a"
	    "85f0faa3e578f8077a2e3ff46729665b");
	check_hmac(aa, "This is a test using a larger than block-size key and "
	    "a larger than block-size data. The key needs to be hashed before "
	    "being used by the HMAC algorithm.",
	    "9b09ffa71b942fcb27635fbcd5b0e944"
	    "bfdc63644f0713938a7f51535c3a35e2");
}

static void
test_token(void **state)
{
	char	one[TOKEN_TEXT], two[TOKEN_TEXT];
	size_t	i;

	(void)state;
	token_make(one);
	token_make(two);
	assert_int_equal(strlen(one), 43);
	assert_string_not_equal(one, two);
	assert_true(token_shaped(one));
	assert_true(token_eq(one, one));
	assert_false(token_eq(one, two));
	for (i = 0; i < 43; i++) {
		memcpy(two, one, sizeof(two));
		two[i] = two[i] == 'A' ? 'B' : 'A';
		assert_false(token_eq(one, two));
	}
	memcpy(two, one, sizeof(two));
	two[42] = '\0';
	assert_false(token_shaped(two));
	assert_false(token_eq(one, two));
	assert_false(token_eq("", one));
	two[42] = '%';
	assert_false(token_shaped(two));
	assert_false(token_shaped(""));
}

/* Against an HMAC put together here. */
static void
test_derive(void **state)
{
	unsigned char	mac[SHA256_BYTES];
	char		token[TOKEN_TEXT], one[TOKEN_TEXT], two[TOKEN_TEXT];

	(void)state;
	token_make(token);
	token_derive(one, token, "csrf", "/signin");
	hmac_sha256(mac, token, 43, "csrf\0/signin", 12);
	base64url_encode(two, mac, sizeof(mac));
	assert_string_equal(one, two);
	assert_true(token_shaped(one));

	token_derive(two, token, "csrf", "/signout");
	assert_string_not_equal(one, two);
	token_derive(two, token, "nonce", "/signin");
	assert_string_not_equal(one, two);
	token_derive(two, token, "csr", "f/signin");
	assert_string_not_equal(one, two);
	token_make(token);
	token_derive(two, token, "csrf", "/signin");
	assert_string_not_equal(one, two);
}

/* As libsodium has it, whatever the text; RFC 4648 section 10 among them. */
static void
test_base64(void **state)
{
	static const char	*const good[][2] = { { "", "" }, { "Zg==", "f" },
		{ "Zm8=", "fo" }, { "Zm9v", "foo" }, { "Zm9vYg==", "foob" },
		{ "Zm9vYmE=", "fooba" }, { "Zm9vYmFy", "foobar" },
		{ "++//AZaz09+/", "\xfb\xef\xff\x01\x96\xb3\xd3\xdf\xbf" } };
	static const char	*const bad[] = { "Z", "Zg", "Zg=", "Zm9", "====",
		"=m9v", "Zm=v", "Z===", "Zh==", "Zm9=", "Zm9v====", "Zm-_",
		"Zm9v\n", " Zm9", "Zm9\xe9", "Zm9vZg==Zm9v", "Zm\x7f@" };
	unsigned char		 bytes[16], theirs[16];
	char			 text[9];
	const char		*end;
	size_t			 i, n, k;
	bool			 ours, sodium;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_true(base64_decode(bytes, 9, good[i][0], &n));
		assert_int_equal(n, strlen(good[i][1]));
		assert_memory_equal(bytes, good[i][1], n);
		if (n > 0)
			assert_false(base64_decode(bytes, n - 1, good[i][0],
			    &n));
	}
	for (i = 0; i < COUNT(bad); i++)
		assert_false(base64_decode(bytes, sizeof(bytes), bad[i], &n));
	for (i = 0; i < 200000; i++) {
		random_bytes(text, sizeof(text));
		for (k = 0; k < 8; k++)
			text[k] = "AZaz09+/=gw!"[(unsigned char)text[k] % 12];
		text[(unsigned char)text[8] % 9] = '\0';
		text[8] = '\0';
		ours = base64_decode(bytes, sizeof(bytes), text, &n);
		sodium = sodium_base642bin(theirs, sizeof(theirs), text,
		    strlen(text), NULL, &k, &end,
		    sodium_base64_VARIANT_ORIGINAL) == 0 && *end == '\0';
		assert_int_equal(ours, sodium);
		if (ours) {
			assert_int_equal(n, k);
			assert_memory_equal(bytes, theirs, n);
		}
	}
}

static void
test_uuid(void **state)
{
	static char	seen[20000][UUID_TEXT];
	int64_t		before = clock_now() / 1000, after;
	unsigned long	ms;
	char		digits[13];
	size_t		i;

	(void)state;
	for (i = 0; i < COUNT(seen); i++)
		uuid_make(seen[i]);
	after = clock_now() / 1000;
	for (i = 0; i < COUNT(seen); i++) {
		assert_true(uuid_shaped(seen[i]));
		assert_int_equal(seen[i][14], '7');
		assert_non_null(strchr("89ab", seen[i][19]));
		/* Each is greater than the one before, also within a
		 * millisecond and over the counter's end. */
		if (i > 0)
			assert_true(strcmp(seen[i - 1], seen[i]) < 0);
	}
	(void)snprintf(digits, sizeof(digits), "%.8s%.4s", seen[0],
	    seen[0] + 9);
	ms = strtoul(digits, NULL, 16);
	assert_true((int64_t)ms >= before && (int64_t)ms <= after);

	assert_false(uuid_shaped(""));
	assert_false(uuid_shaped("0192f1b0-0000-7000-8000-00000000000"));
	assert_false(uuid_shaped("0192f1b0-0000-7000-8000-0000000000000"));
	assert_false(uuid_shaped("0192F1b0-0000-7000-8000-000000000000"));
	assert_false(uuid_shaped("0192f1b0-0000-7000-8000_000000000000"));
	assert_true(uuid_shaped("0192f1b0-0000-7000-8000-000000000000"));
}

static void
test_random(void **state)
{
	static unsigned char	bytes[4096];
	size_t			counts[256] = { 0 }, i;

	(void)state;
	random_bytes(bytes, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		counts[bytes[i]]++;
	/* 16 of each are expected; 60 would be eleven deviations away. */
	for (i = 0; i < COUNT(counts); i++)
		assert_true(counts[i] < 60);
}

/* Workers are forked after crypto_init(), and after random bytes were drawn
 * and UUIDs made. */
static void
test_fork(void **state)
{
	static char	texts[4][2][TOKEN_TEXT];
	char		warm[TOKEN_TEXT];
	int		ends[2], status;
	size_t		i, j;
	pid_t		child;

	(void)state;
	token_make(warm);
	uuid_make(warm);
	assert_int_equal(pipe(ends), 0);
	for (i = 0; i < COUNT(texts); i++) {
		child = child_fork();
		if (child == 0) {
			char	out[2][TOKEN_TEXT] = { { 0 } };

			token_make(out[0]);
			uuid_make(out[1]);
			_exit(write(ends[1], out, sizeof(out)) ==
			    sizeof(out) ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_int_equal(read(ends[0], texts[i], sizeof(texts[i])),
		    sizeof(texts[i]));
	}
	for (i = 0; i < COUNT(texts); i++) {
		assert_true(token_shaped(texts[i][0]));
		assert_true(uuid_shaped(texts[i][1]));
		for (j = 0; j < i; j++) {
			assert_string_not_equal(texts[i][0], texts[j][0]);
			assert_string_not_equal(texts[i][1], texts[j][1]);
			/* Not only by their counter: by the random end too. */
			assert_string_not_equal(texts[i][1] + 24,
			    texts[j][1] + 24);
		}
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hash_short),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_fork),
	};

	return (cmocka_run_group_tests(tests, setup, NULL));
}
