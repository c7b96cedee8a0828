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
	const char	*id, *slot, *last4;	/* slot: "" of an issued key */
	const char	*issued_id, *name;	/* of that; "" of a pair */
	const char	*state;		/* "current", "old", "ended": by the
					 * clock */
	const char	*subscription_id, *subscription, *subscription_state;
	const char	*code, *client;
	int64_t		 made_at, ends_at, used_at;	/* 0: none, not known */
};
/* What revokes it: the id of a pair's value, or of the issued key. */
#define find_id(key)							\
	(*(key)->issued_id == '\0' ? (key)->id : (key)->issued_id)
struct found_keys {
	struct found_key *list;		/* newest first */
	int		 n;
};

/* False unless it has the form of a value of a pair: 32, 8 or 4 of 0-9 and
 * a-f. */
bool		 find_shaped(enum find_by, const char *text);
/* What was typed, as it is looked for: an issued key, its first 8 or its last
 * 4 characters as they are, what is of a pair in lower case; by the length, the
 * whole or the first 8 characters.  NULL: it is neither. */
const char	*find_typed(struct arena *, const char *typed,
		    enum find_by *ret_by);
WAITS struct found_keys find_db(struct db *, const struct keyring *,
		    enum find_by, const char *text);

/* GET /staff/keys, POST /staff/keys */
WAITS void	 find_page(struct req *);
WAITS void	 find_page_look(struct req *);

#endif
