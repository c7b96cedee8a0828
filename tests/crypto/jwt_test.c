/*
 * Access tokens: what is signed is taken, by its own key and algorithm alone;
 * every other shape that attackers have tried on other libraries is refused
 * (RFC 8725, and the lists of CVEs that it stands on).
 */
#include "crypto/jwt.h"

#include <jose/openssl.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/str.h"

#define NOW	INT64_C(1800000000)
#define ISSUER	"https://api.example.com"
#define KEY_ID	"019a0000-0000-7000-8000-000000000001"
#define JTI	"019a0000-0000-7000-8000-000000000002"

static struct arena	*a;
static struct jwk	*ec, *rsa, *other;
static struct jwt_claims got;

static int
setup(void **state)
{
	(void)state;
	crypto_init();
	a = arena_new(64u << 20, NULL, NULL);
	ec = jwk_make(JWT_ES256);
	rsa = jwk_make(JWT_RS256);
	other = jwk_make(JWT_ES256);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	jwk_free(ec);
	jwk_free(rsa);
	jwk_free(other);
	arena_free(a);
	return (0);
}

static struct jwt_claims
claims(void)
{
	return ((struct jwt_claims){ .issuer = ISSUER, .audience = "psa-api",
	    .subject = KEY_ID, .jti = JTI, .tenant = "ALTWORX",
	    .environment = "live", .scope = "contacts:read customers:read",
	    .issued_at = NOW, .expires_at = NOW + 900 });
}

static enum jwt_verdict
verify_at(const char *token, int64_t now)
{
	struct jwk *const keys[] = { ec, rsa };

	return (jwt_verify(token, keys, COUNT(keys), ISSUER, now, &got));
}

static enum jwt_verdict
verify(const char *token)
{
	return (verify_at(token, NOW));
}

static const char *
b64(const void *bytes, size_t n)
{
	char	*text = arena_alloc(a, n * 4 / 3 + 3);

	base64url_encode(text, bytes, n);
	return (text);
}

/* Any header and any claims, rightly signed by the RSA key. */
static const char *
forge_b64(const char *header, const char *payload)
{
	struct secret	 private = jwk_private(a, rsa);
	json_t		*json = json_loadb((char *)private.p, private.n, 0,
			    NULL);
	EVP_PKEY	*key = jose_openssl_jwk_to_EVP_PKEY(NULL, json);
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	char		*input = arena_fmt(a, "%s.%s", header, payload);
	unsigned char	 signature[256];
	size_t		 n = sizeof(signature);

	assert_non_null(key);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
	    key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &n,
	    (unsigned char *)input, strlen(input)), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	json_decref(json);
	return (arena_fmt(a, "%s.%s", input, b64(signature, n)));
}

static const char *
forge(const char *header, const char *payload)
{
	return (forge_b64(b64(header, strlen(header)),
	    b64(payload, strlen(payload))));
}

static const char *
header_with(const char *more)
{
	return (arena_fmt(a, "{\"alg\":\"RS256\",\"typ\":\"at+jwt\","
	    "\"kid\":\"%s\"%s}", jwk_kid(rsa), more));
}

#define IAT	"\"iat\":1800000000,"
#define EXP	"\"exp\":1800000900,"
#define WHO	"\"sub\":\"" KEY_ID "\",\"client_id\":\"" KEY_ID "\","	\
    "\"jti\":\"" JTI "\","
#define WHERE	"\"iss\":\"" ISSUER "\",\"aud\":\"psa-api\","
#define WHOSE	"\"tenant\":\"ALTWORX\",\"environment\":\"live\""
#define GOOD	"{" WHERE WHO IAT EXP WHOSE "}"

static void
test_round(void **state)
{
	struct jwk *const	 keys[] = { ec, rsa };
	struct jwt_claims	 c = claims();
	const char		*token;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(keys); i++) {
		token = jwt_sign(a, keys[i], &c);
		assert_true(jwt_shaped(token));
		memset(&got, 0, sizeof(got));
		assert_int_equal(verify(token), JWT_GOOD);
		assert_string_equal(got.issuer, c.issuer);
		assert_string_equal(got.audience, c.audience);
		assert_string_equal(got.subject, c.subject);
		assert_string_equal(got.jti, c.jti);
		assert_string_equal(got.tenant, c.tenant);
		assert_string_equal(got.environment, c.environment);
		assert_string_equal(got.scope, c.scope);
		assert_int_equal(got.issued_at, c.issued_at);
		assert_int_equal(got.expires_at, c.expires_at);
		assert_false(got.whole);
	}
	c.whole = true;
	assert_int_equal(verify(jwt_sign(a, ec, &c)), JWT_GOOD);
	assert_true(got.whole);
	/* Without a scope there is no claim of one. */
	c.scope[0] = '\0';
	token = jwt_sign(a, ec, &c);
	assert_int_equal(verify(token), JWT_GOOD);
	assert_string_equal(got.scope, "");
}

