/*
 * Making and opening keys, and the nonces of their forms: see key.h.
 */
#include "keys/find.h"

#include <assert.h>

#include "base/str.h"
#include "crypto/coded.h"
#include "sessions/nonce.h"

#define KEY_RANDOM	16	/* bytes: 128 bits */


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
	key_row(row, made.id, slot);
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

const char *
find_typed(struct arena *a, const char *typed, enum find_by *ret_by)
{
	const char	*text = str_lower(a, typed);
	size_t		 n = strspn(typed, "abcdefghijklmnopqrstuvwxyz");

	*ret_by = strlen(typed) == KEY_PREFIX ? FIND_FIRST8 : FIND_WHOLE;
	if (find_shaped(*ret_by, text))
		return (text);
	if (*ret_by == FIND_WHOLE)
		return (coded_shaped(typed) ? typed : NULL);
	if (n < 2 || n > 3 || typed[n] != '_' || strspn(typed + n + 1,
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") !=
	    KEY_PREFIX - n - 1)
		return (NULL);
	return (typed);
}

bool
key_slot_valid(const char *slot)
{
	return (str_eq(slot, "primary") || str_eq(slot, "secondary"));
}

void
key_row(char ret_row[KEY_ROW_MAX], const char *key_id, const char *slot)
{
	int	n;

	n = snprintf(ret_row, KEY_ROW_MAX, "subscription_key:%s:%s", key_id,
	    slot);
	assert(n > 0 && n < KEY_ROW_MAX);
}

const char *
key_nonce_make(struct arena *a, const char *cookie,
    const char *subscription_id, const char *slot)
{
	return (nonce_make(a, cookie, arena_fmt(a, "%s:%s", subscription_id,
	    slot)));
}

bool
key_nonce_valid(struct arena *a, const char *nonce, const char *cookie,
    const char *subscription_id, const char *slot)
{
	return (nonce_valid(a, nonce, cookie, arena_fmt(a, "%s:%s",
	    subscription_id, slot)));
}

enum seal_result
key_open(const struct keyring *ring, struct arena *a, const char *key_id,
    const char *slot, const void *sealed, size_t bytes,
    struct secret *ret_key)
{
	char	row[KEY_ROW_MAX];

	key_row(row, key_id, slot);
	return (seal_open(ring, a, row, sealed, bytes, ret_key));
}
