/*
 * Second factors (ASVS 6.5).  An account may have an app with one-time codes
 * (accounts/totp.h), passkeys (accounts/passkey.h) and, with the first of
 * them, ten recovery codes that are each taken once in its place.
 *
 * Signing in is then done in two steps: the right password makes a pending
 * sign-in, which is a token in a cookie of this browser, good for 5 minutes
 * and for nothing but the page that asks for the second factor.  There is no
 * session before that one is right.
 *
 * At rest the app's secret is sealed (crypto/seal.h) with its row's name as
 * associated data; of recovery codes there is a SHA-256, which can't be
 * searched through since each has 120 random bits.
 *
 * Wrong codes count as accounts/tries.h says: only somebody with the password
 * can use up the account's tries, and a recovery code opens even then.
 */
#ifndef ACCOUNTS_FACTOR_H
#define ACCOUNTS_FACTOR_H

#include "accounts/account.h"
#include "accounts/totp.h"
#include "base/clock.h"
#include "crypto/seal.h"

#define RECOVERY_CODES	10
#define RECOVERY_TEXT	30	/* RECOVERY_EXAMPLE and the NUL */
#define RECOVERY_EXAMPLE "8k3v-2qpm-x70d-h5ta-9wne-c4rj"
#define PENDING_S	(5 * 60)
#define SETUP_S		(30 * 60)	/* to scan the code and type one */
#define SETUP_BYTES	(TOTP_SECRET_BYTES + 8 + SEAL_OVERHEAD)
#define SETUP_TEXT	((SETUP_BYTES * 4 + 2) / 3 + 1)

/* ---- rules ---- */

struct recovery_codes {		/* new codes, and what is stored of them */
	char		 text[RECOVERY_CODES][RECOVERY_TEXT];
	unsigned char	 hash[RECOVERY_CODES][SHA256_BYTES];
};
void		 recovery_codes_make(const char *account_id, struct recovery_codes *);
/* In any case, with or without hyphens and spaces; o counts as 0, i and l as
 * 1.  False when it is no recovery code. */
MUST_CHECK bool	 recovery_code_hash(const char *account_id, const char *typed,
		    unsigned char ret_hash[SHA256_BYTES]);

/*
 * A secret that is to be set up travels in the form, sealed for this session
 * until a code of it was typed: nothing is stored before.  _open is false when
 * it was made for another session or more than SETUP_S ago.
 */
void		 setup_seal(const struct keyring *, struct arena *,
		    const char *cookie, int64_t now,
		    const unsigned char secret[TOTP_SECRET_BYTES],
		    char ret_text[SETUP_TEXT]);
MUST_CHECK bool	 setup_open(const struct keyring *, struct arena *,
		    const char *cookie, int64_t now, const char *text,
		    unsigned char ret_secret[TOTP_SECRET_BYTES]);

/* What the form's nonce is for that makes new recovery codes:
 * sessions/nonce.h. */
#define RECOVERY_NONCE	"recovery-codes"

/* The row's name that an app's secret is sealed for. */
const char	*totp_row(struct arena *, const char *account_id);

/* ---- the account page ---- */

struct factors {
	bool	has_totp, has_passkey;
	int64_t	totp_since;	/* microseconds */
	int64_t	recovery_left;
};
WAITS struct factors factor_db_of(struct db *, const char *account_id);

enum factor_result {
	FACTOR_DONE,
	FACTOR_AGAIN,		/* this form was sent before: nothing done */
	FACTOR_CONFLICT,	/* there is one already, or none any more */
};
/*
 * Turns the app on, with ten new recovery codes, and ends the account's other
 * sessions, which began with less.  The account is told by mail.
 */
WAITS MUST_CHECK enum factor_result factor_db_set_up(struct db *,
		    const struct session *, const void *sealed, size_t bytes,
		    int64_t counter, const char *nonce,
		    const struct recovery_codes *);
/* Turns it off, recovery codes with it unless there is a passkey; ends the
 * other sessions. */
WAITS MUST_CHECK enum factor_result factor_db_remove(struct db *,
		    const struct session *);
/* Ten new codes in place of the old ones. */
WAITS MUST_CHECK enum factor_result factor_db_recovery_new(struct db *,
		    const struct session *, const char *nonce,
		    const struct recovery_codes *);

/* ---- signing in ---- */

/* The password was right: begins a pending sign-in under this token.  False
 * as of account_db_signin(). */
WAITS MUST_CHECK bool factor_db_pend(struct db *, const struct credential *,
		    const char *new_hash, const char *token);

/* What a second factor is held against, for a pending sign-in or a session. */
struct challenge {
	const char	*account_id;
	enum account_kind kind;
	bool		 has_totp, has_passkey;
	const void	*sealed;	/* with has_totp */
	size_t		 sealed_bytes;
	int64_t		 last_counter;
	int64_t		 recovery_left;
	struct visitor	 visitor;	/* browser NULL: not known for it */
};
/* False when the pending sign-in is over. */
WAITS MUST_CHECK bool factor_db_pending(struct db *, const char *token,
		    const struct visitor *, struct challenge *ret_challenge);

/* For an account that nobody doubts: a reset, a fresh sign-in. */
WAITS struct challenge factor_db_challenge(struct db *, const char *account_id,
		    const struct visitor *);

/* What was proven. */
struct proof {
	bool		 is_recovery;
	int64_t		 counter;			/* one-time code */
	unsigned char	 hash[SHA256_BYTES];		/* recovery code */
	struct tries	 tries;		/* to give back when it was used */
};
/* Hashes of new codes as a text[] parameter, in hexadecimal. */
const char	*recovery_hashes(struct db *, const struct recovery_codes *);
/* The proof as a parameter: bigint or bytea. */
const char	*proof_value(struct db *, const struct proof *);
/* A mail that tells how many are left: in the statement's snapshot the one
 * that it uses is still there. */
#define RECOVERY_TOLD(from)						\
	"left_over AS (SELECT " from ".id, count(r.code_hash) - 1 AS n "	\
	"FROM " from " LEFT JOIN recovery_code r "			\
	"ON r.account_id = " from ".id AND r.used_at IS NULL "		\
	"GROUP BY " from ".id), "					\
	"told AS (SELECT mail_queue('recovery_used', id, NULL, "	\
	"jsonb_build_object('left', n::text)) AS mail FROM left_over)"
/* Uses the proof up and begins a session in place of the pending sign-in;
 * false when either was used or is over by now. */
WAITS MUST_CHECK bool factor_db_enter(struct db *, const char *token,
		    const struct proof *, const struct session_start *);
/* Uses the proof up for a reset; false when it was used by now. */
WAITS MUST_CHECK bool factor_db_use(struct db *, const char *account_id,
		    const struct proof *);
/* Writes a failure down. */
WAITS void	 factor_db_failed(struct db *, const char *account_id);

enum factor_verdict {
	FACTOR_RIGHT,
	FACTOR_WRONG,
	FACTOR_UNREADABLE,	/* neither a one-time nor a recovery code */
	FACTOR_CLOSED,		/* the sealed secret does not open */
};
/* Holds what was typed against the challenge, without using it up. */
MUST_CHECK enum factor_verdict factor_check(const struct keyring *,
		    struct arena *, const struct challenge *, int64_t now,
		    const char *typed, struct proof *ret_proof);

#endif
