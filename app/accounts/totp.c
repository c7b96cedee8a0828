/*
 * Codes by time: see totp.h.
 */
#include "accounts/totp.h"

#include <assert.h>
#include <liboath/oath.h>

#include "base/clock.h"
#include "base/str.h"
#include "crypto/token.h"

#define URI_MAX	1024u

static void	base32(char *out, const unsigned char *);

#define BASE32_TEXT	(TOTP_SECRET_BYTES * 8 / 5 + 1)

void
totp_make(unsigned char ret_secret[TOTP_SECRET_BYTES])
{
	random_bytes(ret_secret, TOTP_SECRET_BYTES);
}

const char *
totp_text(struct arena *a, const unsigned char secret[TOTP_SECRET_BYTES])
{
	char		 text[BASE32_TEXT];
	struct buf	 b;
	size_t		 i;

	base32(text, secret);
	buf_init(&b, a, 2 * BASE32_TEXT);
	for (i = 0; text[i] != '\0'; i++) {
		if (i > 0 && i % 4 == 0)
			buf_chr(&b, ' ');
		buf_chr(&b, text[i]);
	}
	return (buf_text(&b));
}

const char *
totp_uri(struct arena *a, const unsigned char secret[TOTP_SECRET_BYTES],
    const char *site, const char *email)
{
	char		text[BASE32_TEXT];
	struct buf	b;

	base32(text, secret);
	buf_init(&b, a, URI_MAX);
	buf_str(&b, "otpauth://totp/");
	buf_url(&b, site);
	buf_chr(&b, ':');
	buf_url(&b, email);
	buf_fmt(&b, "?secret=%s&issuer=", text);
	buf_url(&b, site);
	buf_fmt(&b, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS,
	    TOTP_STEP_S);
	return (buf_text(&b));
}

bool
totp_code(const char *typed, char ret_code[TOTP_CODE])
{
	char	code[TOTP_CODE] = "";
	size_t	n = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == ' ')
			continue;
		if (*typed < '0' || *typed > '9' || n == TOTP_DIGITS)
			return (false);
		code[n++] = *typed;
	}
	if (n != TOTP_DIGITS)
		return (false);
	memcpy(ret_code, code, TOTP_CODE);
	return (true);
}

bool
totp_check(const unsigned char secret[TOTP_SECRET_BYTES],
    const char code[TOTP_CODE], int64_t now, int64_t last, int64_t *ret_counter)
{
	char	right[TOTP_CODE];
	int64_t	counter, found = -1;
	int	drift, rc;

	for (drift = -1; drift <= 1; drift++) {
		counter = now / SECOND_US / TOTP_STEP_S + drift;
		rc = oath_hotp_generate((const char *)secret, TOTP_SECRET_BYTES,
		    (uint64_t)counter, TOTP_DIGITS, false,
		    OATH_HOTP_DYNAMIC_TRUNCATION, right);
		assert(rc == OATH_OK);
		if (token_eq(right, code) && counter > last && found == -1)
			found = counter;
	}
	if (found == -1)
		return (false);
	*ret_counter = found;
	return (true);
}

/* 160 bits are 32 characters without padding. */
static void
base32(char *out, const unsigned char *secret)
{
	char	*text = NULL;
	size_t	 n = 0;
	int	 rc;

	rc = oath_base32_encode((const char *)secret, TOTP_SECRET_BYTES, &text,
	    &n);
	assert(rc == OATH_OK && n == BASE32_TEXT - 1);
	memcpy(out, text, BASE32_TEXT);
	explicit_bzero(text, n);
	free(text);
}
