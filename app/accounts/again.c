/*
 * How a form travels through the page that asks for a fresh sign-in.
 */
#include "accounts/again.h"

#include <assert.h>

#define HEAD	(sizeof(int64_t) + AGAIN_NONCE)

static const char *again_row(struct arena *, const char *cookie,
		    const char *path);

bool
again_travels(const char *name)
{
	return (!str_eq(name, "csrf") && strstr(name, "password") == NULL);
}

const char *
again_seal(const struct keyring *ring, struct arena *a, const char *cookie,
    const char *path, int64_t now, const char *text)
{
	size_t		 n = strlen(text);
	unsigned char	*plain, *sealed;
	char		*value;

	if (n > AGAIN_TEXT_MAX)
		return (NULL);
	plain = arena_alloc(a, HEAD + n);
	memcpy(plain, &now, sizeof(now));
	random_bytes(plain + sizeof(now), AGAIN_NONCE);
	memcpy(plain + HEAD, text, n);
	n += HEAD;
	sealed = arena_alloc(a, n + SEAL_OVERHEAD);
	seal(ring, again_row(a, cookie, path), plain, n, sealed);
	n += SEAL_OVERHEAD;
	value = arena_alloc(a, (n * 4 + 2) / 3 + 1);
	base64url_encode(value, sealed, n);
	return (value);
}

const char *
again_open(const struct keyring *ring, struct arena *a, const char *cookie,
    const char *path, int64_t now, const char *sealed,
    unsigned char ret_nonce[AGAIN_NONCE])
{
	size_t		 n = strlen(sealed) * 3 / 4;
	unsigned char	*bytes;
	struct secret	 plain;
	int64_t		 made;

	if (n < HEAD + SEAL_OVERHEAD || n > SEAL_MAX + SEAL_OVERHEAD)
		return (NULL);
	bytes = arena_alloc(a, n);
	if (!base64url_decode(bytes, n, sealed) ||
	    seal_open(ring, a, again_row(a, cookie, path), bytes, n,
	    &plain) != SEAL_OK)
		return (NULL);
	memcpy(&made, plain.p, sizeof(made));
	if (now < made - MINUTE_US || now > made + AGAIN_S * SECOND_US)
		return (NULL);
	memcpy(ret_nonce, plain.p + sizeof(made), AGAIN_NONCE);
	return (arena_strndup(a, (const char *)plain.p + HEAD,
	    plain.n - HEAD));
}

/* Only POST is ever asked again, so the method need not vary. */
static const char *
again_row(struct arena *a, const char *cookie, const char *path)
{
	unsigned char	 hash[SHA256_BYTES];
	char		*hex = arena_alloc(a, 2 * SHA256_BYTES + 1);
	const char	*row;

	/* A path may have 1 kB, as long as associated data may be. */
	row = arena_fmt(a, "%s\nPOST %s", cookie, path);
	sha256(hash, row, strlen(row));
	hex_encode(hex, hash, sizeof(hash));
	return (arena_fmt(a, "again:%s", hex));
}