static void
test_longest(void **state)
{
	struct jwt_claims	 c = claims();

	(void)state;
	memset(c.scope, 's', JWT_SCOPE_MAX);
	memset(c.issuer, 'i', JWT_ISSUER_MAX);
	memset(c.audience, 'a', JWT_WORD_MAX);
	memset(c.tenant, 't', JWT_WORD_MAX);
	memset(c.environment, 'e', JWT_WORD_MAX);
	assert_true(strlen(jwt_sign(a, rsa, &c)) <= JWT_MAX);
	assert_int_equal(jwt_verify(jwt_sign(a, ec, &c),
	    (struct jwk *const[]){ ec }, 1, c.issuer, NOW, &got), JWT_GOOD);
}

/* What this file forges is good where nothing is wrong with it: or the tests
 * below would show nothing. */
static void
test_forge(void **state)
{
	(void)state;
	assert_int_equal(verify(forge(header_with(""), GOOD)), JWT_GOOD);
}

static void
test_times(void **state)
{
	struct jwt_claims	 c = claims();
	const char		*token = jwt_sign(a, ec, &c);

	(void)state;
	assert_int_equal(verify_at(token, NOW + 899), JWT_GOOD);
	memset(&got, 0, sizeof(got));
	assert_int_equal(verify_at(token, NOW + 900), JWT_EXPIRED);
	assert_string_equal(got.subject, KEY_ID);
	assert_int_equal(verify_at(token, NOW + 1000000), JWT_EXPIRED);
	/* Not yet valid: made in another's future. */
	assert_int_equal(verify_at(token, NOW - JWT_EARLY_S), JWT_GOOD);
	assert_int_equal(verify_at(token, NOW - JWT_EARLY_S - 1), JWT_BAD);
	assert_int_equal(verify(forge(header_with(""), "{" WHERE WHO IAT EXP
	    "\"nbf\":1900000000," WHOSE "}")), JWT_BAD);
}

static void
test_tampered(void **state)
{
	struct jwt_claims	 c = claims();
	const char		*token = jwt_sign(a, ec, &c);
	char			*bad;
	size_t			 i, n = strlen(token);

	(void)state;
	for (i = 0; i < n; i++) {
		bad = arena_strdup(a, token);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		assert_int_not_equal(verify(bad), JWT_GOOD);
		assert_int_not_equal(verify(bad), JWT_EXPIRED);
	}
	for (i = 0; i < n; i++)
		assert_int_equal(verify(arena_strndup(a, token, i)), JWT_BAD);
}

static void
test_algorithms(void **state)
{
	static const char *const algs[] = { "\"alg\":\"none\",",
		"\"alg\":\"None\",", "\"alg\":\"HS256\",",
		"\"alg\":\"PS256\",", "\"alg\":\"RS512\",",
		"\"alg\":\"ES256\",", "\"alg\":256,", "\"alg\":null,", "" };
	char		*head, *input;
	const char	*public = jwk_public(a, rsa), *signed_so;
	unsigned char	 mac[SHA256_BYTES];
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(algs); i++) {
		head = arena_fmt(a, "{%s\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
		    algs[i], jwk_kid(rsa));
		signed_so = forge(head, GOOD);
		assert_int_equal(verify(signed_so), JWT_BAD);
		input = arena_strdup(a, signed_so);
		/* Without a signature, and with one of the public key's text as
		 * the secret. */
		strrchr(input, '.')[1] = '\0';
		assert_int_equal(verify(input), JWT_BAD);
		*strrchr(input, '.') = '\0';
		assert_int_equal(verify(input), JWT_BAD);
		hmac_sha256(mac, public, strlen(public), input, strlen(input));
		assert_int_equal(verify(arena_fmt(a, "%s.%s", input,
		    b64(mac, sizeof(mac)))), JWT_BAD);
	}
}

static void
test_kids(void **state)
{
	struct jwt_claims	 c = claims();
	const char		*token;

	(void)state;
	/* A key that nobody knows, and a name that is another's. */
	assert_int_equal(verify(jwt_sign(a, other, &c)), JWT_UNKNOWN_KID);
	token = forge(arena_fmt(a, "{\"alg\":\"RS256\",\"typ\":\"at+jwt\","
	    "\"kid\":\"%s\"}", jwk_kid(other)), GOOD);
	assert_int_equal(verify(token), JWT_UNKNOWN_KID);
	token = forge(arena_fmt(a, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\","
	    "\"kid\":\"%s\"}", jwk_kid(ec)), GOOD);
	assert_int_equal(verify(token), JWT_BAD);
	token = forge(arena_fmt(a, "{\"alg\":\"RS256\",\"typ\":\"at+jwt\","
	    "\"kid\":\"%s\"}", jwk_kid(ec)), GOOD);
	assert_int_equal(verify(token), JWT_BAD);
	/* What others have made paths and statements of. */
	assert_int_equal(verify(forge("{\"alg\":\"RS256\",\"typ\":\"at+jwt\","
	    "\"kid\":\"../../../../dev/null\"}", GOOD)), JWT_BAD);
	assert_int_equal(verify(forge("{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}",
	    GOOD)), JWT_BAD);
	assert_int_equal(verify(forge("{\"alg\":\"RS256\",\"typ\":\"at+jwt\","
	    "\"kid\":null}", GOOD)), JWT_BAD);
}

