/*
 * See jwt.h.  Header and claims are read here before and after libjose looks at
 * the signature, since it neither refuses what it doesn't know nor reads claims.
 */
#include "crypto/jwt.h"

#include <assert.h>
#include <jose/b64.h>
#include <jose/cfg.h>
#include <jose/jwk.h>
#include <jose/jws.h>

#include "base/str.h"

#define TYPE		"at+jwt"
#define HEADER_MAX	256u	/* bytes of JSON; ours have 90 */

struct jwk {
	json_t		*json;
	enum jwt_alg	 alg;
	bool		 signs;
	char		 kid[JWK_KID];
};

struct parts {			/* of a token, where they are in it */
	const char	*header, *claims, *signature;
	size_t		 header_n, claims_n, signature_n;
};

static jose_cfg_t *quiet(void);
static void	 say_nothing(void *, const char *, int, uint64_t, const char *,
		    va_list);
static bool	 take_key(struct jwk *);
static const char *const *members_of(enum jwt_alg, bool is_private);
static bool	 split(const char *, struct parts *);
static json_t	*part_json(const char *, size_t n, bool flat);
static bool	 is_flat(const char *, size_t);
static enum jwt_verdict read_header(const struct parts *,
		    struct jwk *const *, size_t, const struct jwk **ret_key);
static bool	 signature_fits(const struct parts *, const struct jwk *);
static bool	 read_claims(const json_t *, struct jwt_claims *);
static bool	 copy_text(const json_t *, const char *name, char *to,
		    size_t room);
static bool	 time_of(const json_t *, const char *name, int64_t *ret_time);

const char *
jwt_alg_text(enum jwt_alg alg)
{
	return (alg == JWT_ES256 ? "ES256" : "RS256");
}

bool
jwt_alg_read(const char *text, enum jwt_alg *ret_alg)
{
	if (!str_eq(text, "ES256") && !str_eq(text, "RS256"))
		return (false);
	*ret_alg = str_eq(text, "ES256") ? JWT_ES256 : JWT_RS256;
	return (true);
}

struct jwk *
jwk_make(enum jwt_alg alg)
{
	struct jwk	*key = calloc(1, sizeof(*key));
	bool		 ok;

	assert(key != NULL);
	key->json = json_pack("{s:s}", "alg", jwt_alg_text(alg));
	ok = key->json != NULL && jose_jwk_gen(quiet(), key->json) &&
	    take_key(key);
	assert(ok && key->signs && key->alg == alg);
	return (key);
}

struct jwk *
jwk_read(const char *json, size_t bytes)
{
	struct jwk	*key = calloc(1, sizeof(*key));
	json_error_t	 error;

	assert(key != NULL);
	key->json = json_loadb(bytes > 0 ? json : "", bytes,
	    JSON_REJECT_DUPLICATES, &error);
	if (key->json != NULL && json_is_object(key->json) && take_key(key))
		return (key);
	jwk_free(key);
	return (NULL);
}

void
jwk_free(struct jwk *key)
{
	static const char *const secrets[] = { "d", "p", "q", "dp", "dq",
		"qi" };
	const char	*text;
	size_t		 i;

	if (key == NULL)
		return;
	for (i = 0; i < COUNT(secrets); i++) {
		text = json_string_value(json_object_get(key->json,
		    secrets[i]));
		/* jansson gives no way to change a text, and would free it as
		 * it is. */
		if (text != NULL)
			explicit_bzero((void *)(uintptr_t)text, strlen(text));
	}
	json_decref(key->json);
	free(key);
}

const char *
jwk_kid(const struct jwk *key)
{
	return (key->kid);
}

enum jwt_alg
jwk_alg(const struct jwk *key)
{
	return (key->alg);
}

bool
jwk_signs(const struct jwk *key)
{
	return (key->signs);
}

