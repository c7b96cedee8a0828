/*
 * The master key file:
 *
 *	# comment
 *	1:q83v...=		version:base64 of 32 bytes
 *	2:Zm9v...=		the newest stands last
 *
 * It is the one thing without which a copy of the database opens nothing, so a
 * file that others can read is refused.  What is wrong is said with the line's
 * number, never with its content.  A file with any bad line adds no key.
 */
#include "crypto/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define FILE_MAX	(64u * 1024)
#define BASE64_BYTES	45u	/* 32 bytes in padded base64, and the NUL */

static char		*file_read(struct arena *, const char *,
			    const char **);
static const char	*lines_read(struct keyring *, struct arena *,
			    const char *, const char *);
static bool		 line_parse(const char *, size_t, uint32_t *,
			    unsigned char [KEY_BYTES]);
static bool		 write_all(int, const char *);

bool
keyring_read_master(struct keyring *ring, struct arena *a, const char *path,
    const char **ret_why)
{
	const char	*text, *why;

	text = file_read(a, path, ret_why);
	if (text == NULL)
		return (false);
	/* Once to judge, once to add. */
	why = lines_read(NULL, a, path, text);
	if (why != NULL) {
		*ret_why = why;
		return (false);
	}
	(void)lines_read(ring, a, path, text);
	return (true);
}

bool
master_key_create(const char *path, struct arena *a, const char **ret_why)
{
	unsigned char	 key[KEY_BYTES];
	char		 base64[BASE64_BYTES];
	const char	*text;
	int		 fd, saved;
	bool		 ok;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		*ret_why = arena_fmt(a, "%s: can't be made: %s", path,
		    strerror(errno));
		return (false);
	}
	random_bytes(key, sizeof(key));
	sodium_bin2base64(base64, sizeof(base64), key, sizeof(key),
	    sodium_base64_VARIANT_ORIGINAL);
	text = arena_fmt(a, "# Latchkey's master keys, version:base64, newest "
	    "last.\n# Keep a copy apart from the database's: without it the "
	    "keys in it are lost.\n1:%s\n", base64);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(base64, sizeof(base64));
	ok = write_all(fd, text) && fsync(fd) == 0;
	saved = errno;
	if (close(fd) == -1 && ok) {
		ok = false;
		saved = errno;
	}
	if (!ok) {
		(void)unlink(path);
		*ret_why = arena_fmt(a, "%s: can't be written: %s", path,
		    strerror(saved));
	}
	return (ok);
}

/* The text of the file; NULL with *ret_why set if it is not to be used. */
static char *
file_read(struct arena *a, const char *path, const char **ret_why)
{
	struct stat	 st;
	size_t		 n = 0;
	ssize_t		 got;
	char		*text = NULL;
	int		 fd;

	/* Not blocking, or a FIFO would hold up the start. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1) {
		*ret_why = arena_fmt(a, "%s: can't be read: %s", path,
		    strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		*ret_why = arena_fmt(a, "%s: is not a regular file", path);
	} else if ((st.st_mode & 077) != 0) {
		*ret_why = arena_fmt(a, "%s: others can read or change it "
		    "(mode %04o); its mode must be 0600 or 0400", path,
		    (unsigned)st.st_mode & 07777);
	} else if (st.st_size > FILE_MAX) {
		*ret_why = arena_fmt(a, "%s: is longer than %u bytes", path,
		    FILE_MAX);
	} else {
		text = arena_alloc(a, FILE_MAX + 1);
		while (n < FILE_MAX && ((got = read(fd, text + n, FILE_MAX -
		    n)) > 0 || (got == -1 && errno == EINTR)))
			n += got > 0 ? (size_t)got : 0;
		if (n < FILE_MAX && got == -1) {
			*ret_why = arena_fmt(a, "%s: can't be read: %s", path,
			    strerror(errno));
			text = NULL;
		} else if (strlen(text) != n) {
			*ret_why = arena_fmt(a, "%s: is not text", path);
			text = NULL;
		}
	}
	if (fd != -1)
		(void)close(fd);
	return (text);
}

/* What is wrong, or NULL.  With a keyring, the keys are put into it. */
static const char *
lines_read(struct keyring *ring, struct arena *a, const char *path,
    const char *text)
{
	unsigned char	 key[KEY_BYTES];
	uint32_t	 version, last = 0;
	unsigned	 line;
	size_t		 n;
	bool		 ok;

	for (line = 1; *text != '\0'; line++, text += n, text += *text != '\0') {
		n = strcspn(text, "\n");
		if (text[0] == '#' || strspn(text, " \t\r") >= n)
			continue;
		ok = line_parse(text, n, &version, key);
		if (ok && version > last && ring != NULL)
			keyring_put(ring, MASTER_KIND, version, key);
		sodium_memzero(key, sizeof(key));
		if (!ok)
			return (arena_fmt(a, "%s, line %u: must be "
			    "version:base64, a version from 1 on and 32 bytes "
			    "in base64", path, line));
		if (version <= last)
			return (arena_fmt(a, "%s, line %u: version %u stands "
			    "after version %u; the newest must be last", path,
			    line, version, last));
		last = version;
	}
	return (last > 0 ? NULL : arena_fmt(a, "%s: holds no key", path));
}

static bool
line_parse(const char *text, size_t n, uint32_t *ret_version,
    unsigned char ret_key[KEY_BYTES])
{
	const char	*colon = memchr(text, ':', n), *end;
	char		 digits[11];		/* of 2^31 - 1, and the NUL */
	int64_t		 version;
	size_t		 length, got;

	while (n > 0 && strchr(" \t\r", text[n - 1]) != NULL)
		n--;
	if (colon == NULL)
		return (false);
	length = (size_t)(colon - text);
	if (length >= sizeof(digits) || length >= n)
		return (false);
	memcpy(digits, text, length);
	digits[length] = '\0';
	/* A version is an integer column in the database. */
	if (!str_to_int(digits, 1, INT32_MAX, &version))
		return (false);
	if (sodium_base642bin(ret_key, KEY_BYTES, colon + 1, n - length - 1,
	    NULL, &got, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    got != KEY_BYTES || end != text + n)
		return (false);
	*ret_version = (uint32_t)version;
	return (true);
}

static bool
write_all(int fd, const char *text)
{
	size_t	left = strlen(text);
	ssize_t	n;

	while (left > 0) {
		n = write(fd, text, left);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (false);
		text += n;
		left -= (size_t)n;
	}
	return (true);
}
