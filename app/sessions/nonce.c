/*
 * Nonces of forms: see nonce.h.
 */
#include "sessions/nonce.h"

#include "base/str.h"
#include "crypto/token.h"

#define RANDOM_BYTES	16
#define RANDOM_TEXT	23	/* 22 characters of base64url and the NUL */

static const char *proof_of(struct arena *, const char *cookie,
    const char *random, const char *context);

const char *
nonce_make(struct arena *a, const char *cookie, const char *context)
{
	unsigned char raw[RANDOM_BYTES];
	char random[RANDOM_TEXT];

	random_bytes(raw, sizeof(raw));
	base64url_encode(random, raw, sizeof(raw));
	return (arena_fmt(a, "%s.%s", random,
	    proof_of(a, cookie, random, context)));
}

bool
nonce_valid(struct arena *a, const char *nonce, const char *cookie,
    const char *context)
{
	unsigned char raw[RANDOM_BYTES];
	const char *random;

	if (strlen(nonce) != RANDOM_TEXT - 1 + 1 + TOKEN_TEXT - 1 ||
	    nonce[RANDOM_TEXT - 1] != '.')
		return (false);
	random = arena_strndup(a, nonce, RANDOM_TEXT - 1);
	return (base64url_decode(raw, sizeof(raw), random) &&
	    token_eq(nonce + RANDOM_TEXT,
		proof_of(a, cookie, random, context)));
}

static const char *
proof_of(struct arena *a, const char *cookie, const char *random,
    const char *context)
{
	char *proof = arena_alloc(a, TOKEN_TEXT);

	token_derive(proof, cookie, "nonce",
	    arena_fmt(a, "%s:%s", random, context));
	return (proof);
}