struct secret
jwk_private(struct arena *a, const struct jwk *key)
{
	struct secret	 secret;
	char		*text;

	assert(key->signs);
	text = json_dumps(key->json, JSON_COMPACT | JSON_SORT_KEYS);
	assert(text != NULL);
	/* An RSA key's 1,700 bytes are more than SECRET_MAX. */
	secret.n = strlen(text);
	secret.p = arena_memdup(a, text, secret.n);
	explicit_bzero(text, strlen(text));
	free(text);
	return (secret);
}

char *
jwk_public(struct arena *a, const struct jwk *key)
{
	const char *const *name = members_of(key->alg, false);
	json_t		*half = json_pack("{s:s,s:s,s:s,s:s}", "alg",
			    jwt_alg_text(key->alg), "kid", key->kid, "kty",
			    key->alg == JWT_ES256 ? "EC" : "RSA", "use",
			    "sig");
	char		*text, *copy;

	/* What is not named here stays behind: the private half. */
	for (; *name != NULL; name++)
		if (json_object_set(half, *name, json_object_get(key->json,
		    *name)) == -1)
			abort();
	text = json_dumps(half, JSON_COMPACT | JSON_SORT_KEYS);
	assert(text != NULL && strlen(text) <= JWK_PUBLIC_MAX);
	copy = arena_strdup(a, text);
	free(text);
	json_decref(half);
	return (copy);
}

char *
jwt_sign(struct arena *a, const struct jwk *key,
    const struct jwt_claims *c)
{
	const char	*header, *claims, *signature;
	char		*payload, *token;
	json_t		*jws, *said, *how;
	bool		 ok;

	assert(key->signs);
	said = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:s,s:s*,s:b}",
	    "iss", c->issuer, "aud", c->audience, "sub", c->subject,
	    "client_id", c->subject, "iat", (json_int_t)c->issued_at, "exp",
	    (json_int_t)c->expires_at, "jti", c->jti, "tenant", c->tenant,
	    "environment", c->environment, "scope",
	    c->scope[0] != '\0' ? c->scope : NULL, "whole", c->whole);
	assert(said != NULL);
	payload = json_dumps(said, JSON_COMPACT);
	json_decref(said);
	assert(payload != NULL);
	jws = json_pack("{s:o}", "payload",
	    jose_b64_enc(payload, strlen(payload)));
	free(payload);
	how = json_pack("{s:{s:s,s:s,s:s}}", "protected", "alg",
	    jwt_alg_text(key->alg), "typ", TYPE, "kid", key->kid);
	ok = jws != NULL && how != NULL && jose_jws_sig(quiet(), jws, how,
	    key->json) && json_unpack(jws, "{s:s,s:s,s:s}", "protected",
	    &header, "payload", &claims, "signature", &signature) == 0;
	assert(ok);
	token = arena_fmt(a, "%s.%s.%s", header, claims, signature);
	assert(strlen(token) <= JWT_MAX);
	json_decref(how);
	json_decref(jws);
	return (token);
}

enum jwt_verdict
jwt_verify(const char *token, struct jwk *const *keys, size_t n,
    const char *issuer, int64_t now, struct jwt_claims *ret_claims)
{
	const struct jwk	*key;
	struct jwt_claims	 claims;
	struct parts		 parts;
	enum jwt_verdict	 verdict;
	json_t			*said;
	bool			 ok;

	if (!jwt_shaped(token) || !split(token, &parts))
		return (JWT_BAD);
	verdict = read_header(&parts, keys, n, &key);
	if (verdict != JWT_GOOD)
		return (verdict);
	if (!signature_fits(&parts, key))
		return (JWT_BAD);
	said = part_json(parts.claims, parts.claims_n, false);
	ok = said != NULL && read_claims(said, &claims) &&
	    str_eq(claims.issuer, issuer) &&
	    claims.issued_at <= now + JWT_EARLY_S;
	/* RFC 7519 section 4.1.5; we make none. */
	ok = ok && json_object_get(said, "nbf") == NULL;
	json_decref(said);
	if (!ok)
		return (JWT_BAD);
	*ret_claims = claims;
	return (claims.expires_at <= now ? JWT_EXPIRED : JWT_GOOD);
}

