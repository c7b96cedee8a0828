/*
 * A key for a token: what programs send to where clients reach the gateway, and
 * what they are told.  Two ways, one answer behind them:
 *
 *	POST /api/v1/auth/api-key/exchange	{"apiKey": "..."}
 *	    200 {"data":{"token":"..."}}; refusals are problems of RFC 9457
 *	POST /oauth/token			RFC 6749 section 4.4: client id is
 *	    the key's id, secret the key, by HTTP Basic or in the form; `scope`
 *	    narrows; refusals as section 5.2 has them
 *
 * Only keys whose profile says takes_token are exchanged, while key and
 * subscription are live.  A key that is not right counts as a wrong password
 * does (accounts/tries.h), for its first characters or its client id and for the
 * network that it came from; one that is right always passes, so nobody is held
 * up by others' wrong ones.
 *
 * Pure but for jansson's memory.
 */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "crypto/jwt.h"
#include "db/db.h"
#include "gateway/call.h"

#define EXCHANGE_BODY_MAX	4096u
/* {"data":{"token":"..."}}, or an OAuth answer with its scope beside it. */
#define EXCHANGE_ANSWER_MAX	(JWT_MAX + JWT_SCOPE_MAX + 256u)
#define EXCHANGE_FIRST		8u	/* characters of a key that it counts by */

enum exchange_result {
	EXCHANGE_DONE,
	/* Of the request. */
	EXCHANGE_METHOD,
	EXCHANGE_TYPE,
	EXCHANGE_LARGE,
	EXCHANGE_UNREADABLE,
	EXCHANGE_GRANT,		/* of another type than client_credentials */
	/* Of the key. */
	EXCHANGE_UNKNOWN,
	EXCHANGE_TOO_MANY,	/* the same, and a lane is closed: wait_s */
	EXCHANGE_REVOKED,
	EXCHANGE_INACTIVE,
	EXCHANGE_KEY_EXPIRED,
	EXCHANGE_SUSPENDED,	/* and of its subscription */
	EXCHANGE_EXPIRED,
	EXCHANGE_CANCELLED,
	EXCHANGE_NOT_FOR_IT,	/* another profile's */
	EXCHANGE_SCOPE,		/* asks for what the key may not */
	EXCHANGE_AWAY,		/* database or signing key */
};
#define EXCHANGE_RESULTS	(EXCHANGE_AWAY + 1)

struct exchange {
	bool		 oauth;
	bool		 basic;		/* and by HTTP Basic */
	char		 key[CALL_KEY_MAX + 1];
	char		 client[UUID_TEXT];	/* of OAuth; "": another shape */
	char		 scope[JWT_SCOPE_MAX + 1];	/* "": all */
	/* Out. */
	int64_t		 wait_s;
	struct jwt_claims claims;	/* but for issuer, jti and times */
	int64_t		 ends_at;	/* us; no token beyond; 0: none */
};

/* POST with such a body?  type and authorization as sent, or NULL. */
enum exchange_result exchange_read(struct exchange *, struct arena *,
		    const char *type, const char *authorization,
		    const char *body, size_t bytes);
/* By the database: is the key right, and what may its token? */
WAITS enum exchange_result exchange_db_ask(struct db *, struct exchange *,
		    const char *network);
/* Wipes. */
void		 exchange_end(struct exchange *);

struct exchange_answer {
	int		 status;
	char		 headers[512];	/* joined by CRLF, the first named
					 * content-type */
	char		 body[EXCHANGE_ANSWER_MAX];
};
/* token: with EXCHANGE_DONE. */
void		 exchange_answer(struct exchange_answer *,
		    const struct exchange *, enum exchange_result,
		    const char *token, int64_t token_s);
/* RFC 8414 for this issuer. */
void		 exchange_metadata(struct exchange_answer *,
		    const char *issuer);
/* For metrics: issued, refused, throttled, bad_request, unavailable. */
const char	*exchange_kind(enum exchange_result);

#endif
