/*
 * Scopes: what a script may do with an access token.  They stand in the guards
 * of the route table beside who may (web/route.h), from bit 16 on, and under
 * their names in the database, in forms and in the API.
 *
 * A scope never lets anybody do what they may not do themselves.  What asks
 * for a fresh sign-in on a page is a scope of its own, never part of one that
 * reads.
 */
#ifndef WEB_SCOPE_H
#define WEB_SCOPE_H

#include "base/base.h"

enum scope {
	SCOPE_READ		= 1 << 16,
	SCOPE_REQUESTS_WRITE	= 1 << 17,
	SCOPE_KEYS_REVEAL	= 1 << 18,
	SCOPE_KEYS_ROTATE	= 1 << 19,
	SCOPE_API_USERS_WRITE	= 1 << 20,
	SCOPE_API_USERS_SECRET	= 1 << 21,
	SCOPE_QUEUE_READ	= 1 << 22,
	SCOPE_QUEUE_DECIDE	= 1 << 23,
	SCOPE_TENANTS_READ	= 1 << 24,
	SCOPE_TENANTS_WRITE	= 1 << 25,
	SCOPE_KEYS_FIND		= 1 << 26,
	SCOPE_KEYS_REVOKE	= 1 << 27,
	SCOPE_AUDIT_READ	= 1 << 28,
};
#define SCOPE_ALL	0x1fff0000u
#define SCOPES_MAX	13

struct scope_words {
	unsigned	 bit;
	const char	*name;		/* "keys:reveal" */
	const char	*words;		/* "Show keys" */
	bool		 is_contact;	/* of contacts, else of staff */
	bool		 is_admin;	/* of admins only */
	bool		 is_fresh;	/* a page asks for a fresh sign-in */
};
extern const struct scope_words scope_words[SCOPES_MAX];

/* 0: no such scope. */
unsigned	 scope_parse(const char *name);
/* "keys:reveal"; NULL: the bit is none. */
const char	*scope_name(unsigned bit);

#endif
