/*
 * Values of issued keys, and the letters that they begin with: see issued.h.
 */
#include "keys/issued.h"

#include <assert.h>

#include "base/setting.h"
#include "base/str.h"
#include "crypto/seal.h"
#include "keys/key.h"

static const char *letters_of(struct arena *, const char *name);

void
issued_value_make(const struct keyring *ring, const char *letters,
    const char *env_letter, int64_t shows_first,
    struct issued_value *ret_value)
{
	struct issued_value	*v = ret_value;
	char			 prefix[CODED_PREFIX_MAX + 1];
	size_t			 n;
	int			 length;
	bool			 ok;

	length = snprintf(prefix, sizeof(prefix), "%s%s_", letters,
	    env_letter);
	assert(length > 1 && (size_t)length < sizeof(prefix));
	memset(v, 0, sizeof(*v));
	uuid_make(v->id);
	coded_make(v->text, prefix);
	n = strlen(v->text);
	assert(shows_first >= 0 && (size_t)shows_first < sizeof(v->first));
	/* Both purposes have the same versions; one number is stored. */
	v->mac_version = keyring_newest(ring, "subscription-key");
	ok = keyring_hmac(ring, "subscription-key", v->mac_version, v->text, n,
	    v->mac) && keyring_hmac(ring, "subscription-key-prefix",
	    v->mac_version, v->text, KEY_PREFIX, v->prefix_mac);
	assert(ok);		/* vault_load() saw that all kinds are there */
	memcpy(v->first, v->text, (size_t)shows_first);
	memcpy(v->last4, v->text + n - 4, 4);
}

const char *
issued_letters(struct arena *a, const char *profile, const char *otherwise)
{
	const char	*set = letters_of(a, profile);

	return (set == NULL ? otherwise : set);
}

const char *
issued_env_letter(struct arena *a, const char *environment)
{
	const char	*set = letters_of(a, environment);

	return (set == NULL ? arena_strndup(a, environment, 1) : set);
}

/* What LATCHKEY_KEY_LETTERS says of a name: "user-key=ca,live=l". */
static const char *
letters_of(struct arena *a, const char *name)
{
	const char	*p = setting->key_letters;
	size_t		 n = strlen(name), length;

	for (; *p != '\0'; p += length + (p[length] == ',')) {
		length = strcspn(p, ",");
		if (length > n && strncmp(p, name, n) == 0 && p[n] == '=')
			return (arena_strndup(a, p + n + 1, length - n - 1));
	}
	return (NULL);
}
