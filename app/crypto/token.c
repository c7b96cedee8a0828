/*
 * Random bytes come from the kernel at every call (libsodium's "sysrandom",
 * getrandom(2)), so there is no state that a fork could copy: workers never
 * repeat one another.  The counter of the UUIDs is copied by a fork, which
 * does no harm: 62 random bits stand behind it.
 *
 * SHA-256 and HMAC are OpenSSL's.  Looking an algorithm up costs more than
 * hashing a short text, so crypto_init() does it once; each thread keeps the
 * contexts that it works with.
 */
#include "crypto/token.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/str.h"

#define BASE64_AT_ONCE	16	/* characters; a multiple of 4 */

_Static_assert(HASH_SHORT_BYTES == crypto_shorthash_siphashx24_BYTES,
    "what SipHash writes");

static EVP_MD			*sha256_md;
static unsigned char		 short_key[crypto_shorthash_siphashx24_KEYBYTES];
static EVP_MAC			*hmac_mac;
static _Thread_local EVP_MD_CTX	*sha256_ctx;
static _Thread_local EVP_MAC_CTX *hmac_ctx;

static void	base64_values(unsigned char [BASE64_AT_ONCE], const char *,
		    size_t);
static void	hmac_begin(const void *, size_t);
static void	hmac_more(const void *, size_t);
static void	hmac_end(unsigned char [SHA256_BYTES]);

void
crypto_init(void)
{
	int	rc;

	if (hmac_mac != NULL)
		return;
	rc = sodium_init();
	assert(rc >= 0);
	/* Another generator might keep state of its own across a fork. */
	assert(str_eq(randombytes_implementation_name(), "sysrandom"));
	randombytes_buf(short_key, sizeof(short_key));
	sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
	hmac_mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	assert(sha256_md != NULL && hmac_mac != NULL);
}

void
random_bytes(void *bytes, size_t n)
{
	assert(hmac_mac != NULL);
	randombytes_buf(bytes, n);
}

void
token_make(char ret_token[TOKEN_TEXT])
{
	unsigned char	bytes[TOKEN_BYTES];

	random_bytes(bytes, sizeof(bytes));
	base64url_encode(ret_token, bytes, sizeof(bytes));
	sodium_memzero(bytes, sizeof(bytes));
}

bool
token_shaped(const char *s)
{
	unsigned char	bytes[TOKEN_BYTES];
	bool		ok = base64url_decode(bytes, sizeof(bytes), s);

	sodium_memzero(bytes, sizeof(bytes));
	return (ok);
}

void
uuid_make(char ret_uuid[UUID_TEXT])
{
	static _Thread_local int64_t	last_ms;
	static _Thread_local unsigned	counter;
	unsigned char			b[16];
	int64_t				ms = clock_now() / 1000;
	size_t				i;

	random_bytes(b, sizeof(b));
	if (ms > last_ms) {
		/* Begins in the lower half of its 12 bits, which leaves 2048
		 * steps and does not tell how many were made before. */
		last_ms = ms;
		counter = (unsigned)(b[6] << 8 | b[7]) & 0x7ff;
	} else if (++counter > 0xfff) {
		/* All used, or the clock went back: borrow from the future
		 * (RFC 9562 section 6.2). */
		last_ms++;
		counter = 0;
	}
	for (i = 0; i < 6; i++)
		b[i] = (unsigned char)(last_ms >> (40 - 8 * i));
	b[6] = (unsigned char)(0x70 | counter >> 8);
	b[7] = (unsigned char)counter;
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	uuid_write(ret_uuid, b);
}

bool
uuid_shaped(const char *s)
{
	size_t	i;

	for (i = 0; i < UUID_TEXT - 1; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s[i] != '-')
				return (false);
		} else if (!((s[i] >= '0' && s[i] <= '9') ||
		    (s[i] >= 'a' && s[i] <= 'f'))) {
			return (false);
		}
	}
	return (s[i] == '\0');
}

bool
uuid_read(unsigned char ret_bytes[16], const char *s)
{
	char	 hex[33];

	if (!uuid_shaped(s))
		return (false);
	memcpy(hex, s, 8);
	memcpy(hex + 8, s + 9, 4);
	memcpy(hex + 12, s + 14, 4);
	memcpy(hex + 16, s + 19, 4);
	memcpy(hex + 20, s + 24, sizeof(hex) - 20);
	return (hex_decode(ret_bytes, 16, hex));
}

void
uuid_write(char ret_uuid[UUID_TEXT], const unsigned char bytes[16])
{
	/* Each writes its NUL where the next one's hyphen goes. */
	hex_encode(ret_uuid, bytes, 4);
	hex_encode(ret_uuid + 9, bytes + 4, 2);
	hex_encode(ret_uuid + 14, bytes + 6, 2);
	hex_encode(ret_uuid + 19, bytes + 8, 2);
	hex_encode(ret_uuid + 24, bytes + 10, 6);
	ret_uuid[8] = ret_uuid[13] = ret_uuid[18] = ret_uuid[23] = '-';
}

void
sha256(unsigned char ret_hash[SHA256_BYTES], const void *bytes, size_t n)
{
	int	rc;

	assert(sha256_md != NULL);
	if (sha256_ctx == NULL)
		sha256_ctx = EVP_MD_CTX_new();
	assert(sha256_ctx != NULL);
	rc = EVP_DigestInit_ex2(sha256_ctx, sha256_md, NULL) == 1 &&
	    EVP_DigestUpdate(sha256_ctx, bytes, n) == 1 &&
	    EVP_DigestFinal_ex(sha256_ctx, ret_hash, NULL) == 1;
	assert(rc);
}