bool
jwt_shaped(const char *token)
{
	struct parts	parts;

	/* {" */
	return (str_starts(token, "eyJ") && split(token, &parts));
}

/* For what libjose would write to standard error. */
static jose_cfg_t *
quiet(void)
{
	static jose_cfg_t	*cfg;

	if (cfg == NULL) {
		cfg = jose_cfg();
		assert(cfg != NULL);
		jose_cfg_set_err_func(cfg, say_nothing, NULL);
	}
	return (cfg);
}

static void
say_nothing(void *arg, const char *file, int line, uint64_t error,
    const char *fmt, va_list ap)
{
	(void)arg;
	(void)file;
	(void)line;
	(void)error;
	(void)fmt;
	(void)ap;
}

/* From its JSON: what it is for, whether it signs, its name; false when it is
 * for something else, or says another name than its own. */
static bool
take_key(struct jwk *key)
{
	const char	*alg, *kid;
	const char *const *name;
	json_t		*thumbprint;
	bool		 ok;

	alg = json_string_value(json_object_get(key->json, "alg"));
	if (alg == NULL || !jwt_alg_read(alg, &key->alg))
		return (false);
	for (name = members_of(key->alg, false); *name != NULL; name++)
		if (!json_is_string(json_object_get(key->json, *name)))
			return (false);
	key->signs = true;
	for (name = members_of(key->alg, true); *name != NULL; name++)
		if (!json_is_string(json_object_get(key->json, *name)))
			key->signs = false;
	thumbprint = jose_jwk_thp(quiet(), key->json, "S256");
	ok = thumbprint != NULL && json_string_length(thumbprint) ==
	    JWK_KID - 1;
	if (ok)
		memcpy(key->kid, json_string_value(thumbprint), JWK_KID);
	json_decref(thumbprint);
	kid = json_string_value(json_object_get(key->json, "kid"));
	ok = ok && (kid == NULL || str_eq(kid, key->kid));
	return (ok && json_object_set_new(key->json, "kid",
	    json_string(key->kid)) == 0 && json_object_set_new(key->json,
	    "use", json_string("sig")) == 0);
}

/* RFC 7518 section 6, with kty left out; up to NULL. */
static const char *const *
members_of(enum jwt_alg alg, bool is_private)
{
	static const char *const ec[] = { "crv", "x", "y", NULL };
	static const char *const ec_private[] = { "d", NULL };
	static const char *const rsa[] = { "n", "e", NULL };
	static const char *const rsa_private[] = { "d", "p", "q", "dp", "dq",
		"qi", NULL };

	if (alg == JWT_ES256)
		return (is_private ? ec_private : ec);
	return (is_private ? rsa_private : rsa);
}

/* In three parts with nothing empty, of base64url's characters. */
static bool
split(const char *token, struct parts *ret_parts)
{
	static const char	 set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	struct parts		 p;

	p.header = token;
	p.header_n = strspn(p.header, set);
	if (p.header_n == 0 || p.header[p.header_n] != '.')
		return (false);
	p.claims = p.header + p.header_n + 1;
	p.claims_n = strspn(p.claims, set);
	if (p.claims_n == 0 || p.claims[p.claims_n] != '.')
		return (false);
	p.signature = p.claims + p.claims_n + 1;
	p.signature_n = strspn(p.signature, set);
	if (p.signature_n == 0 || p.signature[p.signature_n] != '\0' ||
	    p.header_n + p.claims_n + p.signature_n + 2 > JWT_MAX)
		return (false);
	*ret_parts = p;
	return (true);
}

/* A part as a JSON object, of those that are flat alone where it is said; NULL:
 * it is none. */
static json_t *
part_json(const char *text, size_t n, bool flat)
{
	char		*bytes, *copy;
	json_error_t	 error;
	json_t		*json = NULL;
	size_t		 room = n * 3 / 4;

	copy = strndup(text, n);
	bytes = calloc(1, room + 1);
	if (copy == NULL || bytes == NULL)
		abort();
	if (base64url_decode(bytes, room, copy) && (!flat ||
	    is_flat(bytes, room)))
		json = json_loadb(bytes, room, JSON_REJECT_DUPLICATES,
		    &error);
	free(copy);
	free(bytes);
	return (json);
}