static void
test_headers(void **state)
{
	const char *const more[] = {
		",\"crit\":[\"exp\"]",
		",\"crit\":\"exp\"",
		",\"b64\":false",
		",\"b64\":true",
		",\"jku\":\"https://evil.example/jwks.json\"",
		",\"x5u\":\"https://evil.example/cert.pem\"",
		",\"x5c\":[]",
		arena_fmt(a, ",\"jwk\":%s", jwk_public(a, rsa)),
		",\"zip\":\"DEF\"",
		",\"cty\":\"JWT\"",
		",\"nested\":{\"a\":1}",
		",\"unknown\":1",
		",\"alg\":\"RS256\"",
		",\"alg\":\"none\"",
		arena_fmt(a, ",\"kid\":\"%s\"", jwk_kid(rsa)),
		"}{",
	};
	static const char *const types[] = { "JWT", "at+jwt+x", "AT+JWT", "",
		"application/at+jwt", "dpop+jwt" };
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(more); i++)
		assert_int_equal(verify(forge(header_with(more[i]), GOOD)),
		    JWT_BAD);
	for (i = 0; i < COUNT(types); i++)
		assert_int_equal(verify(forge(arena_fmt(a, "{\"alg\":\"RS256\","
		    "\"typ\":\"%s\",\"kid\":\"%s\"}", types[i], jwk_kid(rsa)),
		    GOOD)), JWT_BAD);
	assert_int_equal(verify(forge(arena_fmt(a, "{\"alg\":\"RS256\","
	    "\"kid\":\"%s\"}", jwk_kid(rsa)), GOOD)), JWT_BAD);
	assert_int_equal(verify(forge("[]", GOOD)), JWT_BAD);
	assert_int_equal(verify(forge("{}", GOOD)), JWT_BAD);
	assert_int_equal(verify(forge("null", GOOD)), JWT_BAD);
}

static void
test_claims(void **state)
{
	static const char *const bad[] = {
		"{" WHO IAT EXP WHOSE "}",
		"{\"iss\":\"https://evil.example\",\"aud\":\"psa-api\"," WHO IAT
		    EXP WHOSE "}",
		"{\"iss\":[\"" ISSUER "\"],\"aud\":\"psa-api\"," WHO IAT EXP
		    WHOSE "}",
		"{\"iss\":\"" ISSUER "\"," WHO IAT EXP WHOSE "}",
		"{\"iss\":\"" ISSUER "\",\"aud\":[\"psa-api\"]," WHO IAT EXP
		    WHOSE "}",
		"{" WHERE WHO EXP WHOSE "}",
		"{" WHERE WHO IAT WHOSE "}",
		"{" WHERE WHO IAT "\"exp\":\"1800000900\"," WHOSE "}",
		"{" WHERE WHO IAT "\"exp\":1800000900.5," WHOSE "}",
		"{" WHERE WHO IAT "\"exp\":1e300," WHOSE "}",
		"{" WHERE WHO IAT "\"exp\":-1," WHOSE "}",
		"{" WHERE WHO IAT "\"exp\":99999999999999," WHOSE "}",
		"{" WHERE WHO IAT "\"exp\":1799999999," WHOSE "}",
		"{" WHERE WHO IAT EXP "\"exp\":1900000000," WHOSE "}",
		"{" WHERE WHO WHO IAT EXP WHOSE "}",
		"{" WHERE WHO IAT EXP "\"scope\":7," WHOSE "}",
		"{" WHERE WHO IAT EXP "\"scope\":\"\"," WHOSE "}",
		"{" WHERE WHO IAT EXP "\"tenant\":\"ALTWORX\"}",
		"{" WHERE WHO IAT EXP "\"environment\":\"live\"}",
		"{" WHERE "\"sub\":\"x\",\"client_id\":\"x\",\"jti\":\"" JTI
		    "\"," IAT EXP WHOSE "}",
		"{" WHERE "\"sub\":\"" KEY_ID "\",\"client_id\":\"" JTI
		    "\",\"jti\":\"" JTI "\"," IAT EXP WHOSE "}",
		"{" WHERE WHO IAT EXP WHOSE "} ,",
		"{" WHERE WHO IAT EXP WHOSE "}\n{}",
		"[" "{" WHERE WHO IAT EXP WHOSE "}]",
		"null", "\"\"", "7", "x", "{", "{}",
	};
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(verify(forge(header_with(""), bad[i])),
		    JWT_BAD);
}

