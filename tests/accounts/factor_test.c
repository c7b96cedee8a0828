/*
 * Rules of second factors: one-time codes against the vectors of RFC 6238 and
 * RFC 4226, drift and replay, recovery codes, and what travels in forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts/factor.h"
#include "accounts/qr.h"

#define ACCOUNT	"0189cccc-0000-7000-8000-000000000001"
#define OTHER	"0189cccc-0000-7000-8000-000000000002"

static const unsigned char	 secret[TOTP_SECRET_BYTES + 1] =
				    "12345678901234567890";
static struct arena		*arena;
static struct keyring		*ring;

static int
setup(void **state)
{
	unsigned char	 sealed[KEY_BYTES + SEAL_OVERHEAD];
	const char	*why;
	char		 folder[] = "/tmp/factor-test-XXXXXX";
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

/* RFC 6238 appendix B, the last six of its eight digits. */
static void
test_vectors(void **state)
{
	static const struct {
		int64_t		 at_s;
		const char	*code;
	}			 rows[] = {
		{ 59, "287082" },
		{ 1111111109, "081804" },
		{ 1111111111, "050471" },
		{ 1234567890, "005924" },
		{ 2000000000, "279037" },
		{ INT64_C(20000000000), "353130" },
	};
	int64_t			 counter = -1;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_true(totp_check(secret, rows[i].code,
		    rows[i].at_s * SECOND_US, -1, &counter));
		assert_int_equal(counter, rows[i].at_s / 30);
	}
}

/* Counters 0 to 9 have the codes of RFC 4226 appendix D. */
static void
test_drift_and_replay(void **state)
{
	int64_t	counter = -1;
	/* In the step of counter 5. */
	int64_t	now = (5 * 30 + 7) * SECOND_US;

	(void)state;
	assert_true(totp_check(secret, "254676", now, -1, &counter));
	assert_int_equal(counter, 5);
	assert_true(totp_check(secret, "338314", now, -1, &counter));
	assert_int_equal(counter, 4);
	assert_true(totp_check(secret, "287922", now, -1, &counter));
	assert_int_equal(counter, 6);
	/* Two steps away, and none of them. */
	assert_false(totp_check(secret, "969429", now, -1, &counter));
	assert_false(totp_check(secret, "162583", now, -1, &counter));
	assert_false(totp_check(secret, "000000", now, -1, &counter));
	assert_int_equal(counter, 6);
	/* Used, and older than a used one. */
	assert_false(totp_check(secret, "254676", now, 5, &counter));
	assert_false(totp_check(secret, "338314", now, 5, &counter));
	assert_true(totp_check(secret, "287922", now, 5, &counter));
	assert_false(totp_check(secret, "287922", now, 6, &counter));
}

static void
test_typed_codes(void **state)
{
	static const char *const bad[] = { "", "12345", "1234567", "12345a",
		"-12345", "123 45", "１２３４５６", "12345\n6", "0x1234" };
	char			 code[TOTP_CODE] = "";
	size_t			 i;

	(void)state;
	assert_true(totp_code("012345", code));
	assert_string_equal(code, "012345");
	assert_true(totp_code(" 654 321 ", code));
	assert_string_equal(code, "654321");
	for (i = 0; i < COUNT(bad); i++)
		assert_false(totp_code(bad[i], code));
	assert_string_equal(code, "654321");
}

