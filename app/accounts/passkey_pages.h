/*
 * Handlers of passkeys, for the route table, and what other pages that take a
 * passkey need.
 */
#ifndef ACCOUNTS_PASSKEY_PAGES_H
#define ACCOUNTS_PASSKEY_PAGES_H

#include "accounts/passkey.h"
#include "web/req.h"

WAITS void	passkey_page(struct req *);		/* GET /account/passkeys */
WAITS void	passkey_page_add(struct req *);		/* POST */
WAITS void	passkey_page_remove(struct req *);	/* POST .../:id/remove */
WAITS void	passkey_page_enter(struct req *);	/* POST /passkey */

/* Values of templates/accounts/passkey_get.html: a challenge. */
void		passkey_view(struct req *, struct view *);

struct passkey_proof {
	const char	*account_id;
	enum account_kind kind;
	struct bytes	 id;
	int64_t		 count;
	unsigned char	 nonce[AGAIN_NONCE];
};
/* Whether the form holds a right answer to a challenge of ours, by anybody's
 * passkey; a wrong one of somebody's is counted.  It is still to be used. */
WAITS MUST_CHECK bool passkey_check(struct req *, struct passkey_proof *);

#endif
