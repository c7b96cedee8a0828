/*
 * Subscriptions: tenant × product, with a name of the form CLIENT NAME-KEY,
 * for example Altaworx-KEY, and two keys (keys/key.h).
 *
 * The client name has 2 to 64 characters: letters of any script with their
 * marks (Unicode categories L and M), decimal digits, spaces, and & . ' -,
 * with a letter or digit among them and no space at either end.  What stands
 * behind it is exactly "-KEY".  Names are NFC.
 */
#ifndef SUBSCRIPTIONS_SUBSCRIPTION_H
#define SUBSCRIPTIONS_SUBSCRIPTION_H

#include "base/str.h"

#define SUBSCRIPTION_SUFFIX	"-KEY"
#define SUBSCRIPTION_CLIENT_MIN	2	/* characters */
#define SUBSCRIPTION_CLIENT_MAX	64

enum subscription_name_verdict {
	SUBSCRIPTION_NAME_GOOD,
	SUBSCRIPTION_NAME_EMPTY,
	SUBSCRIPTION_NAME_NOT_TEXT,	/* not UTF-8 */
	SUBSCRIPTION_NAME_CASE,		/* ends in -key, -Key ... */
	SUBSCRIPTION_NAME_SUFFIX,	/* does not end in -KEY */
	SUBSCRIPTION_NAME_SPACE,	/* the client begins or ends with one */
	SUBSCRIPTION_NAME_SHORT,
	SUBSCRIPTION_NAME_LONG,
	SUBSCRIPTION_NAME_CHARACTER,	/* holds one that may not be in it */
	SUBSCRIPTION_NAME_WORDLESS,	/* no letter or digit */
};

struct subscription_name {
	const char	*name;		/* NFC */
	const char	*client;	/* without -KEY */
	const char	*bad;		/* the character, with _CHARACTER */
};

/* Judges what was typed.  ret_name: name and client only when good, bad only
 * with SUBSCRIPTION_NAME_CHARACTER, else "". */
enum subscription_name_verdict subscription_name_check(struct arena *,
		    const char *typed, struct subscription_name *ret_name);
/*
 * A sentence that says what is wrong and shows a right name; "" when good.
 * proposed is a good name or "".
 */
const char	*subscription_name_advice(struct arena *,
		    enum subscription_name_verdict,
		    const struct subscription_name *, const char *proposed);
/* A good name made of a client's, or "" when nothing can be made of it. */
const char	*subscription_name_propose(struct arena *, const char *client);

#endif
