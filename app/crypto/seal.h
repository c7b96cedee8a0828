/*
 * Secrets at rest (section 4 of the contract).  Three layers:
 *
 *	master keys	outside the database, in a file of `version:base64`
 *			lines, newest last, 32 bytes each;
 *	data and HMAC	in the database, sealed under a master key, with
 *	keys		versions; HMAC keys have a purpose ("subscription-key",
 *			"subscription-key-prefix", "link", ...);
 *	rows		sealed under one data key at a time: AES-256-GCM with a
 *			random 96-bit nonce (NIST SP 800-38D) and associated
 *			data that names the row, so that a value that was moved
 *			to another row does not open.
 *
 * A sealed value is: 1 byte format (1), 4 bytes key version (big endian), 12
 * bytes nonce, the ciphertext, 16 bytes tag.  Format and version are part of
 * the associated data.
 *
 * A keyring is filled at start, replaced as a whole when versions change, and
 * read by everything else.  It lives in locked memory (sodium_malloc) and is
 * not in core dumps.  Filling it calls mlock(), madvise() and mprotect(), which
 * the sandbox must allow; reading calls nothing.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "crypto/secret.h"
#include "crypto/token.h"

#define KEY_BYTES	32
#define SEAL_OVERHEAD	(1 + 4 + 12 + 16)
#define PURPOSE_MAX	40
#define SEAL_MAX	(34u * 1024)	/* bytes: a form that travels */

struct keyring;

enum seal_result {
	SEAL_OK,
	SEAL_UNKNOWN_VERSION,	/* sealed under a key that the ring lacks */
	SEAL_BROKEN,		/* changed, cut, or moved from another row */
};

struct keyring	*keyring_new(void);
void		 keyring_free(struct keyring *);
/* All that another ring has, in place of what was here, which is wiped; the
 * other one is freed.  Whoever has this ring has the new keys then. */
void		 keyring_replace(struct keyring *, struct keyring *with);

/*
 * Reads the master key file.  False with a sentence in ret_why (static or in
 * the arena) when it is missing, readable by others (mode & 077), or has a bad
 * line; the sentence names the file and the line, never its content.  Comments
 * begin with #.  Versions are 1 to 2^31 - 1 and ascend.  On false, the ring is
 * as it was.  Reading again adds what is new.
 */
MUST_CHECK bool	 keyring_read_master(struct keyring *, struct arena *,
		    const char *path, const char **ret_why);
/* Writes a new file of mode 0600 with one fresh key, version 1; false if it
 * exists or can't be written. */
MUST_CHECK bool	 master_key_create(const char *path, struct arena *,
		    const char **ret_why);
uint32_t	 keyring_master_newest(const struct keyring *);
/*
 * Writes the file anew, with one fresh key more at its end, or without the
 * versions below `first`; comments stay.  The new file takes the old one's
 * place at once and has its owner and mode, so a reader finds one or the other,
 * whole.  False with a sentence when it can't be read or written: then the old
 * one is as it was.
 */
MUST_CHECK bool	 master_key_add(const char *path, struct arena *,
		    uint32_t *ret_version, const char **ret_why);
MUST_CHECK bool	 master_key_trim(const char *path, struct arena *,
		    uint32_t first, const char **ret_why);

/*
 * Data and HMAC keys.  kind is "data" or an HMAC purpose.  _make gives a new
 * key sealed under the newest master key, to be stored, and adds nothing; _add
 * opens a stored one into the ring, in place of one of the same kind and
 * version.  The associated data is kind and version.
 */
size_t		 keyring_make(struct keyring *, const char *kind,
		    uint32_t version,
		    unsigned char ret_sealed[KEY_BYTES + SEAL_OVERHEAD]);
enum seal_result keyring_add(struct keyring *, const char *kind,
		    uint32_t version, const void *sealed, size_t bytes);
/* A key that the ring has, sealed under the newest master key; false if it has
 * none of that kind and version. */
MUST_CHECK bool	 keyring_reseal(const struct keyring *, const char *kind,
		    uint32_t version,
		    unsigned char ret_sealed[KEY_BYTES + SEAL_OVERHEAD]);
/* Newest version of the kind in the ring; 0 for none. */
uint32_t	 keyring_newest(const struct keyring *, const char *kind);

bool		 keyring_has(const struct keyring *, const char *kind,
		    uint32_t version);

/* The data key that seal() uses: the newest, unless said otherwise.  One that
 * is newer may be there to open what others seal. */
void		 keyring_seal_under(struct keyring *, uint32_t version);
uint32_t	 keyring_seals_under(const struct keyring *);

/* Seals under that data key, which there must be; at most SEAL_MAX
 * bytes; ret_sealed has bytes + SEAL_OVERHEAD. */
void		 seal(const struct keyring *, const char *row,
		    const void *plain, size_t bytes, unsigned char *ret_sealed);
/* Opens into the arena.  `row` is the associated data that seal() was given,
 * for example "subscription_key:<id>:primary". */
MUST_CHECK enum seal_result seal_open(const struct keyring *, struct arena *,
		    const char *row, const void *sealed, size_t bytes,
		    struct secret *ret_plain);

/* HMAC-SHA-256 under a purpose's key.  False if the ring has no such version;
 * version 0 is the newest. */
MUST_CHECK bool	 keyring_hmac(const struct keyring *, const char *purpose,
		    uint32_t version, const void *, size_t,
		    unsigned char ret_mac[SHA256_BYTES]);

#endif
