/*
 * The keyring and AES-256-GCM.  The associated data of a sealed value is its
 * own first five bytes and the name of its row, so that neither the format nor
 * the key version nor the place can be changed unnoticed.
 *
 * Random nonces are safe for 2^32 values under one key (SP 800-38D section
 * 8.3); a portal seals a few a minute, and data keys have versions.
 *
 * The keys lie between guard pages, read-only but while one is added.  A fork
 * does not inherit the lock that keeps them out of swap, and the first key that
 * a worker adds makes it a copy of the pages: so each addition locks anew.
 */
#include "crypto/keyring.h"

#include <assert.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "base/str.h"

#define FORMAT_1	1u
#define HEAD_BYTES	5u	/* format and version */
#define NONCE_BYTES	12u
#define TAG_BYTES	16u
#define KEYS_FIRST	128u	/* 10 kB; rarely does a ring grow */
#define KEYS_MAX	1024u
#define NAME_MAX_BYTES	(PURPOSE_MAX + 16)

struct ring_key {
	char		kind[PURPOSE_MAX + 1];
	uint32_t	version;
	unsigned char	bytes[KEY_BYTES];
};

struct keyring {
	struct ring_key	*keys;		/* of sodium_allocarray() */
	size_t		 n, size;
	uint32_t	 seals_under;	/* 0: the newest */
	EVP_CIPHER	*cipher;
};

static const struct ring_key *key_find(const struct keyring *, const char *,
		    uint32_t);
static void	 keys_grow(struct keyring *);
static void	 key_name(char [NAME_MAX_BYTES], const char *, uint32_t);
static void	 seal_with(const struct keyring *, const struct ring_key *,
		    const char *, const void *, size_t, unsigned char *);
static enum seal_result open_with(const struct keyring *, const char *,
		    const char *, const unsigned char *, size_t,
		    unsigned char *);
static EVP_CIPHER_CTX *gcm_begin(const struct keyring *,
		    const struct ring_key *, const char *,
		    const unsigned char *, int);

struct keyring *
keyring_new(void)
{
	struct keyring	*ring;

	crypto_init();
	ring = calloc(1, sizeof(*ring));
	assert(ring != NULL);
	ring->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	assert(ring->cipher != NULL);
	keys_grow(ring);
	return (ring);
}

void
keyring_free(struct keyring *ring)
{
	if (ring == NULL)
		return;
	sodium_free(ring->keys);	/* wipes */
	EVP_CIPHER_free(ring->cipher);
	free(ring);
}

void
keyring_replace(struct keyring *ring, struct keyring *with)
{
	struct keyring	old = *ring;

	*ring = *with;
	*with = old;
	keyring_free(with);
}

void
keyring_put(struct keyring *ring, const char *kind, uint32_t version,
    const unsigned char bytes[KEY_BYTES])
{
	struct ring_key	*key = NULL;
	size_t		 i;
	int		 rc;

	assert(version > 0 && strlen(kind) <= PURPOSE_MAX);
	for (i = 0; i < ring->n && key == NULL; i++) {
		if (ring->keys[i].version == version &&
		    str_eq(ring->keys[i].kind, kind))
			key = &ring->keys[i];
	}
	if (key == NULL && ring->n == ring->size)
		keys_grow(ring);
	rc = sodium_mprotect_readwrite(ring->keys);
	assert(rc == 0);
	if (key == NULL)
		key = &ring->keys[ring->n++];
	memset(key, 0, sizeof(*key));
	memcpy(key->kind, kind, strlen(kind));
	key->version = version;
	memcpy(key->bytes, bytes, KEY_BYTES);
	rc = sodium_mprotect_readonly(ring->keys);
	assert(rc == 0);
	/* Best effort, as in sodium_malloc(): RLIMIT_MEMLOCK may be small. */
	(void)sodium_mlock(ring->keys, ring->size * sizeof(*ring->keys));
}

uint32_t
keyring_master_newest(const struct keyring *ring)
{
	return (keyring_newest(ring, MASTER_KIND));
}

size_t
keyring_make(struct keyring *ring, const char *kind, uint32_t version,
    unsigned char ret_sealed[KEY_BYTES + SEAL_OVERHEAD])
{
	const struct ring_key	*master = key_find(ring, MASTER_KIND, 0);
	unsigned char		 bytes[KEY_BYTES];
	char			 name[NAME_MAX_BYTES];

	assert(master != NULL && version > 0 && !str_eq(kind, MASTER_KIND));
	key_name(name, kind, version);
	random_bytes(bytes, sizeof(bytes));
	seal_with(ring, master, name, bytes, sizeof(bytes), ret_sealed);
	sodium_memzero(bytes, sizeof(bytes));
	return (KEY_BYTES + SEAL_OVERHEAD);
}

