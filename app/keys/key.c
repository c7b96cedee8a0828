/*
 * Making and opening keys, and the nonces of their forms: see key.h.
 */
#include "keys/find.h"

#include <assert.h>

#include "base/str.h"

#define KEY_RANDOM	16	/* bytes: 128 bits */
#define NONCE_RANDOM	16	/* bytes, 22 characters of base64url */
#define NONCE_TEXT	23

static const char	*nonce_proof(struct arena *, const char *cookie,
			    const char *random, const char *subscription_id,
			    const char *slot);
static void		 row_name(char [KEY_ROW_MAX], const char *id,
			    const char *slot);

bool
key_make(const struct keyring *ring, const char *slot,
    struct key_made *ret_made)
{
	unsigned char	raw[KEY_RANDOM];
	char		text[KEY_TEXT];
	struct secret	key = { (unsigned char *)text, KEY_TEXT - 1 };
	struct secret	random = { raw, sizeof(raw) };
	bool		ok;

	random_bytes(raw, sizeof(raw));
	hex_encode(text, raw, sizeof(raw));
	ok = key_take(ring, slot, text, ret_made);
	secret_wipe(&key);
	secret_wipe(&random);
	return (ok);
}

bool
key_take(const struct keyring *ring, const char *slot, const char *text,
    struct key_made *ret_made)
{
	char		row[KEY_ROW_MAX];
	struct key_made	made = { .slot = slot };
	bool		ok;

	assert(key_slot_valid(slot) && find_shaped(FIND_WHOLE, text));
	uuid_make(made.id);
	row_name(row, made.id, slot);
	/* Both purposes have the same versions; one number is stored. */
	made.mac_version = keyring_newest(ring, "subscription-key");
	ok = made.mac_version != 0 && keyring_newest(ring, "data") != 0 &&
	    keyring_hmac(ring, "subscription-key", made.mac_version, text,
	    KEY_TEXT - 1, made.mac) &&
	    keyring_hmac(ring, "subscription-key-prefix", made.mac_version, text,
	    KEY_PREFIX, made.prefix_mac);
	if (ok) {
		seal(ring, row, text, KEY_TEXT - 1, made.sealed);
		memcpy(made.last4, text + KEY_TEXT - 5, sizeof(made.last4));
		*ret_made = made;
	}
	return (ok);
}

bool
find_shaped(enum find_by by, const char *text)
{
	size_t	n = by == FIND_WHOLE ? KEY_TEXT - 1 : by == FIND_FIRST8 ?
		    KEY_PREFIX : 4;

	return (strlen(text) == n && strspn(text, "0123456789abcdef") == n);
}

bool
key_slot_valid(const char *slot)
{
	return (str_eq(slot, "primary") || str_eq(slot, "secondary"));
}

const char *
key_nonce_make(struct arena *a, const char *cookie,
    const char *subscription_id, const char *slot)
{
	unsigned char	raw[NONCE_RANDOM];
	char		random[NONCE_TEXT];

	random_bytes(raw, sizeof(raw));
	base64url_encode(random, raw, sizeof(raw));
	return (arena_fmt(a, "%s.%s", random,
	    nonce_proof(a, cookie, random, subscription_id, slot)));
}

bool
key_nonce_valid(struct arena *a, const char *nonce, const char *cookie,
    const char *subscription_id, const char *slot)
{
	unsigned char	 raw[NONCE_RANDOM];
	const char	*random;

	if (strlen(nonce) != NONCE_TEXT - 1 + 1 + TOKEN_TEXT - 1 ||
	    nonce[NONCE_TEXT - 1] != '.')
		return (false);
	random = arena_strndup(a, nonce, NONCE_TEXT - 1);
	return (base64url_decode(raw, sizeof(raw), random) &&
	    token_eq(nonce + NONCE_TEXT,
	    nonce_proof(a, cookie, random, subscription_id, slot)));
}

enum seal_result
key_open(const struct keyring *ring, struct arena *a, const char *key_id,
    const char *slot, const void *sealed, size_t bytes,
    struct secret *ret_key)
{
	char	row[KEY_ROW_MAX];

	row_name(row, key_id, slot);
	return (seal_open(ring, a, row, sealed, bytes, ret_key));
}

static const char *
nonce_proof(struct arena *a, const char *cookie, const char *random,
    const char *subscription_id, const char *slot)
{
	char	*proof = arena_alloc(a, TOKEN_TEXT);

	token_derive(proof, cookie, "nonce", arena_fmt(a, "%s:%s:%s", random,
	    subscription_id, slot));
	return (proof);
}

static void
row_name(char row[KEY_ROW_MAX], const char *id, const char *slot)
{
	int	n;

	n = snprintf(row, KEY_ROW_MAX, "subscription_key:%s:%s", id, slot);
	assert(n > 0 && n < KEY_ROW_MAX);
}
