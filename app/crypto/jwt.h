/*
 * Access tokens as signed JWTs (RFC 9068 on RFC 7519, compact JWS of RFC 7515),
 * and the keys that sign them as JWKs (RFC 7517).  Pure: no clock, no files.
 *
 * A token is taken in one shape only (RFC 8725): its header has alg, typ and kid
 * and nothing else, once each; kid names one of the keys that are given, and alg
 * must be that key's own, so no header ever chooses how it is verified; parts
 * are base64url in its one form; claims are those of struct jwt_claims.  What
 * others would look at (crit, b64, jwk, jku, x5u, zip) is refused unread.
 *
 * JOSE is libjose's; this header hides it.  A key's private half stands in the
 * heap of the process, which is in no core dump, and is wiped with it.
 */
#ifndef CRYPTO_JWT_H
#define CRYPTO_JWT_H

#include "crypto/secret.h"
#include "crypto/token.h"

#define JWT_MAX		4096u	/* bytes of a token; ours have 3600 at most */
#define JWT_SCOPE_MAX	1024u	/* bytes of the claim "scope" */
#define JWT_ISSUER_MAX	300u	/* scheme, a host of 255 and a port */
#define JWT_WORD_MAX	64u	/* bytes of aud, tenant and environment */
#define JWK_KID		44u	/* 43 of base64url and the NUL */
#define JWK_PUBLIC_MAX	768u	/* bytes of JSON; RSA of 2048 bits has 460 */

enum jwt_alg { JWT_ES256, JWT_RS256 };	/* RFC 7518 section 3 */

/* "ES256", "RS256"; false: another. */
const char	*jwt_alg_text(enum jwt_alg);
MUST_CHECK bool	 jwt_alg_read(const char *, enum jwt_alg *ret_alg);

struct jwk;
/* A fresh one: P-256, or RSA of 2048 bits, which takes a tenth of a second or
 * more. */
struct jwk	*jwk_make(enum jwt_alg);
/* One as it was stored, JSON of jwk_private() or jwk_public(); NULL: not one, or
 * not for such a signature. */
struct jwk	*jwk_read(const char *json, size_t bytes);
/* Wipes; NULL is allowed. */
void		 jwk_free(struct jwk *);
/* Its name: the thumbprint of RFC 7638, of the public half. */
const char	*jwk_kid(const struct jwk *);
enum jwt_alg	 jwk_alg(const struct jwk *);
bool		 jwk_signs(const struct jwk *);	/* has its private half */
/* With kid, alg and use "sig"; _private must sign. */
struct secret	 jwk_private(struct arena *, const struct jwk *);
char		*jwk_public(struct arena *, const struct jwk *);

/* Times are seconds since 1970, as RFC 7519's NumericDate without fractions. */
struct jwt_claims {
	char	 issuer[JWT_ISSUER_MAX + 1];
	char	 audience[JWT_WORD_MAX + 1];
	char	 subject[UUID_TEXT];		/* and client_id: the key's id */
	char	 jti[UUID_TEXT];
	char	 tenant[JWT_WORD_MAX + 1];	/* its code */
	char	 environment[JWT_WORD_MAX + 1];
	char	 scope[JWT_SCOPE_MAX + 1];	/* words; "": no claim of them */
	bool	 whole;		/* scope names, and narrows nothing */
	int64_t	 issued_at, expires_at;
};

/* A token in the arena; the key must sign. */
char		*jwt_sign(struct arena *, const struct jwk *,
		    const struct jwt_claims *);

enum jwt_verdict {
	JWT_GOOD,
	JWT_BAD,	/* not one of ours, whatever is wrong with it */
	JWT_UNKNOWN_KID,	/* shaped like ours, by a key that is not given */
	JWT_EXPIRED,	/* all else is good */
};
/*
 * now: seconds since 1970.  ret_claims are written on JWT_GOOD and JWT_EXPIRED.
 * issued_at may be JWT_EARLY_S ahead: another machine's clock.
 */
#define JWT_EARLY_S	60
MUST_CHECK enum jwt_verdict jwt_verify(const char *token,
		    struct jwk *const *keys, size_t n, const char *issuer,
		    int64_t now, struct jwt_claims *ret_claims);
/* Three parts of base64url with dots between, at most JWT_MAX bytes, the first
 * of them a JSON object's: worth verifying.  No key of ours looks so. */
bool		 jwt_shaped(const char *);

#endif
