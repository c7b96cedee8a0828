/*
 * Access tokens: nothing that the key did not sign is taken for signed.  The
 * input is a token as it is; and, parted by NUL, the JSON of a header and of
 * claims, from which one is made with a signature of zeroes.
 */
#include <assert.h>

#include "base/str.h"
#include "crypto/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define PART_MAX 4096u

/* Public; nobody has the other half. */
static const char key[] = "{\"alg\":\"ES256\",\"crv\":\"P-256\",\"kty\":\"EC\","
    "\"x\":\"MsKOX2DKMoFPKJrfLbiGLVC9x8KpeowtJeCHFB1MLU0\","
    "\"y\":\"6XC5Xu_GxtwMDJm2HmxipRQL56_KUnjS_yUbz1MipV8\"}";

static void
look(const char *token, struct jwk *const *keys)
{
	struct jwt_claims claims;
	enum jwt_verdict got;

	got = jwt_verify(token, keys, 1, "https://api.example.com", 1800000000,
	    &claims);
	assert(got == JWT_BAD || got == JWT_UNKNOWN_KID);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const unsigned char zeroes[64];
	static struct jwk *keys[1];
	struct arena *a = arena_new(1u << 20, NULL, NULL);
	char *head, *claims, signature[128];
	const char *text = arena_strndup(a, (const char *)data, n), *second;
	struct jwk *given;
	size_t first_n;

	if (keys[0] == NULL)
		keys[0] = jwk_read(key, sizeof(key) - 1);
	assert(keys[0] != NULL);
	look(text, keys);
	given = jwk_read(text, strlen(text));
	jwk_free(given);
	first_n = strlen(text);
	second = first_n < n ? text + first_n + 1 : text;
	if (first_n <= PART_MAX && strlen(second) <= PART_MAX) {
		head = arena_alloc(a, PART_MAX * 2);
		claims = arena_alloc(a, PART_MAX * 2);
		base64url_encode(head, text, first_n);
		base64url_encode(claims, second, strlen(second));
		base64url_encode(signature, zeroes, sizeof(zeroes));
		look(arena_fmt(a, "%s.%s.%s", head, claims, signature), keys);
	}
	arena_free(a);
	return (0);
}
