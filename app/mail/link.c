/*
 * Tokens of links, derived.  The newest version of the key "link" is used:
 * a new version ends the links that are under way, which live a day at most.
 */
#include "mail/link.h"

#include <assert.h>

#include "base/setting.h"
#include "base/str.h"
#include "vault/vault.h"

#define CONTEXT_MAX	(40 + UUID_TEXT)

void
link_token(const char *kind, const char *uuid, char ret_token[TOKEN_TEXT])
{
	unsigned char	mac[SHA256_BYTES];
	char		context[CONTEXT_MAX];
	int		n;

	assert(vault != NULL && uuid_shaped(uuid));
	n = snprintf(context, sizeof(context), "%s:%s", kind, uuid);
	assert(n > 0 && (size_t)n < sizeof(context));
	if (!keyring_hmac(vault, "link", 0, context, (size_t)n, mac))
		assert(!"the vault has no key \"link\"");
	base64url_encode(ret_token, mac, sizeof(mac));
	explicit_bzero(mac, sizeof(mac));
}

void
link_token_hash(const char *token, unsigned char ret_hash[SHA256_BYTES])
{
	sha256(ret_hash, token, strlen(token));
}

char *
link_url(struct arena *arena, const char *kind, const char *uuid)
{
	char	token[TOKEN_TEXT];

	link_token(kind, uuid, token);
	return (arena_fmt(arena, "%s/%s/%s", setting->public_url, kind,
	    token));
}
