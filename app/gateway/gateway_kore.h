/*
 * What the files of the gateway that know Kore share.
 */
#ifndef GATEWAY_GATEWAY_KORE_H
#define GATEWAY_GATEWAY_KORE_H

#include <kore/kore.h>
#include <kore/http.h>

#include "web/address.h"

/* Whose request it is, by TRUSTED_PROXIES; false where that is no address.
 * forwarded: X-Forwarded-For, or NULL. */
MUST_CHECK bool	 gateway_client(struct http_request *, const char *forwarded,
		    struct network *ret_address);

/*
 * exchange_kore.c: what clients and those who verify tokens ask, without the
 * gateways' secret.  exchange_here() is false for addresses of others;
 * exchange_serve() answers, at once or when the database has.
 */
void		 exchange_setup(void);
bool		 exchange_here(const char *path);
int		 exchange_serve(struct http_request *);

#endif