void
hmac_sha256(unsigned char ret_mac[SHA256_BYTES], const void *key,
    size_t key_bytes, const void *bytes, size_t n)
{
	hmac_begin(key, key_bytes);
	hmac_more(bytes, n);
	hmac_end(ret_mac);
}

bool
base64_decode(void *ret_bytes, size_t max, const char *text, size_t *ret_n)
{
	unsigned char	*out = ret_bytes;
	size_t		 length = strlen(text), padding = 0, bytes, i;
	unsigned char	 value[BASE64_AT_ONCE], bad = 0, last = 0;
	unsigned	 k;

	if (length % 4 != 0)
		return (false);
	if (length > 0 && text[length - 1] == '=')
		padding = text[length - 2] == '=' ? 2 : 1;
	bytes = length / 4 * 3 - padding;
	if (bytes > max)
		return (false);
	length -= padding;
	for (i = 0; i < length; i += BASE64_AT_ONCE) {
		base64_values(value, text + i, length - i);
		for (k = 0; k < BASE64_AT_ONCE && i + k < length; k++) {
			bad |= value[k] & 64;
			if (k % 4 != 0)
				*out++ = (unsigned char)(last << k % 4 * 2 |
				    value[k] >> (6 - k % 4 * 2));
			last = value[k];
		}
	}
	/* What stands behind the last byte must be 0, or several texts would
	 * stand for the same bytes. */
	if (padding > 0)
		bad |= last & ((1u << padding * 2) - 1);
	*ret_n = bytes;
	return (bad == 0);
}

void
hash_short(unsigned char ret_hash[HASH_SHORT_BYTES], const void *bytes,
    size_t n)
{
	(void)crypto_shorthash_siphashx24(ret_hash, bytes, n, short_key);
}

bool
bytes_eq(const void *a, const void *b, size_t n)
{
	return (sodium_memcmp(a, b, n) == 0);
}

void
token_derive(char ret_token[TOKEN_TEXT], const char *token,
    const char *purpose, const char *context)
{
	unsigned char	mac[SHA256_BYTES];

	hmac_begin(token, strlen(token));
	/* With its NUL: ("a", "bc") is not ("ab", "c"). */
	hmac_more(purpose, strlen(purpose) + 1);
	hmac_more(context, strlen(context));
	hmac_end(mac);
	base64url_encode(ret_token, mac, sizeof(mac));
}

bool
token_eq(const char *a, const char *b)
{
	size_t	n = strlen(a);

	return (n == strlen(b) && bytes_eq(a, b, n));
}

/*
 * What characters stand for; 64: no character of base64.  It may be a password,
 * so no table is looked up in and nothing branched on: as libsodium does it, but
 * the compiler takes them all at once.
 */
static void
base64_values(unsigned char ret_values[BASE64_AT_ONCE], const char *text,
    size_t n)
{
	unsigned char	 chars[BASE64_AT_ONCE], c, is;
	unsigned	 i;

	memset(chars, 'A', sizeof(chars));
	memcpy(chars, text, n < sizeof(chars) ? n : sizeof(chars));
	for (i = 0; i < BASE64_AT_ONCE; i++) {
		c = chars[i];
#define IS(one, of)	((unsigned char)-(one) & (unsigned char)(of))
		is = IS(c >= 'A' && c <= 'Z', c - 'A' + 128) |
		    IS(c >= 'a' && c <= 'z', c - 'a' + 26 + 128) |
		    IS(c >= '0' && c <= '9', c - '0' + 52 + 128) |
		    IS(c == '+', 62 + 128) | IS(c == '/', 63 + 128);
#undef IS
		ret_values[i] = is ^ 128;
	}
	for (i = 0; i < BASE64_AT_ONCE; i++)
		ret_values[i] = (unsigned char)((ret_values[i] & 63) |
		    (ret_values[i] & 128) >> 1);
}

static void
hmac_begin(const void *key, size_t key_bytes)
{
	static char	 digest[] = "SHA256";
	OSSL_PARAM	 params[2];
	int		 rc;

	assert(hmac_mac != NULL);
	if (hmac_ctx == NULL) {
		hmac_ctx = EVP_MAC_CTX_new(hmac_mac);
		assert(hmac_ctx != NULL);
		params[0] = OSSL_PARAM_construct_utf8_string(
		    OSSL_MAC_PARAM_DIGEST, digest, 0);
		params[1] = OSSL_PARAM_construct_end();
		rc = EVP_MAC_CTX_set_params(hmac_ctx, params);
		assert(rc == 1);
	}
	rc = EVP_MAC_init(hmac_ctx, key, key_bytes, NULL);
	assert(rc == 1);
}

static void
hmac_more(const void *bytes, size_t n)
{
	int	rc;

	rc = EVP_MAC_update(hmac_ctx, bytes, n);
	assert(rc == 1);
}

static void
hmac_end(unsigned char ret_mac[SHA256_BYTES])
{
	size_t	n;
	int	rc;

	rc = EVP_MAC_final(hmac_ctx, ret_mac, &n, SHA256_BYTES);
	assert(rc == 1 && n == SHA256_BYTES);
}
