/*
 * A call that a gateway asks about, read from what the gateway sent (section 5
 * of the contract).  Pure: no clock, no I/O, no allocation; texts point into
 * the request.
 *
 * Where method and path of the call stand depends on the way that the gateway
 * asks.  The other way's headers beside them, or one of them twice, is a call
 * that two readers could understand differently, and so is a key that is there
 * twice, be it in two headers: CALL_ODD.
 *
 * Which headers carry keys, and which name a client, is said by the key profiles
 * (gateway/keyway.h).  X-Latchkey-Product and -Environment are the gateway's
 * own words on what is behind it.  What can't be a key, by its letters or its
 * checksum, is told from one here: nobody needs to look for it.
 */
#ifndef GATEWAY_CALL_H
#define GATEWAY_CALL_H

#include "base/base.h"

#define CALL_KEY_MAX	256u	/* bytes; Azure's own limit is 256 */
#define CALL_USER_MAX	32u	/* bytes of a user's name */
#define CALL_CODE_MAX	32u	/* of a tenant's code */
#define CALL_PASSWORD_MAX 128u

enum call_way {
	CALL_PLAIN,	/* X-Forwarded-Method, X-Forwarded-Uri */
	CALL_NGINX,	/* X-Original-Method, X-Original-URI */
	CALL_LINE,	/* the request line itself (Envoy) */
};

enum call_verdict {
	CALL_GOOD,
	CALL_ODD,
	CALL_NO_KEY,
	CALL_BAD_KEY,	/* longer than any, or not made as keys are */
};

enum call_user {
	CALL_USER_NONE,		/* no Authorization, or of another scheme */
	CALL_USER_BAD,		/* Basic, but not USER@CODE:password */
	CALL_USER_GIVEN,
};

struct call {
	enum call_way	 way;
	/* As they came; NULL: not sent. */
	const char	*forwarded_method, *forwarded_uri;
	const char	*original_method, *original_uri;
	const char	*key_header, *authorization, *secret;
	const char	*tenant;	/* as the call names it */
	const char	*product, *environment;	/* as the gateway does */
	const char	*forwarded_for;	/* the last one */
	/* A JWT (crypto/jwt.h) that came as Authorization: Bearer where there is
	 * no key; NULL: none.  Beside a key it is the API's. */
	const char	*token;
	/* The names (keyway.h) of what carries key and tenant. */
	uint8_t		 key_name, tenant_name;
	/* In place of authorization: a name and a password, or NULL both. */
	const char	*user_name, *user_password;
	bool		 twice;
	/* By call_read(). */
	const char	*method, *target;
	char		 key[CALL_KEY_MAX + 1];
	enum call_user	 user_kind;
	/* "FORTAPI@ALTWORX" in capitals. */
	char		 user[CALL_USER_MAX + 1 + CALL_CODE_MAX + 1];
	char		 password[CALL_PASSWORD_MAX + 1];
};

void	call_begin(struct call *, enum call_way);
/* For each header, in any order; names without regard to case. */
void	call_header(struct call *, const char *name, const char *value);
/* When all headers are in; method and target are those of the request line,
 * and used with CALL_LINE only. */
enum call_verdict call_read(struct call *, const char *method,
	    const char *target);
/* Wipes key and password. */
void	call_end(struct call *);

#endif