enum seal_result
keyring_add(struct keyring *ring, const char *kind, uint32_t version,
    const void *sealed, size_t bytes)
{
	enum seal_result	result;
	unsigned char		key[KEY_BYTES];
	char			name[NAME_MAX_BYTES];

	/* The kind comes from a row: one that none of ours can have is a row
	 * that was changed. */
	if (bytes != KEY_BYTES + SEAL_OVERHEAD || version == 0 ||
	    strlen(kind) > PURPOSE_MAX || str_eq(kind, MASTER_KIND))
		return (SEAL_BROKEN);
	key_name(name, kind, version);
	result = open_with(ring, MASTER_KIND, name, sealed, bytes, key);
	if (result == SEAL_OK)
		keyring_put(ring, kind, version, key);
	sodium_memzero(key, sizeof(key));
	return (result);
}

bool
keyring_reseal(const struct keyring *ring, const char *kind, uint32_t version,
    unsigned char ret_sealed[KEY_BYTES + SEAL_OVERHEAD])
{
	const struct ring_key	*master = key_find(ring, MASTER_KIND, 0);
	const struct ring_key	*key = version == 0 ? NULL :
				    key_find(ring, kind, version);
	char			 name[NAME_MAX_BYTES];

	assert(master != NULL && !str_eq(kind, MASTER_KIND));
	if (key == NULL)
		return (false);
	key_name(name, kind, version);
	seal_with(ring, master, name, key->bytes, KEY_BYTES, ret_sealed);
	return (true);
}

uint32_t
keyring_newest(const struct keyring *ring, const char *kind)
{
	const struct ring_key	*key = key_find(ring, kind, 0);

	return (key == NULL ? 0 : key->version);
}

bool
keyring_has(const struct keyring *ring, const char *kind, uint32_t version)
{
	return (version != 0 && key_find(ring, kind, version) != NULL);
}

void
keyring_seal_under(struct keyring *ring, uint32_t version)
{
	assert(version == 0 || key_find(ring, "data", version) != NULL);
	ring->seals_under = version;
}

uint32_t
keyring_seals_under(const struct keyring *ring)
{
	return (ring->seals_under != 0 ? ring->seals_under :
	    keyring_newest(ring, "data"));
}

void
seal(const struct keyring *ring, const char *row, const void *plain,
    size_t bytes, unsigned char *ret_sealed)
{
	const struct ring_key	*key = key_find(ring, "data",
				    ring->seals_under);

	assert(key != NULL);
	seal_with(ring, key, row, plain, bytes, ret_sealed);
}

enum seal_result
seal_open(const struct keyring *ring, struct arena *a, const char *row,
    const void *sealed, size_t bytes, struct secret *ret_plain)
{
	enum seal_result	result;
	struct secret		plain;

	if (bytes < SEAL_OVERHEAD || bytes - SEAL_OVERHEAD > SEAL_MAX)
		return (SEAL_BROKEN);
	/* What does not fit its tag must not stay either. */
	plain.n = bytes - SEAL_OVERHEAD;
	plain.p = arena_alloc(a, plain.n);
	result = open_with(ring, "data", row, sealed, bytes, plain.p);
	if (result == SEAL_OK)
		*ret_plain = plain;
	else
		secret_wipe(&plain);
	return (result);
}

bool
keyring_hmac(const struct keyring *ring, const char *purpose,
    uint32_t version, const void *bytes, size_t n,
    unsigned char ret_mac[SHA256_BYTES])
{
	const struct ring_key	*key = key_find(ring, purpose, version);

	if (key == NULL)
		return (false);
	hmac_sha256(ret_mac, key->bytes, KEY_BYTES, bytes, n);
	return (true);
}

/* Version 0 is the newest; NULL if there is none. */
static const struct ring_key *
key_find(const struct keyring *ring, const char *kind, uint32_t version)
{
	const struct ring_key	*key, *best = NULL;

	for (key = ring->keys; key < ring->keys + ring->n; key++) {
		if (!str_eq(key->kind, kind))
			continue;
		if (version != 0 ? key->version == version :
		    best == NULL || key->version > best->version)
			best = key;
	}
	return (best);
}