static void
test_what_the_app_gets(void **state)
{
	struct qr	 qr;
	const char	*uri;

	(void)state;
	assert_string_equal(totp_text(arena, secret),
	    "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
	uri = totp_uri(arena, secret, "Tom & Co", "a+b@x.example");
	assert_string_equal(uri,
	    "otpauth://totp/Tom%20%26%20Co:"
	    "a%2Bb%40x.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	    "&issuer=Tom%20%26%20Co&algorithm=SHA1&digits=6&period=30");
	assert_true(qr_draw(arena, uri, &qr));
	/* Version n has 17 + 4n modules, and 4 of border at each side. */
	assert_int_equal((qr.size - 8 - 17) % 4, 0);
	assert_in_range(qr.size, 41, 100);
	/* The corner's finder: a row of 7 dark ones, then one, a gap of 5. */
	assert_true(str_starts(qr.path, "M4 4h7v1h-7z"));
	assert_non_null(strstr(qr.path, "M4 5h1v1h-1zM10 5h1v1h-1z"));
	assert_int_equal(strspn(qr.path, "0123456789Mhvz -"), strlen(qr.path));
	uri = arena_fmt(arena, "%0*d", QR_TEXT_MAX, 7);
	assert_true(qr_draw(arena, uri, &qr));
	uri = arena_fmt(arena, "%0*d", QR_TEXT_MAX + 1, 7);
	assert_false(qr_draw(arena, uri, &qr));
}

static void
test_recovery(void **state)
{
	struct recovery_codes	 one, two;
	unsigned char	 hash[SHA256_BYTES], again[SHA256_BYTES];
	size_t		 i, j;

	(void)state;
	recovery_codes_make(ACCOUNT, &one);
	recovery_codes_make(ACCOUNT, &two);
	for (i = 0; i < RECOVERY_CODES; i++) {
		assert_int_equal(strlen(one.text[i]),
		    strlen(RECOVERY_EXAMPLE));
		for (j = 0; j < RECOVERY_CODES; j++) {
			assert_string_not_equal(one.text[i], two.text[j]);
			if (i != j)
				assert_string_not_equal(one.text[i],
				    one.text[j]);
		}
		assert_true(recovery_code_hash(ACCOUNT, one.text[i], hash));
		assert_memory_equal(hash, one.hash[i], SHA256_BYTES);
		/* Another account's code is another row. */
		assert_true(recovery_code_hash(OTHER, one.text[i], hash));
		assert_memory_not_equal(hash, one.hash[i], SHA256_BYTES);
	}
	assert_true(recovery_code_hash(ACCOUNT,
	    "01ab-cdef-ghjk-mnpq-rstv-wxyz", hash));
	assert_true(recovery_code_hash(ACCOUNT, " oLABCDEFGH jkmnpq rstvwxyz ", again));
	assert_memory_equal(hash, again, SHA256_BYTES);
	assert_false(recovery_code_hash(ACCOUNT, "01ab-cdef-ghjk-mnp", hash));
	assert_false(recovery_code_hash(ACCOUNT,
	    "01ab-cdef-ghjk-mnpq-rstv-wxyz0", hash));
	assert_false(recovery_code_hash(ACCOUNT,
	    "01ab-cdef-ghjk-mnpq-rstv-wxyu", hash));
	assert_false(recovery_code_hash(ACCOUNT, "", hash));
	assert_false(recovery_code_hash(ACCOUNT, "123456", hash));
}

static void
test_setup_travels_sealed(void **state)
{
	const int64_t	now = INT64_C(1795356300000000);
	unsigned char	got[TOTP_SECRET_BYTES] = { 0 };
	char		text[SETUP_TEXT], other[SETUP_TEXT];

	(void)state;
	setup_seal(ring, arena, "cookie", now, secret, text);
	setup_seal(ring, arena, "cookie", now, secret, other);
	assert_string_not_equal(text, other);
	assert_true(setup_open(ring, arena, "cookie", now + MINUTE_US, text,
	    got));
	assert_memory_equal(got, secret, TOTP_SECRET_BYTES);
	assert_false(setup_open(ring, arena, "biscuit", now, text, got));
	assert_false(setup_open(ring, arena, "cookie",
	    now + SETUP_S * SECOND_US + 1, text, got));
	assert_false(setup_open(ring, arena, "cookie", now, "", got));
	text[20] = text[20] == 'A' ? 'B' : 'A';
	assert_false(setup_open(ring, arena, "cookie", now, text, got));
}

static void
test_check(void **state)
{
	unsigned char		 sealed[TOTP_SECRET_BYTES + SEAL_OVERHEAD];
	struct challenge	 c = { .account_id = ACCOUNT };
	struct proof		 proof = { 0 };
	const int64_t		 now = (5 * 30 + 7) * SECOND_US;

	(void)state;
	assert_int_equal(factor_check(ring, arena, &c, now, "254676", &proof),
	    FACTOR_WRONG);
	seal(ring, totp_row(arena, ACCOUNT), secret, TOTP_SECRET_BYTES, sealed);
	c.has_totp = true;
	c.sealed = sealed;
	c.sealed_bytes = sizeof(sealed);
	assert_int_equal(factor_check(ring, arena, &c, now, "254676", &proof),
	    FACTOR_RIGHT);
	assert_false(proof.is_recovery);
	assert_int_equal(proof.counter, 5);
	assert_int_equal(factor_check(ring, arena, &c, now, "254677", &proof),
	    FACTOR_WRONG);
	assert_int_equal(factor_check(ring, arena, &c, now, "hello", &proof),
	    FACTOR_UNREADABLE);
	c.last_counter = 5;
	assert_int_equal(factor_check(ring, arena, &c, now, "254676", &proof),
	    FACTOR_WRONG);
	assert_int_equal(factor_check(ring, arena, &c, now,
			     "01ab-cdef-ghjk-mnpq-rstv-wxyz", &proof),
	    FACTOR_RIGHT);
	assert_true(proof.is_recovery);
	/* A secret that was moved to another account does not open. */
	c.account_id = OTHER;
	assert_int_equal(factor_check(ring, arena, &c, now, "287922", &proof),
	    FACTOR_CLOSED);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_drift_and_replay),
		cmocka_unit_test(test_typed_codes),
		cmocka_unit_test(test_what_the_app_gets),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_setup_travels_sealed),
		cmocka_unit_test(test_check),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
