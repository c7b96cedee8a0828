/*
 * The rules in several scripts, hashing, the notice of old parameters, and
 * that checking a password where there is no account is the same work: the
 * call into libsodium is intercepted here, and its parameters compared.
 */
#include "crypto/password.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/str.h"
#include "crypto/password_list.h"
#include "crypto/token.h"

static struct arena	*a;
static unsigned		 verifies;
static char		 verified[PASSWORD_HASH_BYTES];

/* Stands before libsodium's, since the program's own symbols come first. */
int
crypto_pwhash_str_verify(const char str[crypto_pwhash_STRBYTES],
    const char *const password, unsigned long long n)
{
	int	(*real)(const char *, const char *, unsigned long long);

	*(void **)&real = dlsym(RTLD_NEXT, "crypto_pwhash_str_verify");
	assert_non_null(real);
	verifies++;
	memcpy(verified, str, sizeof(verified));
	return (real(str, password, n));
}

static int
setup(void **state)
{
	(void)state;
	crypto_init();
	a = arena_new(8u << 20, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(a);
	return (0);
}

static enum password_verdict
judge(const char *typed)
{
	static const char *const	own[] = { "Maya Dorsey", "José Müller",
		"maya.dorsey@altaworx.com", "Altaworx", "Дорси Ёлкин", "",
		"…", NULL };

	return (password_judge(password_normalise(a, typed), own));
}

static void
test_length(void **state)
{
	char	s[600];
	size_t	i;

	(void)state;
	assert_int_equal(judge(""), PASSWORD_TOO_SHORT);
	assert_int_equal(judge("xk7#Qm!2vLp"), PASSWORD_TOO_SHORT);
	assert_int_equal(judge("xk7#Qm!2vLp9"), PASSWORD_GOOD);
	/* 11 and 12 characters of two and four bytes */
	assert_int_equal(judge("жизньхорошо"), PASSWORD_TOO_SHORT);
	assert_int_equal(judge("жизнь хороша"), PASSWORD_GOOD);
	assert_int_equal(judge("🦊🐢🌵🚲🎻🍋🧭🪁🌋🐙🥁"), PASSWORD_TOO_SHORT);
	assert_int_equal(judge("🦊🐢🌵🚲🎻🍋🧭🪁🌋🐙🥁🧲"), PASSWORD_GOOD);
	/* 12 characters apart, 11 after NFC */
	assert_int_equal(judge("xk7#Qm!2vLe\xcc\x81"), PASSWORD_TOO_SHORT);

	for (i = 0; i < sizeof(s); i++)
		s[i] = (char)('!' + i * 7919 % 90);
	s[128] = '\0';
	assert_int_equal(judge(s), PASSWORD_GOOD);
	s[128] = 'x';
	s[129] = '\0';
	assert_int_equal(judge(s), PASSWORD_TOO_LONG);
	s[129] = 'x';
	s[599] = '\0';
	assert_int_equal(judge(s), PASSWORD_TOO_LONG);
	/* 128 characters of four bytes each fit. */
	for (i = 0; i < 128; i++) {
		memcpy(s + 4 * i, "\xf0\x9f\x90", 3);
		s[4 * i + 3] = (char)(0x80 + i * 37 % 64);
	}
	s[512] = '\0';
	assert_int_equal(judge(s), PASSWORD_GOOD);
}

static void
test_very_long(void **state)
{
	static char	s[100001];
	struct secret	typed;

	(void)state;
	memset(s, 'e', sizeof(s) - 1);
	typed = password_normalise(a, s);
	assert_true(typed.n <= SECRET_MAX);
	assert_int_equal(judge(s), PASSWORD_TOO_LONG);
	/* NFC makes more bytes of some: U+1D160 becomes three times as many. */
	s[0] = '\0';
	while (strlen(s) + 4 <= SECRET_MAX)
		memcpy(s + strlen(s), "\xf0\x9d\x85\xa0", 5);
	typed = password_normalise(a, s);
	assert_true(typed.n <= SECRET_MAX);
	assert_int_equal(judge(s), PASSWORD_TOO_LONG);
}

static void
test_characters(void **state)
{
	static const char	*const bad[] = { "xk7#Qm!2vLp9\t",
		"xk7#Qm!2\nvLp9", "xk7#Qm!2vLp9\x7f", "xk7#Qm!2vLp9\xc2\x85",
		"xk7#Qm!2vLp9\xff", "xk7#Qm!2vLp9\xed\xa0\x80",
		"xk7#Qm!2vLp9\xe2\x80\xa8" };
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(judge(bad[i]), PASSWORD_CONTROL);
	assert_int_equal(password_judge(secret_copy(a, "xk7#Qm!2\0vLp9", 13),
	    NULL), PASSWORD_CONTROL);
	assert_int_equal(judge(" four words  with spaces "), PASSWORD_GOOD);
}

static void
test_scripts(void **state)
{
	static const char	*const good[] = {
		"correct horse battery", "Zażółć gęślą jaźń",
		"солнце над речкой", "πορτοκαλί στο λιμάνι",
		"गाय पेड़ के नीचे", "雨の日は静かに本を読んでいる", "산책하는 고양이와 우산",
		"قطة تحت المطر", "แมวนอนใต้ต้นไม้ใหญ่" };
	static const char	*const weak[] = {
		"aaaaaaaaaaaa", "            ", "пппппппппппп",
		"éééééééééééé", "密密密密密密密密密密密密", "абабабабабаб",
		"йцукенгшщзхъ", "абвгдежзийкл", "αβγδεζηθικλμ",
		"пароль123456", "парольпароль1", "passwort2026",
		"パスワードパスワード12", "Password1234!",
		"qwertyuiop34", "sunshine4821" };
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (judge(good[i]) != PASSWORD_GOOD)
			fail_msg("%s: %d", good[i], judge(good[i]));
	}
	for (i = 0; i < COUNT(weak); i++) {
		if (judge(weak[i]) != PASSWORD_GUESSABLE)
			fail_msg("%s: %d", weak[i], judge(weak[i]));
	}
}

