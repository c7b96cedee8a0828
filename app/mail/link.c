/*
 * Tokens of links, derived.  The newest version of the key "link" is used:
 * a new version ends the links that are under way, which live a day at most.
 */
#include "mail/link.h"

#include <assert.h>

#include "base/setting.h"
#include "base/str.h"
#include "vault/vault.h"

#define KIND_MAX	60
#define CONTEXT_MAX	(KIND_MAX + 1 + UUID_TEXT)

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

bool
link_unsubscribe(const char *account_id, const char *mail_kind,
    char ret_token[TOKEN_TEXT])
{
	char	kind[KIND_MAX];
	int	n;

	n = snprintf(kind, sizeof(kind), "unsubscribe/%s", mail_kind);
	if (n < 0 || (size_t)n >= sizeof(kind))
		return (false);
	link_token(kind, account_id, ret_token);
	return (true);
}

char *
link_url(struct arena *arena, const char *kind, const char *uuid)
{
	char	token[TOKEN_TEXT];

	link_token(kind, uuid, token);
	return (arena_fmt(arena, "%s/%s/%s", setting->public_url, kind,
	    token));
}
