/*
 * Keys that sign access tokens: rows of signing_key, each a JWK sealed under a
 * data key, so rotations of master and data keys carry them (README.md in this
 * folder).  A new one is published before it signs, and an old one is good for
 * what it has signed until its last token is over:
 *
 *	made	-- publish_s -->  signs  -- until the next does -->  verifies
 *		-- token_s and SIGNING_SLACK_S -->  ended, goes with the next
 */
#ifndef VAULT_SIGNING_H
#define VAULT_SIGNING_H

#include "crypto/jwt.h"
#include "db/db.h"

#define SIGNING_MAX	16	/* that are good at once */
/* For clocks that differ, and a worker that heard of the change late. */
#define SIGNING_SLACK_S	120

struct signing_key {
	struct jwk	*jwk;
	int64_t		 signs_at, ends_at;	/* us; ends_at 0: none */
};
/* The newest first. */
struct signing_keys {
	size_t			 n;
	struct signing_key	 keys[SIGNING_MAX];
};

/* Those that have not ended, opened, in place of what was there; ret_broken: how
 * many don't open, which are left out.  For signing_free(). */
WAITS void	 signing_db_read(struct db *, struct signing_keys *,
		    int *ret_broken);
void		 signing_free(struct signing_keys *);

/* The one that signs now (us); NULL: there is none. */
const struct signing_key *signing_now(const struct signing_keys *,
		    int64_t now);
/* Those that tokens are verified with now; their number. */
size_t		 signing_good(const struct signing_keys *, int64_t now,
		    struct jwk *ret_keys[SIGNING_MAX]);
/* The JWK Set of RFC 7517 section 5: all that are good now or will sign. */
#define SIGNING_JWKS_MAX (SIGNING_MAX * (JWK_PUBLIC_MAX + 1) + 16)
void		 signing_jwks(const struct signing_keys *, int64_t now,
		    char ret_json[SIGNING_JWKS_MAX]);

/* The first one, where there is none; signs at once.  Was one made? */
WAITS bool	 signing_db_init(struct db *, enum jwt_alg);
/*
 * Another one, that signs in publish_s seconds; the last until then ends token_s
 * and SIGNING_SLACK_S later.  With at_once it signs now and all others end now,
 * and so do their tokens.  Ended ones are removed.  False: somebody else did so
 * at the same time, or there are SIGNING_MAX.
 */
WAITS MUST_CHECK bool signing_db_rotate(struct db *, enum jwt_alg,
		    int64_t publish_s, int64_t token_s, bool at_once,
		    char ret_kid[JWK_KID]);
/* (kid, alg, state: next signs verifies ended, signs_at, ends_at), the last
 * first; times as text in UTC. */
WAITS const struct db_rows *signing_db_list(struct db *);

/* The name that a row is sealed under; in the arena. */
const char	*signing_row(struct arena *, const char *id);

#endif
