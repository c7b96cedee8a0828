/*
 * The client's address.  A header such as X-Forwarded-For is believed only as
 * far as the proxies of TRUSTED_PROXIES wrote it: read from the right, the
 * first address that is not one of theirs is the client.
 */
#ifndef WEB_ADDRESS_H
#define WEB_ADDRESS_H

#include "base/arena.h"

#define PROXIES_MAX	32

struct network {
	int		family;		/* AF_INET or AF_INET6 */
	unsigned char	address[16];
	unsigned	bits;
};

struct networks {
	struct network	list[PROXIES_MAX];
	size_t		n;
};

/* Addresses and networks in CIDR form, parted by commas or spaces.  False when
 * one is malformed or there are too many. */
MUST_CHECK bool	networks_parse(const char *, struct networks *ret_networks);
bool		networks_hold(const struct networks *, const char *address);

/*
 * peer: address of the connection; "unix" for a unix socket, which is trusted
 * when any proxy is configured.  forwarded: X-Forwarded-For, or NULL.
 */
const char	*client_address(struct arena *, const struct networks *,
		    const char *peer, const char *forwarded);
/* The same as an address, without memory: false where it is none ("unix"). */
MUST_CHECK bool	client_find(const struct networks *, const char *peer,
		    const char *forwarded, struct network *ret_address);
/* IPv4 address itself, IPv6 as its /64: what throttles count by. */
const char	*client_network(struct arena *, const char *address);

#endif
