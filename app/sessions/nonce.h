/*
 * One-use nonces of forms whose answer reveals a secret, "<random>.<proof>".
 * The proof is derived from the session's cookie and what the form is for, so
 * nothing is stored until one is burned: the statement that makes the secret
 * inserts SHA-256(nonce) into `reveal` and does nothing where it is there.
 */
#ifndef SESSIONS_NONCE_H
#define SESSIONS_NONCE_H

#include "base/arena.h"

/* context: "rotate:<id>", say; made under session->cookie, looked at under
 * session->form_cookie. */
const char	*nonce_make(struct arena *, const char *cookie,
		    const char *context);
bool		 nonce_valid(struct arena *, const char *nonce,
		    const char *cookie, const char *context);

#endif
