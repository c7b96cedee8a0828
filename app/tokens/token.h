/*
 * Access tokens: what scripts call the API with, for the account that made
 * them: "lk_" and what crypto/coded.h has behind a prefix.
 *
 * At rest a token is an HMAC; its first 4 and last 4 characters are shown.  It
 * is made after a fresh sign-in, shown once, has scopes (web/scope.h) and an
 * end within a year.  It never does more than its person may do at that
 * moment: every call reads the account's row and role.  Revoked is revoked on
 * the next call, and so is disabled and closed: a disabled account's tokens
 * don't come back when it is enabled.
 */
#ifndef TOKENS_TOKEN_H
#define TOKENS_TOKEN_H

#include "crypto/coded.h"
#include "crypto/seal.h"
#include "db/db.h"

struct req;
struct session;

#define ACCESS_TOKEN_PREFIX	"lk_"
#define ACCESS_TOKEN_TEXT	(3 + CODED_RANDOM + CODED_CHECK + 1)
#define ACCESS_TOKEN_NAME_MAX	60	/* characters */
#define ACCESS_TOKENS_MAX	20	/* of an account, living */
#define ACCESS_TOKEN_DAYS_MAX	365
#define ACCESS_TOKEN_TOUCH_S	60	/* last use is written so often */

/* ---- rules ---- */

/* A new token, wiped by the caller. */
void		 access_token_make(char ret_token[ACCESS_TOKEN_TEXT]);
/* "lk_" and the checksum is right. */
bool		 access_token_shaped(const char *);

/* ---- the database ---- */

struct access_token {
	const char	*id, *name, *first4, *last4;
	const char	*scopes;		/* "read, keys:reveal" */
	const char	*last_address;		/* "" */
	int64_t		 created_at, expires_at, last_used_at;	/* 0: never */
	bool		 is_expired;
};
struct access_tokens {
	struct access_token *list;	/* newest first, ended ones left out */
	int		 n;
};
WAITS struct access_tokens access_token_db_list(struct db *,
		    const char *account_id);

struct access_token_form {
	const char	*name;
	unsigned	 scopes;
	int64_t		 expires_at;	/* within ACCESS_TOKEN_DAYS_MAX */
};
enum access_token_result {
	ACCESS_TOKEN_MADE,
	ACCESS_TOKEN_AGAIN,	/* the nonce was used before */
	ACCESS_TOKEN_FULL,	/* ACCESS_TOKENS_MAX */
};
/* Stores a token of access_token_make(); tells the account by mail. */
WAITS MUST_CHECK enum access_token_result access_token_db_make(struct db *,
		    const struct keyring *, const char *account_id,
		    const struct access_token_form *, const char *token,
		    const char *nonce);
/* False: no such living token of the account. */
WAITS MUST_CHECK bool access_token_db_revoke(struct db *,
		    const char *account_id, const char *id);

/* Who calls. */
struct access {
	const char	*id, *name;
	unsigned	 scopes;
	int64_t		 expires_at;
	bool		 is_stale;	/* last use is to be written */
	struct session	*session;	/* as of a sign-in, never fresh; cookie
					 * NULL */
};
/* NULL: no such token, or ended, expired, or its account is not active. */
WAITS MUST_CHECK struct access *access_token_db_find(struct db *,
		    const struct keyring *, const char *token,
		    const char *address);
/* address NULL: not known. */
WAITS void	 access_token_db_touch(struct db *, const char *id,
		    const char *address);

/* ---- pages ---- */

WAITS void	 token_page(struct req *);		/* GET /account/tokens */
WAITS void	 token_page_make(struct req *);		/* POST */
WAITS void	 token_page_revoke(struct req *);	/* POST .../:id/revoke */

#endif
