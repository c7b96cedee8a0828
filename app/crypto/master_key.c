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

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define FILE_MAX	(64u * 1024)
#define BASE64_BYTES	45u	/* 32 bytes in padded base64, and the NUL */
#define LINE_BYTES	(11u + BASE64_BYTES + 1u)

static char		*file_read(struct arena *, const char *,
			    const char **);
static const char	*lines_read(struct keyring *, struct arena *,
			    const char *, const char *);
static char		*lines_load(struct arena *, const char *,
			    struct keyring *, const char **);
static void		 line_make(char [LINE_BYTES], uint32_t);
static bool		 file_replace(struct arena *, const char *,
			    const char *, const char **);
static bool		 folder_sync(struct arena *, const char *);
static bool		 line_parse(const char *, size_t, uint32_t *,
			    unsigned char [KEY_BYTES]);
static bool		 write_all(int, const char *);

bool
keyring_read_master(struct keyring *ring, struct arena *a, const char *path,
    const char **ret_why)
{
	return (lines_load(a, path, ring, ret_why) != NULL);
}

bool
master_key_create(const char *path, struct arena *a, const char **ret_why)
{
	char		 line[LINE_BYTES];
	const char	*text;
	int		 fd, saved;
	bool		 ok;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		*ret_why = arena_fmt(a, "%s: can't be made: %s", path,
		    strerror(errno));
		return (false);
	}
	line_make(line, 1);
	text = arena_fmt(a, "# Latchkey's master keys, version:base64, newest "
	    "last.\n# Keep a copy apart from the database's: without it the "
	    "keys in it are lost.\n%s", line);
	sodium_memzero(line, sizeof(line));
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

bool
master_key_add(const char *path, struct arena *a, uint32_t *ret_version,
    const char **ret_why)
{
	struct keyring	*ring = keyring_new();
	char		 line[LINE_BYTES];
	char		*text = lines_load(a, path, ring, ret_why);
	uint32_t	 version = keyring_master_newest(ring);
	bool		 ok;

	keyring_free(ring);
	if (text == NULL)
		return (false);
	if (version == INT32_MAX) {
		*ret_why = arena_fmt(a, "%s: has the last version that there "
		    "can be", path);
		return (false);
	}
	line_make(line, version + 1);
	ok = file_replace(a, path, arena_fmt(a, "%s%s%s", text,
	    text[strlen(text) - 1] == '\n' ? "" : "\n", line), ret_why);
	sodium_memzero(line, sizeof(line));
	if (ok)
		*ret_version = version + 1;
	return (ok);
}

bool
master_key_trim(const char *path, struct arena *a, uint32_t first,
    const char **ret_why)
{
	struct keyring	*ring = keyring_new();
	unsigned char	 key[KEY_BYTES];
	char		*text = lines_load(a, path, ring, ret_why), *kept, *p;
	uint32_t	 version;
	size_t		 n;
	bool		 ok = text != NULL &&
			    first <= keyring_master_newest(ring);

	keyring_free(ring);
	if (text == NULL)
		return (false);
	if (!ok) {
		*ret_why = arena_fmt(a, "%s: has no version %u or newer", path,
		    first);
		return (false);
	}
	p = kept = arena_alloc(a, strlen(text) + 1);
	for (; *text != '\0'; text += n) {
		n = strcspn(text, "\n");
		/* Comments are no lines with a version. */
		ok = !line_parse(text, n, &version, key) || version >= first;
		sodium_memzero(key, sizeof(key));
		n += text[n] != '\0';
		if (ok) {
			memcpy(p, text, n);
			p += n;
		}
	}
	*p = '\0';
	return (file_replace(a, path, kept, ret_why));
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

/* The text of a good file, its keys in the ring; NULL with *ret_why set, and the
 * ring as it was. */
static char *
lines_load(struct arena *a, const char *path, struct keyring *ring,
    const char **ret_why)
{
	char		*text = file_read(a, path, ret_why);
	const char	*why;

	if (text == NULL)
		return (NULL);
	/* Once to judge, once to add. */
	why = lines_read(NULL, a, path, text);
	if (why != NULL) {
		*ret_why = why;
		return (NULL);
	}
	(void)lines_read(ring, a, path, text);
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

/* A fresh key as a line of the file. */
static void
line_make(char ret_line[LINE_BYTES], uint32_t version)
{
	unsigned char	key[KEY_BYTES];
	char		base64[BASE64_BYTES];
	int		n;

	random_bytes(key, sizeof(key));
	sodium_bin2base64(base64, sizeof(base64), key, sizeof(key),
	    sodium_base64_VARIANT_ORIGINAL);
	n = snprintf(ret_line, LINE_BYTES, "%u:%s\n", version, base64);
	assert(n > 0 && (size_t)n < LINE_BYTES);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(base64, sizeof(base64));
}

/*
 * Written beside, with the same owner and mode, and moved to its place when it
 * is on the disk.  A link is followed, so it goes on to point to the file.
 */
static bool
file_replace(struct arena *a, const char *path, const char *text,
    const char **ret_why)
{
	char		*real = realpath(path, NULL), *beside;
	struct stat	 st;
	int		 fd = -1, saved;
	bool		 ok = false;

	if (real == NULL || stat(real, &st) == -1) {
		*ret_why = arena_fmt(a, "%s: can't be read: %s", path,
		    strerror(errno));
		free(real);
		return (false);
	}
	beside = arena_fmt(a, "%s.XXXXXX", real);
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd != -1) {
		ok = (st.st_uid == geteuid() && st.st_gid == getegid() ?
		    true : fchown(fd, st.st_uid, st.st_gid) == 0) &&
		    fchmod(fd, st.st_mode & 0700) == 0 &&
		    write_all(fd, text) && fsync(fd) == 0;
		saved = errno;
		if (close(fd) == -1 && ok) {
			ok = false;
			saved = errno;
		}
		errno = saved;
		ok = ok && rename(beside, real) == 0 && folder_sync(a, real);
	}
	saved = errno;
	if (!ok && fd != -1)
		(void)unlink(beside);
	free(real);
	if (!ok)
		*ret_why = arena_fmt(a, "%s: can't be written anew beside "
		    "itself: %s", path, strerror(saved));
	return (ok);
}

static bool
folder_sync(struct arena *a, const char *path)
{
	char	*folder = arena_strdup(a, path);
	int	 fd;
	bool	 ok;

	*strrchr(folder, '/') = '\0';	/* an absolute path */
	fd = open(*folder == '\0' ? "/" : folder,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd != -1 && fsync(fd) == 0;
	if (fd != -1)
		(void)close(fd);
	return (ok);
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
