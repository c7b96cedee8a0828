/*
 * Where a Redis is, as LATCHKEY_REDIS_URL says it:
 *
 *	redis://[[user]:password@]host[:port][/database]
 *	unix:/path
 *	unix://[[user]:password@]/path[?db=database]
 *
 * User and password are percent-decoded (RFC 3986 section 2.1).  rediss:// is
 * refused: the hiredis of Debian 12 knows no TLS.
 */
#ifndef BASE_REDIS_URL_H
#define BASE_REDIS_URL_H

#include "base/base.h"

#define REDIS_HOST_MAX		256u	/* bytes, with the NUL, as all here */
#define REDIS_PATH_MAX		108u	/* sun_path */
#define REDIS_LOGIN_MAX		512u
#define REDIS_DATABASES		1000000	/* Redis itself has 16 by default */

struct redis_url {
	char		 host[REDIS_HOST_MAX];	/* "": by path */
	uint16_t	 port;			/* 6379 */
	char		 path[REDIS_PATH_MAX];
	char		 user[REDIS_LOGIN_MAX];	/* "": the default one */
	char		 password[REDIS_LOGIN_MAX];	/* "": none */
	uint32_t	 database;		/* 0 */
	char		 where[REDIS_HOST_MAX + 16]; /* for people: no secret */
};

/* NULL, or what it must be. */
const char *redis_url_read(struct redis_url *ret_url, const char *text);

#endif
