/*
 * The file of breached passwords: searched at both ends, in between, and with
 * lines of all lengths and endings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/str.h"
#include "crypto/breached.h"
#include "crypto/password.h"
#include "crypto/token.h"

#define MANY	400

static struct arena	*a;
static const char	*path, *why;

static int
setup(void **state)
{
	const char	*folder = getenv("LATCHKEY_TEST_TMP");

	(void)state;
	crypto_init();
	a = arena_new(16u * 1024 * 1024, NULL, NULL);
	path = arena_fmt(a, "%s/breached.txt",
	    folder == NULL ? "/tmp" : folder);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	arena_free(a);
	return (0);
}

static bool
open_with(const char *text)
{
	FILE	*f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	return (breached_open(path, &why));
}

static const char *
word(int n)
{
	return (arena_fmt(a, "a stolen password no %d", n));
}

static bool
holds(const char *text)
{
	return (breached_holds(secret_copy(a, text, strlen(text))));
}

static const char *
line_of(const char *text, const char *end)
{
	unsigned char	hash[20];
	char		hex[41];
	size_t		i;

	assert_int_equal(EVP_Digest(text, strlen(text), hash, NULL,
	    EVP_sha1(), NULL), 1);
	hex_encode(hex, hash, sizeof(hash));
	for (i = 0; i < 40; i++)
		if (hex[i] >= 'a' && hex[i] <= 'f')
			hex[i] = (char)(hex[i] - 'a' + 'A');
	return (arena_fmt(a, "%s%s", hex, end));
}

static int
compare(const void *one, const void *other)
{
	return (strcmp(*(const char *const *)one,
	    *(const char *const *)other));
}

static void
test_none(void **state)
{
	(void)state;
	assert_false(holds("password"));
	assert_false(breached_open("/nonexistent", &why));
	assert_string_equal(why, "No such file or directory");
	assert_false(breached_open("/tmp", &why));
	assert_string_equal(why, "must be a file");
	assert_false(open_with(""));
	assert_false(open_with("password\nletmein\n"));
	assert_false(open_with("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD"));
	assert_non_null(strstr(why, "SHA-1"));
	assert_false(holds("password"));
}

static void
test_known_hash(void **state)
{
	/* SHA-1 of "password", without the tool that made the others. */
	static const char	line[] =
				    "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";

	(void)state;
	assert_true(open_with(line));
	assert_true(holds("password"));
	assert_false(holds("Password"));
	assert_true(open_with(arena_fmt(a, "%s:10434004\r\n", line)));
	assert_true(holds("password"));
	assert_false(holds(""));
}

static void
test_each_of_many(void **state)
{
	static const char	*const ends[] = { ":1\n", ":37359195\r\n",
				    ":12345678901234567\r\n", "\n" };
	const char		*lines[MANY];
	struct buf		 b;
	size_t			 i, n, round;

	(void)state;
	for (round = 0; round < 40; round++) {
		n = round < 39 ? round + 1 : MANY;
		for (i = 0; i < n; i++)
			lines[i] = line_of(word((int)i),
			    ends[(i + round) % COUNT(ends)]);
		qsort(lines, n, sizeof(lines[0]), compare);
		buf_init(&b, a, 64 * MANY);
		for (i = 0; i < n; i++)
			buf_str(&b, lines[i]);
		assert_true(open_with(buf_text(&b)));
		for (i = 0; i < n; i++)
			assert_true(holds(word((int)i)));
		for (i = n; i < n + 100; i++)
			assert_false(holds(word((int)i)));
	}
}

static void
test_judged(void **state)
{
	static const char	text[] = "violet harbour 42 tunes";
	struct secret		password = secret_copy(a, text, strlen(text));

	(void)state;
	assert_true(open_with(line_of("something else", "\n")));
	assert_int_equal(password_judge(password, NULL), PASSWORD_GOOD);
	assert_true(open_with(line_of(text, ":3\r\n")));
	assert_int_equal(password_judge(password, NULL), PASSWORD_BREACHED);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_known_hash),
		cmocka_unit_test(test_each_of_many),
		cmocka_unit_test(test_judged),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
