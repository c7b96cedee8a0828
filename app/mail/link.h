/*
 * Links in mails.  The token of a link is derived from what it is for, under
 * the HMAC key "link" of the vault: the courier makes it when it makes the
 * message, so it never stands in the outbox; the database holds its SHA-256
 * alone, so that a copy of the database opens nothing.
 *
 *	signup.token_hash = SHA-256(token), token = link_token("verify", id)
 *	recovery.token_hash likewise, of link_token("reset", id)
 *	email_change.token_hash and undo_hash, "email-confirm", "email-undo"
 */
#ifndef MAIL_LINK_H
#define MAIL_LINK_H

#include "crypto/token.h"

/* base64url of HMAC("<kind>:<uuid>").  kind: "verify", "reset", ...:
 * the path of the link. */
void	 link_token(const char *kind, const char *uuid,
	    char ret_token[TOKEN_TEXT]);
/* What the database holds of a token. */
void	 link_token_hash(const char *token,
	    unsigned char ret_hash[SHA256_BYTES]);
/* Of a link that ends one kind of an account's mail (or "digest"), which needs
 * no row: "unsubscribe" with both.  False for what can be no kind. */
MUST_CHECK bool	 link_unsubscribe(const char *account_id, const char *mail_kind,
	    char ret_token[TOKEN_TEXT]);
/* PUBLIC_URL/kind/token */
char	*link_url(struct arena *, const char *kind, const char *uuid);

#endif
