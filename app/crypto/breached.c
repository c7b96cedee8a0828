/*
 * Binary search in a file of lines: the middle is a byte, and the line that is
 * compared is the first one that begins behind it.
 */
#include "crypto/breached.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/str.h"

#define HASH_BYTES	20
#define HASH_TEXT	(2 * HASH_BYTES)
/* A hash, ":", a count of up to 20 digits, CR and LF; twice, to hold a whole
 * line wherever it is read from. */
#define LINE_MAX_BYTES	64
#define READ_BYTES	(2 * LINE_MAX_BYTES)

static int	file = -1;
static off_t	file_bytes;

static bool	line_at(off_t from, char ret_hash[HASH_TEXT], off_t *ret_start,
		    off_t *ret_next);
static bool	is_hash(const char *);

bool
breached_open(const char *path, const char **ret_why)
{
	struct stat	 about;
	char		 first[HASH_TEXT];
	off_t		 start, next;

	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file == -1) {
		*ret_why = strerror(errno);
		return (false);
	}
	if (fstat(file, &about) == -1 || !S_ISREG(about.st_mode)) {
		*ret_why = "must be a file";
		return (false);
	}
	file_bytes = about.st_size;
	if (!line_at(0, first, &start, &next)) {
		*ret_why = "must hold lines of a SHA-1 hash in 40 hexadecimal "
		    "digits, sorted, as 000...:123";
		return (false);
	}
	return (true);
}

bool
breached_holds(struct secret password)
{
	unsigned char	 hash[HASH_BYTES];
	char		 wanted[HASH_TEXT + 1], found[HASH_TEXT];
	off_t		 low = 0, high = file_bytes, start, next;
	bool		 holds = false;
	int		 order;

	if (file == -1 || EVP_Digest(password.p, password.n, hash, NULL,
	    EVP_sha1(), NULL) != 1)
		return (false);
	hex_encode(wanted, hash, sizeof(hash));
	/* A line that begins in [low, high) may be it. */
	while (low < high) {
		start = low + (high - low) / 2;
		if (!line_at(start, found, &start, &next) || start >= high) {
			high = low + (high - low) / 2;
			continue;
		}
		order = strncasecmp(wanted, found, HASH_TEXT);
		if (order == 0) {
			holds = true;
			break;
		}
		if (order < 0)
			high = low + (high - low) / 2;
		else
			low = next;
	}
	sodium_memzero(hash, sizeof(hash));
	sodium_memzero(wanted, sizeof(wanted));
	return (holds);
}

/* The first line that begins at `from` or behind it; next is where the one
 * behind it does.  False at the end, and for what is no such line. */
static bool
line_at(off_t from, char ret_hash[HASH_TEXT], off_t *ret_start,
    off_t *ret_next)
{
	char	 text[READ_BYTES];
	char	*line = text, *end;
	off_t	 at = from > 0 ? from - 1 : 0;
	ssize_t	 n;

	n = pread(file, text, sizeof(text), at);
	if (n <= 0)
		return (false);
	if (from > 0) {
		line = memchr(text, '\n', (size_t)n);
		if (line == NULL)
			return (false);
		line++;
	}
	if (text + n - line < HASH_TEXT || !is_hash(line))
		return (false);
	end = memchr(line, '\n', (size_t)(text + n - line));
	memcpy(ret_hash, line, HASH_TEXT);
	*ret_start = at + (line - text);
	*ret_next = end == NULL ? file_bytes : at + (end + 1 - text);
	return (true);
}

static bool
is_hash(const char *text)
{
	size_t	i;

	for (i = 0; i < HASH_TEXT; i++)
		if (memchr("0123456789abcdefABCDEF", text[i], 22) == NULL)
			return (false);
	return (true);
}
