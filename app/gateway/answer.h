/*
 * What is answered to a check, as text: status, headers and body.  Pure.
 *
 * Denials are problems of RFC 9457; or as Azure API Management words them
 * (LATCHKEY_GATEWAY_COMPAT=apim), so that clients' code and runbooks go on:
 *
 *	missing_key, of pairs		401 "Access denied due to missing ..."
 *	unknown_key suspended expired	401 "Access denied due to invalid ..."
 *	    cancelled
 *	rate_limited			429 "Rate limit is exceeded. ..."
 *	quota_exceeded			403 "Out of call volume quota. ..."
 *	all else			as it is, with our words
 *
 * each as {"statusCode": 401, "message": "..."}, with Retry-After in seconds
 * for the limits, and WWW-Authenticate: AzureApiManagementKey for the keys.
 *
 * nginx lets nothing but 2xx, 401 and 403 through and no body, so CALL_NGINX
 * gets 403 for what is neither (save 503, which it makes a 500 of, as it does
 * of silence), and status and body in X-Latchkey-Status and -Problem.
 */
#ifndef GATEWAY_ANSWER_H
#define GATEWAY_ANSWER_H

#include "gateway/gateway.h"

/* Accounts 5250 bytes, scopes 1024, limits 1024; what verify says of them is the
 * longest body. */
#define ANSWER_HEADERS_MAX	10240u
#define ANSWER_BODY_MAX		10240u

struct answer_style {
	bool		 apim;
	bool		 x_ratelimit;	/* X-RateLimit-* beside RateLimit */
};

struct gateway_answer {
	int		 status;
	size_t		 headers_bytes, body_bytes;
	/* "name: value", joined by CRLF. */
	char		 headers[ANSWER_HEADERS_MAX];
	char		 body[ANSWER_BODY_MAX];
};

void	 answer_check(struct gateway_answer *, const struct check *,
	    const struct answer_style *);
/* A verdict as JSON: /v1/verify.  200 whatever it is, save when it can't be
 * known. */
void	 answer_verify(struct gateway_answer *, const struct check *);
/* A problem of the request itself.  Texts are ours. */
void	 answer_problem(struct gateway_answer *, int status, const char *code,
	    const char *title, const char *detail);
/* What is no HTTP that can be read, or too large or too slow, so that there is
 * no call to decide on; by_nginx as CALL_NGINX above. */
void	 answer_error(struct gateway_answer *, int status, bool by_nginx,
	    const struct answer_style *);
/* Plain text; at most ANSWER_BODY_MAX bytes. */
void	 answer_text(struct gateway_answer *, const char *);

#endif
