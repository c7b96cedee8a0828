/*
 * Random things and hashes of them: session cookies, links in mails, form
 * tokens, identifiers.
 */
#ifndef CRYPTO_TOKEN_H
#define CRYPTO_TOKEN_H

#include "base/arena.h"

#define TOKEN_BYTES	32		/* 256 random bits */
#define TOKEN_TEXT	44		/* 43 of base64url and the NUL */
#define UUID_TEXT	37		/* 36 and the NUL */
#define SHA256_BYTES	32

/* Once a process, before anything else here; aborts without randomness. */
void	crypto_init(void);

void	random_bytes(void *, size_t);
/* 256 random bits in base64url. */
void	token_make(char ret_token[TOKEN_TEXT]);
/* Shaped like a token (43 characters of base64url)?  Says nothing more. */
bool	token_shaped(const char *);

/* UUIDv7 (RFC 9562 section 5.7), lower case: 48 bits of milliseconds, 12 bits
 * of a counter that grows within a millisecond, 62 random bits. */
void	uuid_make(char ret_uuid[UUID_TEXT]);
bool	uuid_shaped(const char *);
/* 16 bytes and back.  False: not the text of a UUID. */
MUST_CHECK bool	uuid_read(unsigned char ret_bytes[16], const char *);
void	uuid_write(char ret_uuid[UUID_TEXT], const unsigned char bytes[16]);

void	sha256(unsigned char ret_hash[SHA256_BYTES], const void *, size_t);
void	hmac_sha256(unsigned char ret_mac[SHA256_BYTES], const void *key,
	    size_t key_bytes, const void *, size_t);
/* SipHash-2-4 of 128 bits under a key that this process and those forked from
 * it share, and nobody else: to find things in a table by. */
#define HASH_SHORT_BYTES 16
void	hash_short(unsigned char ret_hash[HASH_SHORT_BYTES], const void *,
	    size_t);
/* Constant time in the content. */
bool	bytes_eq(const void *, const void *, size_t);

/*
 * A token derived from another that the browser holds: base64url of
 * HMAC-SHA-256(key = token, purpose "\0" context), for the form field `csrf`
 * and one-use nonces.  Who does not hold the cookie can't make it, and nothing
 * needs to be stored.
 */
void	token_derive(char ret_token[TOKEN_TEXT], const char *token,
	    const char *purpose, const char *context);
/* Constant-time comparison of two texts. */
bool	token_eq(const char *, const char *);

/* Standard base64 with its padding (RFC 4648 section 4) and nothing else in it:
 * false otherwise, or when it holds more than max bytes. */
MUST_CHECK bool	 base64_decode(void *ret_bytes, size_t max, const char *text,
		    size_t *ret_n);

#endif
