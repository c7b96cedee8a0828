/*
 * What answers say of limits: RateLimit-Policy and RateLimit (draft-ietf-
 * httpapi-ratelimit-headers-11), lists of RFC 9651, one member a limit; and the
 * older X-RateLimit-*.  Nothing of a key or a client is in them.
 */
#ifndef GATEWAY_RATELIMIT_H
#define GATEWAY_RATELIMIT_H

#include "gateway/limit.h"

/* A member: name of 15 bytes, two numbers of ten digits, and 14 of syntax. */
#define RATELIMIT_MAX	(LIMIT_ROWS * 64u)

/* "minute";q=200;w=60, "day";q=10000;w=86400 */
size_t	 ratelimit_policy(char ret_text[RATELIMIT_MAX], const struct limits *);
/* "minute";r=150;t=30, "day";r=...  Of a refusal only those that refused, so
 * that Retry-After never ends before a t. */
size_t	 ratelimit_state(char ret_text[RATELIMIT_MAX], const struct limits *);
/* "minute","day": names of those that refused, for JSON. */
size_t	 ratelimit_full(char ret_text[RATELIMIT_MAX], const struct limits *);
/* The limit that ends first; NULL: there is none. */
const struct limit_row *ratelimit_nearest(const struct limits *);

#endif