static void
test_shapes(void **state)
{
	const char	*good = forge(header_with(""), GOOD), *huge, *payload;
	char		*deep, *bad;
	size_t		 n;

	(void)state;
	assert_false(jwt_shaped(""));
	assert_false(jwt_shaped("."));
	assert_false(jwt_shaped("..."));
	assert_false(jwt_shaped("eyJ.."));
	assert_false(jwt_shaped("eyJ.eyJ.e.e"));
	assert_false(jwt_shaped("eyJ.eyJ.e."));
	assert_false(jwt_shaped("eyJ.e=J.e"));
	assert_false(jwt_shaped("eyJ.e J.e"));
	assert_true(jwt_shaped("eyJ.eyJ.e"));
	assert_int_equal(verify("eyJ.eyJ.e"), JWT_BAD);
	/* With padding, with a line's end, with a byte more. */
	assert_int_equal(verify(arena_fmt(a, "%s=", good)), JWT_BAD);
	assert_int_equal(verify(arena_fmt(a, "%s\n", good)), JWT_BAD);
	assert_int_equal(verify(arena_fmt(a, " %s", good)), JWT_BAD);
	assert_int_equal(verify(arena_fmt(a, "%sA", good)), JWT_BAD);
	/* Bits that stand for nothing are none of base64url's one form; 257
	 * bytes of signature have two of them at the end. */
	payload = b64(GOOD, sizeof(GOOD) - 1);
	n = strlen(payload);
	if ((sizeof(GOOD) - 1) % 3 != 0) {
		bad = arena_strdup(a, payload);
		bad[n - 1]++;
		assert_int_equal(verify(forge_b64(b64(header_with(""),
		    strlen(header_with(""))), bad)), JWT_BAD);
	}
	/* A token in a token. */
	assert_int_equal(verify(forge(header_with(",\"cty\":\"JWT\""), good)),
	    JWT_BAD);
	assert_int_equal(verify(forge(header_with(""), good)), JWT_BAD);
	/* Huge, and deep. */
	deep = arena_alloc(a, 1u << 20);
	memset(deep, 'e', (1u << 20) - 1);
	huge = arena_fmt(a, "eyJ%s.eyJ.e", deep);
	assert_false(jwt_shaped(huge));
	assert_int_equal(verify(huge), JWT_BAD);
	deep = arena_alloc(a, 2501);
	memset(deep, '[', 2500);
	assert_int_equal(verify(forge(arena_fmt(a, "{\"alg\":%s", deep),
	    "{}")), JWT_BAD);
	assert_int_equal(verify(forge(header_with(""), deep)), JWT_BAD);
}

static void
test_keys(void **state)
{
	struct jwt_claims	 c = claims();
	struct secret		 private;
	struct jwk		*read, *half;
	char			*public;
	const char		*token;
	struct jwk *const	 both[] = { ec, rsa };
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(both); i++) {
		private = jwk_private(a, both[i]);
		public = jwk_public(a, both[i]);
		assert_null(strstr(public, "\"d\""));
		assert_null(strstr(public, "\"p\""));
		assert_non_null(strstr(public, jwk_kid(both[i])));
		read = jwk_read((char *)private.p, private.n);
		half = jwk_read(public, strlen(public));
		assert_non_null(read);
		assert_non_null(half);
		assert_true(jwk_signs(read));
		assert_false(jwk_signs(half));
		assert_string_equal(jwk_kid(half), jwk_kid(both[i]));
		assert_int_equal(jwk_alg(half), jwk_alg(both[i]));
		token = jwt_sign(a, read, &c);
		assert_int_equal(jwt_verify(token, &half, 1, ISSUER, NOW,
		    &got), JWT_GOOD);
		jwk_free(read);
		jwk_free(half);
	}
	assert_null(jwk_read("", 0));
	assert_null(jwk_read("[]", 2));
	assert_null(jwk_read("{}", 2));
	assert_null(jwk_read("{\"alg\":\"HS256\",\"kty\":\"oct\",\"k\":\"YQ\"}",
	    39));
	/* Another's name. */
	public = jwk_public(a, other);
	memcpy(strstr(public, jwk_kid(other)), jwk_kid(ec), JWK_KID - 1);
	assert_null(jwk_read(public, strlen(public)));
	jwk_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_forge),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_kids),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_keys),
	};

	return (cmocka_run_group_tests_name("jwt", tests, setup, teardown));
}
