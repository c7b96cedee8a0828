/*
 * Sealing: an AES-256-GCM vector opened through the ring, every byte tampered
 * with, values moved between rows, versions, rotation of the master key, and
 * every way in which a master key file can be wrong.
 */
#include "crypto/seal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/child.h"
#include "base/str.h"
#include "crypto/keyring.h"

/* 32 bytes 0 to 31, and 32 bytes of 0xff */
#define KEY_1	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_2	"//////////////////////////////////////////8="

static struct arena	*a;
static char		 dir[] = "/tmp/seal_test.XXXXXX";
static const char	*path;

static int
setup(void **state)
{
	(void)state;
	crypto_init();
	a = arena_new(64u << 20, NULL, NULL);
	if (mkdtemp(dir) == NULL)
		return (-1);
	path = arena_fmt(a, "%s/master.key", dir);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	if (rmdir(dir) == -1)
		return (-1);
	arena_free(a);
	return (0);
}

static void
file_write(const char *text, size_t n, mode_t mode)
{
	int	fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void
file_text(const char *text)
{
	file_write(text, strlen(text), 0600);
}

/* A ring with the master key and data key 1 and one HMAC key. */
static struct keyring *
ring_new(void)
{
	unsigned char	 sealed[KEY_BYTES + SEAL_OVERHEAD];
	struct keyring	*ring = keyring_new();
	const char	*why;
	size_t		 n;

	file_text("1:" KEY_1 "\n");
	assert_true(keyring_read_master(ring, a, path, &why));
	n = keyring_make(ring, "data", 1, sealed);
	assert_int_equal(n, sizeof(sealed));
	assert_int_equal(keyring_newest(ring, "data"), 0);
	assert_int_equal(keyring_add(ring, "data", 1, sealed, n), SEAL_OK);
	assert_int_equal(keyring_newest(ring, "data"), 1);
	n = keyring_make(ring, "link", 1, sealed);
	assert_int_equal(keyring_add(ring, "link", 1, sealed, n), SEAL_OK);
	return (ring);
}

static void
test_round_trip(void **state)
{
	static const size_t	 sizes[] = { 0, 1, 16, 32, SEAL_MAX };
	struct keyring		*ring = ring_new();
	static unsigned char	 plain[SEAL_MAX], one[SEAL_MAX +
				    SEAL_OVERHEAD], two[sizeof(one)];
	struct secret		 opened;
	size_t			 i, n;

	(void)state;
	random_bytes(plain, sizeof(plain));
	for (i = 0; i < COUNT(sizes); i++) {
		n = sizes[i] + SEAL_OVERHEAD;
		seal(ring, "row", plain, sizes[i], one);
		seal(ring, "row", plain, sizes[i], two);
		assert_memory_equal(one, "\x01\x00\x00\x00\x01", 5);
		/* Another nonce each time, so another text. */
		assert_memory_not_equal(one + 5, two + 5, 12);
		assert_memory_not_equal(one + 17, two + 17, n - 17);
		assert_int_equal(seal_open(ring, a, "row", one, n, &opened),
		    SEAL_OK);
		assert_int_equal(opened.n, sizes[i]);
		assert_memory_equal(opened.p, plain, sizes[i]);
	}
	keyring_free(ring);
	keyring_free(NULL);
}

/*
 * Made by another implementation (Python's cryptography):
 * key 0 to 31, nonce 12 of 0x42, associated data 01 00 00 00 07 and "row:9".
 */
static void
test_known_value(void **state)
{
	static const char	 hex[] =
	    "01000000074242424242424242424242422aad4bf5b9b093db204b4f511e"
	    "f86a3b027bd0f5d2a9174b7354b840f5ea8ef69d9919aa8b7c6eaece438c"
	    "fd1d0c7249";
	struct keyring		*ring = keyring_new();
	unsigned char		 key[KEY_BYTES], sealed[(sizeof(hex) - 1) / 2];
	struct secret		 opened;
	size_t			 i;

	(void)state;
	for (i = 0; i < KEY_BYTES; i++)
		key[i] = (unsigned char)i;
	keyring_put(ring, "data", 7, key);
	assert_true(hex_decode(sealed, sizeof(sealed), hex));
	assert_int_equal(seal_open(ring, a, "row:9", sealed, sizeof(sealed),
	    &opened), SEAL_OK);
	assert_string_equal(secret_reveal(a, opened),
	    "0123456789abcdef0123456789abcdef");
	keyring_free(ring);
}

/*
 * The GCM specification's test case 14 (McGrew and Viega): key, nonce and text
 * of zeros.  Its associated data is empty and ours never is, so only the
 * cipher text is the same, not the tag: this shows mode and counter.
 */
static void
test_gcm_case_14(void **state)
{
	static const unsigned char zeros[KEY_BYTES];
	struct keyring		*ring = keyring_new();
	unsigned char		 sealed[16 + SEAL_OVERHEAD] = { 1, 0, 0, 0, 1 };
	struct secret		 opened = { NULL, 99 };

	(void)state;
	keyring_put(ring, "data", 1, zeros);
	assert_true(hex_decode(sealed + 17, 16,
	    "cea7403d4d606b6e074ec5d3baf39d18"));
	assert_true(hex_decode(sealed + 33, 16,
	    "d0d1c8a799996bf0265b98b5d48ab919"));
	/* Its tag is right for no associated data, so it must not open. */
	assert_int_equal(seal_open(ring, a, "", sealed, sizeof(sealed),
	    &opened), SEAL_BROKEN);
	assert_null(opened.p);
	assert_true(hex_decode(sealed + 33, 16, "dc8d3ddf4eb757607c130326129f4536"));
	assert_int_equal(seal_open(ring, a, "", sealed, sizeof(sealed),
	    &opened), SEAL_OK);
	assert_int_equal(opened.n, 16);
	assert_memory_equal(opened.p, zeros, 16);
	keyring_free(ring);
}

static void
test_tampered(void **state)
{
	static const char	 text[] = "0123456789abcdef0123456789abcdef";
	struct keyring		*ring = ring_new();
	unsigned char		 sealed[32 + SEAL_OVERHEAD + 1] = { 0 };
	struct secret		 opened = { NULL, 99 };
	enum seal_result	 result;
	size_t			 n = 32 + SEAL_OVERHEAD, i;
	unsigned		 bit;

	(void)state;
	seal(ring, "subscription_key:1:primary", text, 32, sealed);
	for (i = 0; i < n; i++) {
		for (bit = 0; bit < 8; bit++) {
			sealed[i] ^= (unsigned char)(1u << bit);
			result = seal_open(ring, a,
			    "subscription_key:1:primary", sealed, n, &opened);
			assert_int_equal(result, i >= 1 && i <= 4 ?
			    SEAL_UNKNOWN_VERSION : SEAL_BROKEN);
			sealed[i] ^= (unsigned char)(1u << bit);
		}
	}
	for (i = 0; i < n; i++)
		assert_int_equal(seal_open(ring, a,
		    "subscription_key:1:primary", sealed, i, &opened),
		    SEAL_BROKEN);
	assert_int_equal(seal_open(ring, a, "subscription_key:1:primary",
	    sealed, n + 1, &opened), SEAL_BROKEN);
	assert_null(opened.p);
	assert_int_equal(opened.n, 99);
	keyring_free(ring);
}

static void
test_moved(void **state)
{
	static const char	*const others[] = {
		"subscription_key:1:secondary", "subscription_key:2:primary",
		"subscription_key:1:primar", "subscription_key:1:primaryy", "" };
	struct keyring		*ring = ring_new(), *stranger = ring_new();
	unsigned char		 sealed[32 + SEAL_OVERHEAD];
	struct secret		 opened = { NULL, 99 };
	size_t			 i;

	(void)state;
	seal(ring, "subscription_key:1:primary",
	    "0123456789abcdef0123456789abcdef", 32, sealed);
	for (i = 0; i < COUNT(others); i++)
		assert_int_equal(seal_open(ring, a, others[i], sealed,
		    sizeof(sealed), &opened), SEAL_BROKEN);
	/* Same version number, another key */
	assert_int_equal(seal_open(stranger, a, "subscription_key:1:primary",
	    sealed, sizeof(sealed), &opened), SEAL_BROKEN);
	assert_null(opened.p);
	keyring_free(ring);
	keyring_free(stranger);
}

static void
test_versions(void **state)
{
	struct keyring	*ring = ring_new();
	unsigned char	 old[4 + SEAL_OVERHEAD], new[4 + SEAL_OVERHEAD];
	unsigned char	 key[KEY_BYTES + SEAL_OVERHEAD];
	struct secret	 opened;
	uint32_t	 version;

	(void)state;
	seal(ring, "row", "abcd", 4, old);
	/* More than there is room for at first */
	for (version = 2; version <= 200; version++) {
		(void)keyring_make(ring, "data", version, key);
		assert_int_equal(keyring_add(ring, "data", version, key,
		    sizeof(key)), SEAL_OK);
	}
	assert_int_equal(keyring_newest(ring, "data"), 200);
	seal(ring, "row", "abcd", 4, new);
	assert_int_equal(new[4], 200);
	assert_int_equal(seal_open(ring, a, "row", old, sizeof(old), &opened),
	    SEAL_OK);
	assert_memory_equal(opened.p, "abcd", 4);
	assert_int_equal(seal_open(ring, a, "row", new, sizeof(new), &opened),
	    SEAL_OK);
	memcpy(new + 1, "\0\0\0\0", 4);
	assert_int_equal(seal_open(ring, a, "row", new, sizeof(new), &opened),
	    SEAL_UNKNOWN_VERSION);

	/* A key under another name or number, or cut, does not get in. */
	(void)keyring_make(ring, "data", 201, key);
	assert_int_equal(keyring_add(ring, "data", 202, key, sizeof(key)),
	    SEAL_BROKEN);
	assert_int_equal(keyring_add(ring, "link", 201, key, sizeof(key)),
	    SEAL_BROKEN);
	assert_int_equal(keyring_add(ring, "data", 201, key, sizeof(key) - 1),
	    SEAL_BROKEN);
	assert_int_equal(keyring_add(ring, "data", 0, key, sizeof(key)),
	    SEAL_BROKEN);
	assert_int_equal(keyring_add(ring, "master", 201, key, sizeof(key)),
	    SEAL_BROKEN);
	assert_int_equal(keyring_add(ring, "a purpose that is much longer than "
	    "any of ours may be", 201, key, sizeof(key)), SEAL_BROKEN);
	key[4] = 9;
	assert_int_equal(keyring_add(ring, "data", 201, key, sizeof(key)),
	    SEAL_UNKNOWN_VERSION);
	assert_int_equal(keyring_newest(ring, "data"), 200);
	keyring_free(ring);
}

/* Kilobytes that this process has locked. */
static long
locked_kb(void)
{
	FILE	*file = fopen("/proc/self/status", "r");
	char	 line[200];
	long	 kb = -1;

	if (file == NULL)
		return (-1);
	while (kb == -1 && fgets(line, sizeof(line), file) != NULL) {
		if (str_starts(line, "VmLck:"))
			kb = strtol(line + 6, NULL, 10);
	}
	(void)fclose(file);
	return (kb);
}

/* A worker that opens the data keys after the fork has them locked. */
static void
test_locked_after_fork(void **state)
{
	struct keyring	*ring = ring_new();
	unsigned char	 key[KEY_BYTES] = { 1 };
	int		 status;
	pid_t		 child;

	(void)state;
	if (locked_kb() <= 0) {
		/* RLIMIT_MEMLOCK leaves nothing, or this is a build with
		 * ASan, which makes mlock() do nothing. */
		keyring_free(ring);
		print_message("skipped: nothing can be locked into memory "
		    "here (RLIMIT_MEMLOCK is used up, or AddressSanitizer)\n");
		skip();
	}
	child = child_fork();
	if (child == 0) {
		if (locked_kb() != 0)
			_exit(2);
		keyring_put(ring, "data", 2, key);
		_exit(locked_kb() > 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(keyring_newest(ring, "data"), 1);
	keyring_free(ring);
}

static void
test_hmac(void **state)
{
	struct keyring	*ring = ring_new();
	unsigned char	 key[KEY_BYTES], one[SHA256_BYTES], two[SHA256_BYTES];

	(void)state;
	assert_false(keyring_hmac(ring, "subscription-key", 0, "x", 1, one));
	assert_false(keyring_hmac(ring, "link", 2, "x", 1, one));
	memset(key, 0x0b, sizeof(key));
	keyring_put(ring, "link", 2, key);
	assert_true(keyring_hmac(ring, "link", 0, "x", 1, one));
	hmac_sha256(two, key, sizeof(key), "x", 1);
	assert_memory_equal(one, two, sizeof(one));
	assert_true(keyring_hmac(ring, "link", 2, "x", 1, two));
	assert_memory_equal(one, two, sizeof(one));
	assert_true(keyring_hmac(ring, "link", 1, "x", 1, two));
	assert_memory_not_equal(one, two, sizeof(one));
	keyring_free(ring);
}

/* A new master key: what was sealed under the old one opens, what is made is
 * sealed under the new one, and hashes stay. */
static void
test_master_rotation(void **state)
{
	struct keyring	*before = keyring_new(), *after = keyring_new();
	unsigned char	 data[KEY_BYTES + SEAL_OVERHEAD], link[sizeof(data)];
	unsigned char	 row[4 + SEAL_OVERHEAD], made[sizeof(data)];
	unsigned char	 one[SHA256_BYTES], two[SHA256_BYTES];
	struct secret	 opened;
	const char	*why;

	(void)state;
	file_text("1:" KEY_1 "\n");
	assert_true(keyring_read_master(before, a, path, &why));
	(void)keyring_make(before, "data", 1, data);
	(void)keyring_make(before, "link", 1, link);
	assert_int_equal(keyring_add(before, "data", 1, data, sizeof(data)),
	    SEAL_OK);
	assert_int_equal(keyring_add(before, "link", 1, link, sizeof(link)),
	    SEAL_OK);
	seal(before, "row", "abcd", 4, row);
	assert_true(keyring_hmac(before, "link", 0, "x", 1, one));

	file_text("# old\n1:" KEY_1 "\n\n# new\r\n  \n2:" KEY_2 " \r\n");
	assert_true(keyring_read_master(after, a, path, &why));
	assert_int_equal(keyring_master_newest(after), 2);
	assert_int_equal(keyring_add(after, "data", 1, data, sizeof(data)),
	    SEAL_OK);
	assert_int_equal(keyring_add(after, "link", 1, link, sizeof(link)),
	    SEAL_OK);
	assert_int_equal(seal_open(after, a, "row", row, sizeof(row), &opened),
	    SEAL_OK);
	assert_true(keyring_hmac(after, "link", 0, "x", 1, two));
	assert_memory_equal(one, two, sizeof(one));
	(void)keyring_make(after, "data", 2, made);
	assert_int_equal(made[4], 2);
	assert_int_equal(keyring_add(before, "data", 2, made, sizeof(made)),
	    SEAL_UNKNOWN_VERSION);
	/* Reading the file again is enough. */
	assert_true(keyring_read_master(before, a, path, &why));
	assert_int_equal(keyring_add(before, "data", 2, made, sizeof(made)),
	    SEAL_OK);
	keyring_free(before);
	keyring_free(after);
}

static void
refused(const char *expect)
{
	struct keyring	*ring = keyring_new();
	const char	*why = NULL;

	assert_false(keyring_read_master(ring, a, path, &why));
	assert_non_null(why);
	assert_true(str_starts(why, path));
	if (strstr(why, expect) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", expect, why);
	assert_null(strchr(why, '\n'));
	assert_null(strstr(why, "AAEC"));
	assert_int_equal(keyring_master_newest(ring), 0);
	keyring_free(ring);
}

static void
test_master_file_refused(void **state)
{
	static const char	*const bad[] = {
		"2:" KEY_2 " 1", "2 " KEY_2, "2:", ":" KEY_2, "2", "0:" KEY_2,
		"-1:" KEY_2, "x:" KEY_2, "2147483648:" KEY_2,
		"99999999999999999999:" KEY_2, " 2:" KEY_2, "2: " KEY_2,
		"2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
		"2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
		"2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		"2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
		"2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-=" };
	static const mode_t	 modes[] = { 0640, 0604, 0660, 0601 };
	static char		 long_text[70000];
	size_t			 i;

	(void)state;
	(void)unlink(path);
	refused("can't be read: No such file");
	assert_int_equal(mkdir(path, 0700), 0);
	refused("not a regular file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused("not a regular file");
	for (i = 0; i < COUNT(modes); i++) {
		file_write("1:" KEY_1 "\n", strlen(KEY_1) + 3, modes[i]);
		refused(arena_fmt(a, "(mode %04o)", (unsigned)modes[i]));
	}
	file_text("");
	refused("holds no key");
	file_text("# 1:" KEY_1 "\n\n");
	refused("holds no key");
	file_write("1:" KEY_1 "\n\0", strlen(KEY_1) + 4, 0600);
	refused("not text");
	memset(long_text, '#', sizeof(long_text) - 1);
	file_text(long_text);
	refused("longer than 65536 bytes");
	for (i = 0; i < COUNT(bad); i++) {
		file_text(arena_fmt(a, "# one\n1:%s\n%s\n3:%s\n", KEY_1,
		    bad[i], KEY_1));
		refused(", line 3: must be version:base64");
	}
	file_text("2:" KEY_2 "\n1:" KEY_1 "\n");
	refused(", line 2: version 1 stands after version 2");
	file_text("1:" KEY_1 "\n1:" KEY_2 "\n");
	refused(", line 2: version 1 stands after version 1");
}

static void
test_master_file_good(void **state)
{
	struct keyring	*ring = keyring_new();
	const char	*why;

	(void)state;
	/* No line end, read only, versions with gaps */
	file_write("7:" KEY_1 "\n2147483647:" KEY_2, strlen(KEY_1) * 2 + 14,
	    0400);
	assert_true(keyring_read_master(ring, a, path, &why));
	assert_int_equal(keyring_master_newest(ring), INT32_MAX);
	keyring_free(ring);
}

static void
test_master_key_create(void **state)
{
	struct keyring	*ring = keyring_new();
	struct rlimit	 limit, none;
	struct stat	 st;
	const char	*why = NULL;
	mode_t		 mask;

	(void)state;
	(void)unlink(path);
	mask = umask(0);
	assert_true(master_key_create(path, a, &why));
	(void)umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(keyring_read_master(ring, a, path, &why));
	assert_int_equal(keyring_master_newest(ring), 1);
	/* Never over one that is there. */
	assert_false(master_key_create(path, a, &why));
	assert_non_null(strstr(why, "File exists"));
	assert_false(master_key_create(arena_fmt(a, "%s/no/such", dir), a,
	    &why));
	assert_non_null(strstr(why, "No such file"));
	/* A full disk leaves no half of a file behind. */
	(void)unlink(path);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = limit;
	none.rlim_cur = 16;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_false(master_key_create(path, a, &why));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_non_null(strstr(why, "can't be written: File too large"));
	assert_int_equal(access(path, F_OK), -1);
	keyring_free(ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_known_value),
		cmocka_unit_test(test_gcm_case_14),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_locked_after_fork),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_master_rotation),
		cmocka_unit_test(test_master_file_refused),
		cmocka_unit_test(test_master_file_good),
		cmocka_unit_test(test_master_key_create),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
