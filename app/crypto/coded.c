/*
 * See coded.h.
 */
#include "crypto/coded.h"

#include <assert.h>

#include "crypto/token.h"

static const char	base62[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static uint32_t	 crc32_of(const char *, size_t);
static void	 check_write(char ret_check[CODED_CHECK], const char *random);

void
coded_make(char ret_text[CODED_TEXT], const char *prefix)
{
	unsigned char	 byte;
	size_t		 start = strlen(prefix), n = start;

	assert(start >= 3 && start <= CODED_PREFIX_MAX &&
	    prefix[start - 1] == '_');
	memcpy(ret_text, prefix, start);
	while (n < start + CODED_RANDOM) {
		random_bytes(&byte, 1);
		/* 248 is 4 * 62: the rest would favour some letters. */
		if (byte < 248)
			ret_text[n++] = base62[byte % 62];
	}
	check_write(ret_text + n, ret_text + start);
	ret_text[n + CODED_CHECK] = '\0';
}

bool
coded_shaped(const char *text)
{
	size_t	start = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	char	check[CODED_CHECK];

	if (start < 2 || start > CODED_PREFIX_MAX - 1 || text[start] != '_')
		return (false);
	text += start + 1;
	if (strnlen(text, CODED_TEXT) != CODED_RANDOM + CODED_CHECK ||
	    strspn(text, base62) != CODED_RANDOM + CODED_CHECK)
		return (false);
	check_write(check, text);
	return (memcmp(check, text + CODED_RANDOM, sizeof(check)) == 0);
}

/* 62^6 is more than 2^32, so six digits hold it, padded with zeros. */
static void
check_write(char ret_check[CODED_CHECK], const char *random)
{
	uint32_t	crc = crc32_of(random, CODED_RANDOM);
	int		i;

	for (i = (int)CODED_CHECK - 1; i >= 0; i--) {
		ret_check[i] = base62[crc % 62];
		crc /= 62;
	}
}

/* ISO 3309, as zlib's and PNG's; 30 bytes need no table. */
static uint32_t
crc32_of(const char *bytes, size_t n)
{
	uint32_t	crc = 0xffffffff;
	size_t		i;
	int		bit;

	for (i = 0; i < n; i++) {
		crc ^= (unsigned char)bytes[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
	}
	return (~crc);
}
