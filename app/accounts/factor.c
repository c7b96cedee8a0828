/*
 * Rules of second factors: what codes look like, and whether one is right.
 */
#include "accounts/factor.h"

#include <assert.h>

/* Crockford's base32, lower case: no i, l, o, u. */
static const char	letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

#define RECOVERY_LETTERS	24	/* of 5 bits each: 120, and ASVS 6.5.2
				 * asks for 112 */

static bool	recovery_normal(const char *typed,
		    char ret_normal[RECOVERY_LETTERS + 1]);
static const char *setup_row(struct arena *, const char *cookie);

void
recovery_codes_make(const char *account_id, struct recovery_codes *recovery)
{
	unsigned char	random[RECOVERY_LETTERS];
	char		*p;
	size_t		 i, n;
	bool		 ok;

	for (i = 0; i < RECOVERY_CODES; i++) {
		random_bytes(random, sizeof(random));
		p = recovery->text[i];
		for (n = 0; n < RECOVERY_LETTERS; n++) {
			if (n > 0 && n % 4 == 0)
				*p++ = '-';
			/* 256 is a multiple of 32: each is as likely. */
			*p++ = letters[random[n] % 32];
		}
		*p = '\0';
		ok = recovery_code_hash(account_id, recovery->text[i],
		    recovery->hash[i]);
		assert(ok);
	}
	explicit_bzero(random, sizeof(random));
}

bool
recovery_code_hash(const char *account_id, const char *typed,
    unsigned char ret_hash[SHA256_BYTES])
{
	char	text[UUID_TEXT + RECOVERY_LETTERS + 1];
	char	normal[RECOVERY_LETTERS + 1];
	int	n;

	if (!recovery_normal(typed, normal))
		return (false);
	/* With the account: equal codes of two are no equal rows. */
	n = snprintf(text, sizeof(text), "%s:%s", account_id, normal);
	assert(n > 0 && (size_t)n < sizeof(text));
	sha256(ret_hash, text, (size_t)n);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(normal, sizeof(normal));
	return (true);
}

void
setup_seal(const struct keyring *ring, struct arena *a, const char *cookie,
    int64_t now, const unsigned char secret[TOTP_SECRET_BYTES],
    char ret_text[SETUP_TEXT])
{
	unsigned char	plain[TOTP_SECRET_BYTES + sizeof(now)];
	unsigned char	sealed[SETUP_BYTES];

	memcpy(plain, secret, TOTP_SECRET_BYTES);
	memcpy(plain + TOTP_SECRET_BYTES, &now, sizeof(now));
	seal(ring, setup_row(a, cookie), plain, sizeof(plain), sealed);
	base64url_encode(ret_text, sealed, sizeof(sealed));
	explicit_bzero(plain, sizeof(plain));
}

bool
setup_open(const struct keyring *ring, struct arena *a, const char *cookie,
    int64_t now, const char *text, unsigned char ret_secret[TOTP_SECRET_BYTES])
{
	unsigned char	sealed[SETUP_BYTES];
	struct secret	plain;
	int64_t		made;

	if (!base64url_decode(sealed, sizeof(sealed), text) ||
	    seal_open(ring, a, setup_row(a, cookie), sealed, sizeof(sealed),
		&plain) != SEAL_OK)
		return (false);
	assert(plain.n == TOTP_SECRET_BYTES + sizeof(made));
	memcpy(&made, plain.p + TOTP_SECRET_BYTES, sizeof(made));
	if (now < made - MINUTE_US || now > made + SETUP_S * SECOND_US)
		return (false);
	memcpy(ret_secret, plain.p, TOTP_SECRET_BYTES);
	return (true);
}

const char *
totp_row(struct arena *a, const char *account_id)
{
	return (arena_fmt(a, "totp:%s", account_id));
}

enum factor_verdict
factor_check(const struct keyring *ring, struct arena *a,
    const struct challenge *challenge, int64_t now, const char *typed,
    struct proof *ret_proof)
{
	struct proof	proof = { 0 };
	struct secret	secret;
	char		code[TOTP_CODE];

	if (recovery_code_hash(challenge->account_id, typed, proof.hash)) {
		/* Whether there is such a row, the statement that uses it
		 * says. */
		proof.is_recovery = true;
		*ret_proof = proof;
		return (FACTOR_RIGHT);
	}
	if (!totp_code(typed, code))
		return (FACTOR_UNREADABLE);
	if (!challenge->has_totp)
		return (FACTOR_WRONG);
	if (seal_open(ring, a, totp_row(a, challenge->account_id),
		challenge->sealed, challenge->sealed_bytes,
		&secret) != SEAL_OK ||
	    secret.n != TOTP_SECRET_BYTES)
		return (FACTOR_CLOSED);
	if (!totp_check(secret.p, code, now, challenge->last_counter,
		&proof.counter))
		return (FACTOR_WRONG);
	*ret_proof = proof;
	return (FACTOR_RIGHT);
}

static bool
recovery_normal(const char *typed, char ret_normal[RECOVERY_LETTERS + 1])
{
	size_t	n = 0;
	char	c;

	for (; *typed != '\0'; typed++) {
		c = *typed;
		if (c == ' ' || c == '-')
			continue;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c == 'o')
			c = '0';
		if (c == 'i' || c == 'l')
			c = '1';
		if (n == RECOVERY_LETTERS || strchr(letters, c) == NULL)
			return (false);
		ret_normal[n++] = c;
	}
	ret_normal[n] = '\0';
	return (n == RECOVERY_LETTERS);
}

/* The cookie itself is no part of what is stored or logged, its hash is. */
static const char *
setup_row(struct arena *a, const char *cookie)
{
	unsigned char	 hash[SHA256_BYTES];
	char		*hex = arena_alloc(a, 2 * SHA256_BYTES + 1);

	sha256(hash, cookie, strlen(cookie));
	hex_encode(hex, hash, sizeof(hash));
	return (arena_fmt(a, "totp_setup:%s", hex));
}
