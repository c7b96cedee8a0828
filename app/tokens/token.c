/*
 * The form of access tokens: see token.h.
 */
#include "tokens/token.h"

#include "base/str.h"

static const char	base62[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static uint32_t	 crc32_of(const char *, size_t);
static void	 check_write(char ret_check[ACCESS_TOKEN_CHECK],
		    const char *random);

void
access_token_make(char ret_token[ACCESS_TOKEN_TEXT])
{
	unsigned char	 byte;
	size_t		 i = 3;

	ret_token[0] = 'l';
	ret_token[1] = 'k';
	ret_token[2] = '_';
	while (i < 3 + ACCESS_TOKEN_RANDOM) {
		random_bytes(&byte, 1);
		/* 248 is 4 * 62: the rest would favour some letters. */
		if (byte < 248)
			ret_token[i++] = base62[byte % 62];
	}
	check_write(ret_token + i, ret_token + 3);
	ret_token[ACCESS_TOKEN_TEXT - 1] = '\0';
}

bool
access_token_shaped(const char *token)
{
	char	check[ACCESS_TOKEN_CHECK];

	if (strlen(token) != ACCESS_TOKEN_TEXT - 1 ||
	    !str_starts(token, "lk_") ||
	    strspn(token + 3, base62) != ACCESS_TOKEN_TEXT - 4)
		return (false);
	check_write(check, token + 3);
	return (memcmp(check, token + 3 + ACCESS_TOKEN_RANDOM,
	    sizeof(check)) == 0);
}

/* 62^6 is more than 2^32, so six digits hold it, padded with zeros. */
static void
check_write(char ret_check[ACCESS_TOKEN_CHECK], const char *random)
{
	uint32_t	crc = crc32_of(random, ACCESS_TOKEN_RANDOM);
	int		i;

	for (i = ACCESS_TOKEN_CHECK - 1; i >= 0; i--) {
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
