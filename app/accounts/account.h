/*
 * Accounts (ASVS 6).  A sign-up leaves nothing but a row with a token; the
 * account comes to be when the link in the mail is used, with a password chosen
 * by whoever holds the mailbox.  Only the newest link of an address counts, for
 * 24 hours, once.
 *
 * Nobody learns whether an address has an account: signing up, sending again
 * and signing in do the same work and say the same for every address.  How
 * tries count says accounts/tries.h.
 */
#ifndef ACCOUNTS_ACCOUNT_H
#define ACCOUNTS_ACCOUNT_H

#include "accounts/tries.h"
#include "crypto/password.h"
#include "mail/address.h"
#include "sessions/session.h"

#define ACCOUNT_NAME_MAX	100	/* characters */
#define CLIENT_NAME_MIN		2	/* characters */
#define CLIENT_NAME_MAX		64
#define SIGNUP_LINK_S		(24 * 3600)
#define SIGNUP_MAILS		3	/* an hour and address */

/* ---- rules ---- */

/* What is wrong, as a sentence; NULL when nothing is.  The texts are squeezed
 * (str_squeeze). */
const char	*account_name_wrong(const char *name);
/* 2 to 64 characters: letters of any script, digits, spaces, & . ' - , ( ) / + !
 * and ’, with a letter or digit among them. */
const char	*client_name_wrong(const char *client);
/* Completes "You want to ...", for a route that asks for a fresh sign-in, by
 * its route_word(); one that it does not know gets a general one. */
const char	*account_action(const char *word);
/* Where somebody begins: /profile or /staff/queue. */
const char	*account_home(enum account_kind);
/* Where to go on after signing in: `next` (session_next(), may be NULL) unless
 * it is a page that is for the other kind of people. */
const char	*account_next(enum account_kind, const char *next);
/* "Owner", "Manager", "Member", "Staff", "Admin", "" before approval. */
const char	*account_role(enum account_kind, enum member_role);
/* "in 40 seconds", "in 4 minutes": rounded up. */
const char	*account_wait_words(struct arena *, int64_t wait_s);

/* ---- signing up ---- */

enum signup_result {
	SIGNUP_QUEUED,		/* a mail is on its way, or none is due */
	SIGNUP_ADDRESS_BUSY,	/* SIGNUP_MAILS were sent within an hour */
	SIGNUP_NETWORK_BUSY,	/* too many from this network */
};
struct signup_answer {
	enum signup_result result;
	int64_t		 next_at;	/* ADDRESS_BUSY: microseconds */
	int64_t		 wait_s;	/* NETWORK_BUSY */
};
/*
 * A new token and its mail, or the mail that says that there is an account.
 * name and client NULL: send again what was signed up with, if anything was.
 * A sign-up for an address that was asked to join the staff stays one for the
 * staff.
 */
WAITS struct signup_answer signup_db_ask(struct db *, const struct address *,
		    const char *name, const char *client, const char *network);

struct signup {			/* behind a link */
	const char	*id, *email, *name, *client;
	bool		 is_staff;	/* somebody of staff was asked to join */
};
/* False when the link does not count (any more), for whatever reason. */
WAITS MUST_CHECK bool signup_db_find(struct db *, const char *token,
		    struct signup *ret_signup);

struct account_new {
	const char	*name, *client;
	const char	*password_hash;
};
/* Uses the link: makes the account and begins a session.  False when the link
 * does not count any more: somebody was faster. */
WAITS MUST_CHECK bool account_db_create(struct db *, const char *token,
		    const struct account_new *, const struct session_start *,
		    enum account_kind *ret_kind);

/* ---- signing in ---- */

struct credential {
	const char	*account_id;	/* NULL: no such account */
	const char	*hash;		/* NULL: the same */
	enum account_kind kind;
	bool		 is_active;
	bool		 is_known;	/* somebody signed in from this network */
	bool		 has_second;	/* a second factor is set */
	struct tries	 tries;		/* where one with its password counts */
	const char	*who;		/* whose failures are counted */
};
/* By address, or for somebody signed in by account id.  Same work whether
 * there is such an account or not. */
WAITS struct credential account_db_credential(struct db *,
		    const struct address *, const struct visitor *);
WAITS struct credential account_db_credential_of(struct db *,
		    const char *account_id, const struct visitor *);
/* Begins a session after the password was right; new_hash replaces the old one
 * (NULL: it stays).  False when the account or its password changed meanwhile,
 * the account is not active, or it has a second factor: then signing in goes
 * on with accounts/factor.h. */
WAITS MUST_CHECK bool account_db_signin(struct db *,
		    const struct credential *, const char *new_hash,
		    const struct session_start *);
/* Writes a failure down; of SIGNIN_FAILURES_TOLD within a day the account is
 * told by mail, once a day (jobs/jobs_db.c). */
#define SIGNIN_FAILURES_TOLD	5
WAITS void	 account_db_failed(struct db *, const struct credential *);

/* ---- the account page ---- */

/* When the account was made, in microseconds. */
WAITS int64_t	 account_db_since(struct db *, const char *account_id);

#endif