static void
test_own_words(void **state)
{
	static const char	*const weak[] = { "MayaDorsey12", "Altaworx2026!",
		"d0rsey-altaworx", "DORSEYDORSEY1", "дорси-дорси1",
		"ДОРСИДОРСИ12", "joséjosé2026", "jose1234jose",
		"mullermuller1" };
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(weak); i++) {
		if (judge(weak[i]) == PASSWORD_GOOD)
			fail_msg("%s", weak[i]);
	}
	/* Without the person it stands: so it is the words that count. */
	assert_int_equal(password_judge(password_normalise(a,
	    "d0rsey-altaworx"), NULL), PASSWORD_GOOD);
	assert_int_equal(judge("d0rsey-altaworx"), PASSWORD_GUESSABLE);
}

/* More words than there is room for, and one without an end. */
static void
test_many_own_words(void **state)
{
	static char		 big[20000];
	const char		*own[] = { big, "\xff\xfe", NULL };
	size_t			 i;

	(void)state;
	for (i = 0; i + 1 < sizeof(big); i++)
		big[i] = i % 7 == 6 ? ' ' : 'q';
	assert_int_equal(password_judge(password_normalise(a,
	    "xk7#Qm!2vLp9"), own), PASSWORD_GOOD);
	memset(big, 'q', sizeof(big) - 1);
	assert_int_equal(password_judge(password_normalise(a,
	    "xk7#Qm!2vLp9"), own), PASSWORD_GOOD);
}

static void
test_common(void **state)
{
	size_t	i;

	(void)state;
	assert_true(common_passwords_count >= 3000);
	for (i = 0; i < common_passwords_count; i++) {
		assert_int_equal(judge(common_passwords[i]), PASSWORD_COMMON);
		if (i > 0)
			assert_true(strcmp(common_passwords[i - 1],
			    common_passwords[i]) < 0);
	}
	assert_int_equal(judge("LeaveMeAlone"), PASSWORD_COMMON);
	assert_int_not_equal(judge("LeaveMeAlone?"), PASSWORD_COMMON);
}

