/*
 * A fresh sign-in (ASVS 7.5.3): before what is protected twice, somebody whose
 * sign-in is older than 15 minutes proves once more who he is, by the second
 * factor where one is set, else by the password.
 *
 * Where a form was sent, it travels through the page that asks: in a field,
 * sealed for this session and this path, for AGAIN_S and once.  The form of
 * that page is sent to the same path, so that CSRF, session, rights and
 * validation are looked at from the start; only then the fields that travelled
 * take the place of those of the page.  Passwords never travel: a form that
 * needs one asks for it again.
 *
 * The session gets a new token; AGAIN_FAILURES in a row end it.
 */
#ifndef ACCOUNTS_AGAIN_H
#define ACCOUNTS_AGAIN_H

#include "accounts/factor.h"

#define AGAIN_S			(5 * 60)
#define AGAIN_FAILURES		5
#define AGAIN_NONCE		16	/* bytes */
/* Bytes of a form that can travel: sealed and in base64url it must fit into a
 * request of 64 kB with its other fields. */
#define AGAIN_TEXT_MAX		(32u * 1024)

/* Does a field of this name travel? */
bool		 again_travels(const char *name);
/* The text (application/x-www-form-urlencoded) as a field's value; NULL when
 * it is longer than AGAIN_TEXT_MAX. */
const char	*again_seal(const struct keyring *, struct arena *,
		    const char *cookie, const char *path, int64_t now,
		    const char *text);
/* NULL: made for another session or path, too old, or none of ours. */
const char	*again_open(const struct keyring *, struct arena *,
		    const char *cookie, const char *path, int64_t now,
		    const char *sealed, unsigned char ret_nonce[AGAIN_NONCE]);

/* What was proven: a passkey, whose answer was used up, the password whose
 * hash is this, or, with NULL, a code. */
struct again {
	const char	*account_id;
	bool		 is_passkey;
	const char	*password_hash;
	struct proof	 proof;
	const unsigned char *nonce;	/* AGAIN_NONCE bytes; NULL: no form */
};
enum again_result {
	AGAIN_FRESH,
	AGAIN_USED,		/* the code was used by now, or the password
				 * changed */
	AGAIN_GONE,		/* the form was sent before, or the session
				 * has ended */
};
/* Uses the proof and the form up: the session goes on as `token` and counts as
 * fresh. */
WAITS MUST_CHECK enum again_result again_db_refresh(struct db *,
		    const struct again *, const char *cookie,
		    const char *token);
/* Counts a failure; true when the session has ended by it. */
WAITS MUST_CHECK bool again_db_failed(struct db *, const char *cookie);

#endif
