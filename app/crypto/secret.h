/*
 * A secret: bytes that neither log nor view nor %s takes, because it is a
 * struct and not a string.  It lives in an arena, which wipes it at its end,
 * or in the caller's frame, which calls secret_wipe().
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include "base/arena.h"

#define SECRET_MAX	1024	/* bytes: 128 characters of UTF-8 and more */

struct secret {
	unsigned char	*p;
	size_t		 n;
};

/*
 * For the whole process and what it forks, at its start: no core dumps, not by
 * a handler either, and no other process of the same user may attach to it or
 * read its memory or environment (ASVS 13.3).  Root may.
 */
void		 secret_guard_process(void);

/* Copies into the arena. */
struct secret	 secret_copy(struct arena *, const void *, size_t bytes);
/* Constant time in the content; the length is not secret. */
bool		 secret_eq(struct secret, struct secret);
void		 secret_wipe(struct secret *);
/* The one door out, named so that a reviewer can search for it: the bytes as
 * NUL-terminated text in the arena. */
const char	*secret_reveal(struct arena *, struct secret);

#endif
