/*
 * Which lanes a try counts in.
 */
#include "accounts/tries.h"

#include "base/str.h"
#include "crypto/token.h"

#define TEXT(number)	TEXT_OF(number)
#define TEXT_OF(number)	#number

static void	 lane_add(struct tries *, const char *lane, const char *key,
		    const char *free);

struct tries
tries_of(struct arena *a, enum try_kind kind, const char *who,
    const char *network, const char *browser)
{
	static const char	*const lanes[][2] = {
		[TRY_PASSWORD] = { "password_browser", "password" },
		[TRY_CODE] = { "code_browser", "code" },
		[TRY_RECOVERY_CODE] = { "code_browser", NULL },
		[TRY_LINK_CODE] = { "code_browser", "link_code" },
	};
	struct tries	 tries = { .n = 0 };

	if (browser != NULL) {
		lane_add(&tries, lanes[kind][0], tries_key(a, who, browser),
		    TEXT(TRIES_BROWSER));
		return (tries);
	}
	if (lanes[kind][1] != NULL)
		lane_add(&tries, lanes[kind][1], tries_key(a, who, ""),
		    TEXT(TRIES_ACCOUNT));
	lane_add(&tries, "network", network, TEXT(TRIES_NETWORK));
	return (tries);
}

const char *
tries_key(struct arena *a, const char *who, const char *browser)
{
	unsigned char	 hash[SHA256_BYTES];
	const char	*text = arena_fmt(a, "%s\n%s", who, browser);
	char		*key = arena_alloc(a, 2 * SHA256_BYTES + 1);

	sha256(hash, text, strlen(text));
	hex_encode(key, hash, sizeof(hash));
	return (key);
}

static void
lane_add(struct tries *tries, const char *lane, const char *key,
    const char *free)
{
	tries->lanes[tries->n] = lane;
	tries->keys[tries->n] = key;
	tries->free[tries->n] = free;
	tries->n++;
}
