/*
 * Passkeys (W3C Web Authentication, level 2; ASVS 6.5, 6.6.4): a key pair that
 * an authenticator made for this site.  Registering and signing in send what
 * the browser and the authenticator made of a challenge; here that is held
 * against what it must be: type, challenge, origin and no cross-origin frame
 * in the client's data; the site's hash, presence and verification of the user
 * in the authenticator's; the signature over both; and a counter that never
 * goes back.  ES256 and RS256, attestation "none".
 *
 * Since the user is always verified (by PIN or biometrics), a passkey signs in
 * without a password, and in place of a one-time code.
 *
 * A challenge is the SHA-256 of a sealed value (again_seal()) which the form
 * sends back: it is ours, for this visitor, five minutes old at the most, and
 * its nonce is burned by the statement that accepts the answer.
 *
 * passkey.c is the only user of libfido2 and libcbor.
 */
#ifndef ACCOUNTS_PASSKEY_H
#define ACCOUNTS_PASSKEY_H

#include "accounts/again.h"

#define PASSKEYS_MAX		10	/* an account */
#define PASSKEY_NAME_MAX	60	/* characters */
#define PASSKEY_ID_MAX		1023	/* bytes, as the standard has it */
#define PASSKEY_FIELD_MAX	8192u	/* bytes of what a browser sends */

#define PASSKEY_ES256	(-7)		/* numbers of COSE (RFC 9053) */
#define PASSKEY_RS256	(-257)

/* ---- rules ---- */

struct bytes {
	const unsigned char	*p;
	size_t			 n;
};
/* A form's field in base64url; false when it is none or over the maximum. */
MUST_CHECK bool	 passkey_field(struct arena *, const char *text,
		    struct bytes *ret_bytes);

struct passkey_site {
	const char	*rp_id;		/* the host of PUBLIC_URL */
	const char	*origin;
};
/* Of PUBLIC_URL. */
struct passkey_site passkey_site(struct arena *);
/* SHA-256 of the sealed value. */
void		 passkey_challenge(const char *sealed,
		    unsigned char ret_challenge[SHA256_BYTES]);

enum passkey_verdict {
	PASSKEY_GOOD,
	PASSKEY_MALFORMED,	/* no JSON, no CBOR, an unknown algorithm */
	PASSKEY_OTHER_TYPE,	/* an answer to something else */
	PASSKEY_OTHER_CHALLENGE,
	PASSKEY_OTHER_ORIGIN,	/* or within a frame of another site */
	PASSKEY_OTHER_SITE,	/* made for another rp id */
	PASSKEY_UNVERIFIED,	/* the user was not present or not verified */
	PASSKEY_BAD_SIGNATURE,
	PASSKEY_COUNTER_BACK,	/* it was copied, or this is a replay */
};

struct passkey_new {
	struct bytes	 id, key;	/* key: as libfido2 keeps it */
	int		 algorithm;
	int64_t		 count;
};
MUST_CHECK enum passkey_verdict passkey_register(struct arena *,
		    const struct passkey_site *,
		    const unsigned char challenge[SHA256_BYTES],
		    struct bytes client_data, struct bytes attestation,
		    struct passkey_new *ret_new);

struct passkey_answer {
	struct bytes	 id, client_data, authenticator_data, signature;
};
struct passkey {			/* as stored */
	const char	*account_id;
	enum account_kind kind;
	struct bytes	 key;
	int		 algorithm;
	int64_t		 count;
};
MUST_CHECK enum passkey_verdict passkey_verify(const struct passkey_site *,
		    const unsigned char challenge[SHA256_BYTES],
		    const struct passkey_answer *, const struct passkey *,
		    int64_t *ret_count);

/* ---- the database ---- */

struct passkey_row {
	const char	*id, *name;
	int64_t		 created_at, used_at;	/* 0: not yet */
};
/* At most PASSKEYS_MAX; ret_rows is in the arena. */
WAITS size_t	 passkey_db_list(struct db *, const char *account_id,
		    const struct passkey_row **ret_rows);
/*
 * FACTOR_CONFLICT: there are PASSKEYS_MAX, or this one is known.  With the
 * first second factor ten recovery codes come to be (ret_has_codes).
 */
WAITS MUST_CHECK enum factor_result passkey_db_add(struct db *,
		    const struct session *, const char *name,
		    const struct passkey_new *,
		    const unsigned char nonce[AGAIN_NONCE],
		    const struct recovery_codes *, bool *ret_has_codes);
/* False when there is no such passkey of this account. */
WAITS MUST_CHECK bool passkey_db_remove(struct db *, const struct session *,
		    const char *id);
/* False for one that nobody has, or whose account is not active. */
WAITS MUST_CHECK bool passkey_db_find(struct db *, struct bytes id,
		    struct passkey *ret_passkey);
/* Begins a session; false when the challenge was used, or the counter has gone
 * on meanwhile. */
WAITS MUST_CHECK bool passkey_db_enter(struct db *, struct bytes id,
		    int64_t count, const unsigned char nonce[AGAIN_NONCE],
		    const struct session_start *);
/* Uses an answer up for a fresh sign-in of this account; false as above. */
WAITS MUST_CHECK bool passkey_db_use(struct db *, const char *account_id,
		    struct bytes id, int64_t count,
		    const unsigned char nonce[AGAIN_NONCE]);

#endif