static void
keys_grow(struct keyring *ring)
{
	struct ring_key	*keys;
	size_t		 size = ring->size == 0 ? KEYS_FIRST : ring->size * 2;
	int		 rc;

	assert(size <= KEYS_MAX);
	keys = sodium_allocarray(size, sizeof(*keys));
	assert(keys != NULL);
	if (ring->n > 0)
		memcpy(keys, ring->keys, ring->n * sizeof(*keys));
	sodium_free(ring->keys);
	rc = sodium_mprotect_readonly(keys);
	assert(rc == 0);
	ring->keys = keys;
	ring->size = size;
}

/* The associated data of a sealed key. */
static void
key_name(char ret_name[NAME_MAX_BYTES], const char *kind, uint32_t version)
{
	int	n;

	n = snprintf(ret_name, NAME_MAX_BYTES, "%s:%u", kind, version);
	assert(n > 0 && n < NAME_MAX_BYTES);
}

static void
seal_with(const struct keyring *ring, const struct ring_key *key,
    const char *row, const void *plain, size_t bytes,
    unsigned char *ret_sealed)
{
	unsigned char	*text = ret_sealed + HEAD_BYTES + NONCE_BYTES, *tag;
	EVP_CIPHER_CTX	*ctx;
	int		 n, rest, rc;

	assert(bytes <= SEAL_MAX);
	tag = text + bytes;
	ret_sealed[0] = FORMAT_1;
	ret_sealed[1] = (unsigned char)(key->version >> 24);
	ret_sealed[2] = (unsigned char)(key->version >> 16);
	ret_sealed[3] = (unsigned char)(key->version >> 8);
	ret_sealed[4] = (unsigned char)key->version;
	random_bytes(ret_sealed + HEAD_BYTES, NONCE_BYTES);
	ctx = gcm_begin(ring, key, row, ret_sealed, 1);
	rc = EVP_CipherUpdate(ctx, text, &n, plain, (int)bytes) == 1 &&
	    EVP_CipherFinal_ex(ctx, text + n, &rest) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES,
	    tag) == 1;
	assert(rc && n + rest == (int)bytes);
	EVP_CIPHER_CTX_free(ctx);
}

/* ret_plain has bytes - SEAL_OVERHEAD, and means nothing unless SEAL_OK. */
static enum seal_result
open_with(const struct keyring *ring, const char *kind, const char *row,
    const unsigned char *sealed, size_t bytes, unsigned char *ret_plain)
{
	const struct ring_key	*key;
	unsigned char		 tag[TAG_BYTES];
	EVP_CIPHER_CTX		*ctx;
	uint32_t		 version;
	int			 n, rest, rc;

	if (bytes < SEAL_OVERHEAD || sealed[0] != FORMAT_1)
		return (SEAL_BROKEN);
	version = (uint32_t)sealed[1] << 24 | (uint32_t)sealed[2] << 16 |
	    (uint32_t)sealed[3] << 8 | sealed[4];
	/* Asked for as it is, 0 would mean the newest. */
	key = version == 0 ? NULL : key_find(ring, kind, version);
	if (key == NULL)
		return (SEAL_UNKNOWN_VERSION);
	ctx = gcm_begin(ring, key, row, sealed, 0);
	memcpy(tag, sealed + bytes - TAG_BYTES, TAG_BYTES);
	rc = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES,
	    tag) == 1 && EVP_CipherUpdate(ctx, ret_plain, &n, sealed +
	    HEAD_BYTES + NONCE_BYTES, (int)(bytes - SEAL_OVERHEAD)) == 1;
	assert(rc);
	rc = EVP_CipherFinal_ex(ctx, ret_plain + n, &rest);
	EVP_CIPHER_CTX_free(ctx);
	return (rc == 1 ? SEAL_OK : SEAL_BROKEN);
}

/* Key, nonce and associated data are in; head is the start of the value. */
static EVP_CIPHER_CTX *
gcm_begin(const struct keyring *ring, const struct ring_key *key,
    const char *row, const unsigned char *head, int encrypt)
{
	EVP_CIPHER_CTX	*ctx = EVP_CIPHER_CTX_new();
	int		 n, rc;

	assert(ctx != NULL && strlen(row) <= SECRET_MAX);
	rc = EVP_CipherInit_ex2(ctx, ring->cipher, key->bytes,
	    head + HEAD_BYTES, encrypt, NULL) == 1 &&
	    EVP_CipherUpdate(ctx, NULL, &n, head, HEAD_BYTES) == 1 &&
	    EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)row,
	    (int)strlen(row)) == 1;
	assert(rc);
	return (ctx);
}
