/*
 * A key was found in public: whose is it?  Looked up by the whole key or its
 * first 8 characters, which have HMACs, or by its last 4.  Values that have
 * ended are found, too: then nothing is left to do.  A key that is looked up
 * stands in no address, no log and on no page.
 */
#ifndef KEYS_FIND_H
#define KEYS_FIND_H

#include "keys/key.h"

#define FIND_MAX	100

enum find_by { FIND_WHOLE, FIND_FIRST8, FIND_LAST4 };

struct found_key {
	const char	*id, *slot, *last4;
	const char	*state;		/* "current", "old", "ended": by the
					 * clock */
	const char	*subscription_id, *subscription, *subscription_state;
	const char	*code, *client;
	int64_t		 made_at, ends_at, used_at;	/* 0: none, not known */
};
struct found_keys {
	struct found_key *list;		/* newest first */
	int		 n;
};

/* False unless it has the form: 32, 8 or 4 of 0-9 and a-f. */
bool		 find_shaped(enum find_by, const char *text);
WAITS struct found_keys find_db(struct db *, const struct keyring *,
		    enum find_by, const char *text);

/* GET /staff/keys, POST /staff/keys */
WAITS void	 find_page(struct req *);
WAITS void	 find_page_look(struct req *);

#endif