static void
test_advice(void **state)
{
	static const enum password_verdict all[] = { PASSWORD_TOO_SHORT,
		PASSWORD_TOO_LONG, PASSWORD_CONTROL, PASSWORD_COMMON,
		PASSWORD_GUESSABLE, PASSWORD_BREACHED };
	const char		*advice;
	size_t			 i;

	(void)state;
	assert_string_equal(password_advice(PASSWORD_GOOD), "");
	for (i = 0; i < COUNT(all); i++) {
		advice = password_advice(all[i]);
		assert_true(strlen(advice) > 20);
		assert_true(str_ends(advice, "."));
		assert_null(strstr(advice, "lease"));
		assert_null(strstr(advice, "nvalid"));
		assert_null(strchr(advice, '!'));
	}
	/* The numbers in the words are the rule's. */
	advice = arena_fmt(a, " %d characters", PASSWORD_MIN_CHARS);
	assert_non_null(strstr(password_advice(PASSWORD_TOO_SHORT), advice));
	advice = arena_fmt(a, " %d characters", PASSWORD_MAX_CHARS);
	assert_non_null(strstr(password_advice(PASSWORD_TOO_LONG), advice));
}

static void
test_hash(void **state)
{
	struct secret	right = password_normalise(a, "Caf\xc3\xa9 du soir 9");
	struct secret	apart = password_normalise(a, "Cafe\xcc\x81 du soir 9");
	struct secret	wrong = password_normalise(a, "Cafe du soir 9");
	char		hash[PASSWORD_HASH_BYTES], again[PASSWORD_HASH_BYTES];

	(void)state;
	assert_true(password_hash(right, hash));
	assert_true(password_hash(right, again));
	assert_string_not_equal(hash, again);
	assert_true(str_starts(hash, "$argon2id$v=19$m=19456,t=2,p=1$"));
	assert_int_equal(password_verify(right, hash), PASSWORD_RIGHT);
	assert_int_equal(password_verify(right, again), PASSWORD_RIGHT);
	/* Typed on a keyboard that keeps the accent apart */
	assert_int_equal(password_verify(apart, hash), PASSWORD_RIGHT);
	assert_int_equal(password_verify(wrong, hash), PASSWORD_WRONG);
}

static void
test_rehash(void **state)
{
	struct secret	password = password_normalise(a, "xk7#Qm!2vLp9");
	struct secret	wrong = password_normalise(a, "xk7#Qm!2vLp8");
	char		old[PASSWORD_HASH_BYTES] = { 0 };

	(void)state;
	assert_int_equal(crypto_pwhash_str_alg(old, (char *)password.p,
	    password.n, 1, 8u << 20, crypto_pwhash_ALG_ARGON2ID13), 0);
	assert_int_equal(password_verify(password, old),
	    PASSWORD_RIGHT_REHASH);
	assert_int_equal(password_verify(wrong, old), PASSWORD_WRONG);
}

/* Everything between the '$' that is not salt and hash. */
static size_t
parameters(const char *hash)
{
	size_t	i, dollars = 0;

	for (i = 0; hash[i] != '\0' && dollars < 4; i++)
		dollars += hash[i] == '$';
	return (i);
}

static void
test_no_account_is_same_work(void **state)
{
	static char	 too_long[200];
	const char	*broken[] = { NULL, "", "x", "$argon2id$v=19$m=1", NULL };
	struct secret	 password = password_normalise(a, "xk7#Qm!2vLp9");
	char		 hash[PASSWORD_HASH_BYTES];
	size_t		 i;

	(void)state;
	memset(too_long, 'x', sizeof(too_long) - 1);
	broken[4] = too_long;
	assert_true(password_hash(password, hash));
	for (i = 0; i < COUNT(broken); i++) {
		verifies = 0;
		assert_int_equal(password_verify(password, broken[i]),
		    PASSWORD_WRONG);
		assert_int_equal(verifies, 1);
		/* The cost of a real hash, and as long a salt and hash */
		assert_int_equal(strlen(verified), strlen(hash));
		assert_memory_equal(verified, hash, parameters(hash));
		assert_int_equal(strcspn(strrchr(verified, '$'), ""),
		    strcspn(strrchr(hash, '$'), ""));
		assert_int_equal(crypto_pwhash_str_needs_rehash(verified, 2,
		    19456u * 1024), 0);
	}
	verifies = 0;
	assert_int_equal(password_verify(password, hash), PASSWORD_RIGHT);
	assert_int_equal(verifies, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_very_long),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_own_words),
		cmocka_unit_test(test_many_own_words),
		cmocka_unit_test(test_common),
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_rehash),
		cmocka_unit_test(test_no_account_is_same_work),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