/* Short, and nothing in it that a parser would go down into, before it is known
 * who wrote it. */
static bool
is_flat(const char *json, size_t n)
{
	return (n > 1 && n <= HEADER_MAX && json[0] == '{' &&
	    memchr(json + 1, '{', n - 1) == NULL &&
	    memchr(json, '[', n) == NULL);
}

static enum jwt_verdict
read_header(const struct parts *parts, struct jwk *const *keys, size_t n,
    const struct jwk **ret_key)
{
	json_t			*header = part_json(parts->header,
				    parts->header_n, true);
	const char		*alg, *typ, *kid;
	enum jwt_verdict	 verdict = JWT_BAD;
	size_t			 i;

	/* "!": and nothing else. */
	if (header == NULL || json_unpack(header, "{s:s,s:s,s:s!}", "alg", &alg,
	    "typ", &typ, "kid", &kid) == -1 || !str_eq(typ, TYPE) ||
	    strlen(kid) != JWK_KID - 1) {
		json_decref(header);
		return (JWT_BAD);
	}
	for (i = 0; i < n && !str_eq(kid, keys[i]->kid); i++)
		continue;
	if (i == n) {
		verdict = JWT_UNKNOWN_KID;
	} else if (str_eq(alg, jwt_alg_text(keys[i]->alg))) {
		*ret_key = keys[i];
		verdict = JWT_GOOD;
	}
	json_decref(header);
	return (verdict);
}

static bool
signature_fits(const struct parts *parts, const struct jwk *key)
{
	json_t	*jws;
	bool	 fits;

	jws = json_pack("{s:s%,s:s%,s:s%}", "protected", parts->header,
	    parts->header_n, "payload", parts->claims, parts->claims_n,
	    "signature", parts->signature, parts->signature_n);
	fits = jws != NULL && jose_jws_ver(quiet(), jws, NULL, key->json,
	    false);
	json_decref(jws);
	return (fits);
}

static bool
read_claims(const json_t *said, struct jwt_claims *ret_claims)
{
	struct jwt_claims	 c = { .scope = "" };
	const char		*client;

	client = json_string_value(json_object_get(said, "client_id"));
	if (!copy_text(said, "iss", c.issuer, sizeof(c.issuer)) ||
	    !copy_text(said, "aud", c.audience, sizeof(c.audience)) ||
	    !copy_text(said, "sub", c.subject, sizeof(c.subject)) ||
	    !copy_text(said, "jti", c.jti, sizeof(c.jti)) ||
	    !copy_text(said, "tenant", c.tenant, sizeof(c.tenant)) ||
	    !copy_text(said, "environment", c.environment,
	    sizeof(c.environment)) ||
	    !time_of(said, "iat", &c.issued_at) ||
	    !time_of(said, "exp", &c.expires_at))
		return (false);
	if (json_object_get(said, "scope") != NULL &&
	    !copy_text(said, "scope", c.scope, sizeof(c.scope)))
		return (false);
	c.whole = json_is_true(json_object_get(said, "whole"));
	if (client == NULL || !str_eq(client, c.subject) ||
	    !uuid_shaped(c.subject) || !uuid_shaped(c.jti) ||
	    c.expires_at < c.issued_at)
		return (false);
	*ret_claims = c;
	return (true);
}

static bool
copy_text(const json_t *said, const char *name, char *to, size_t room)
{
	const json_t	*value = json_object_get(said, name);
	size_t		 n = json_string_length(value);

	if (!json_is_string(value) || n == 0 || n >= room)
		return (false);
	memcpy(to, json_string_value(value), n + 1);
	return (true);
}

static bool
time_of(const json_t *said, const char *name, int64_t *ret_time)
{
	const json_t	*value = json_object_get(said, name);

	/* To the year 9999, so that nothing overflows that is added. */
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > INT64_C(253402300799))
		return (false);
	*ret_time = json_integer_value(value);
	return (true);
}
