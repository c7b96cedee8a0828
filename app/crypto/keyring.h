/*
 * The door between the two files that fill a keyring (seal.c and
 * master_key.c).  Everybody else uses crypto/seal.h.
 */
#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

#include "crypto/seal.h"

#define MASTER_KIND	"master"

/* Adds a key, or replaces the one of the same kind and version. */
void	keyring_put(struct keyring *, const char *kind, uint32_t version,
	    const unsigned char key[KEY_BYTES]);

#endif
