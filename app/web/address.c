/*
 * Client addresses behind proxies: see address.h.
 */
#include "web/address.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "base/str.h"

#define ADDRESS_MAX	64	/* bytes; INET6_ADDRSTRLEN is 46 */

static bool	walk(const struct networks *, const char *peer,
		    const char *forwarded, char ret_found[ADDRESS_MAX]);
static bool	address_parse_ip(const char *, struct network *);

bool
networks_parse(const char *text, struct networks *ret_networks)
{
	struct networks	 found = { .n = 0 };
	struct network	*net;
	const char	*p = text;
	char		 word[64], *slash;
	size_t		 n;
	int64_t		 bits;

	for (;;) {
		p += strspn(p, ", ");
		n = strcspn(p, ", ");
		if (n == 0)
			break;
		if (n >= sizeof(word) || found.n == PROXIES_MAX)
			return (false);
		memcpy(word, p, n);
		word[n] = '\0';
		p += n;
		slash = strchr(word, '/');
		if (slash != NULL)
			*slash++ = '\0';
		net = &found.list[found.n];
		if (!address_parse_ip(word, net))
			return (false);
		if (slash != NULL) {
			if (!str_to_int(slash, 0, net->bits, &bits))
				return (false);
			net->bits = (unsigned)bits;
		}
		found.n++;
	}
	*ret_networks = found;
	return (true);
}

bool
networks_hold(const struct networks *nets, const char *address)
{
	struct network	 ip;
	size_t		 i;

	if (!address_parse_ip(address, &ip))
		return (false);
	for (i = 0; i < nets->n; i++) {
		const struct network *net = &nets->list[i];
		unsigned whole = net->bits / 8, rest = net->bits % 8;
		unsigned char mask = (unsigned char)(0xff00u >> rest);

		if (net->family == ip.family &&
		    memcmp(net->address, ip.address, whole) == 0 &&
		    (rest == 0 || ((net->address[whole] ^ ip.address[whole]) &
		    mask) == 0))
			return (true);
	}
	return (false);
}

const char *
client_address(struct arena *a, const struct networks *trusted,
    const char *peer, const char *forwarded)
{
	char	 found[ADDRESS_MAX];

	return (walk(trusted, peer, forwarded, found) ?
	    arena_strdup(a, found) : peer);
}

bool
client_find(const struct networks *trusted, const char *peer,
    const char *forwarded, struct network *ret_address)
{
	char	 found[ADDRESS_MAX];

	return (address_parse_ip(walk(trusted, peer, forwarded, found) ?
	    found : peer, ret_address));
}

const char *
client_network(struct arena *a, const char *address)
{
	struct network	 ip;
	char		*text;

	if (!address_parse_ip(address, &ip) || ip.family == AF_INET)
		return (address);
	memset(ip.address + 8, 0, 8);
	text = arena_alloc(a, INET6_ADDRSTRLEN);
	if (inet_ntop(AF_INET6, ip.address, text, INET6_ADDRSTRLEN) == NULL)
		return (address);
	return (text);
}

/* False: it is the peer. */
static bool
walk(const struct networks *trusted, const char *peer, const char *forwarded,
    char ret_found[ADDRESS_MAX])
{
	const char	*end, *start, *last;
	struct network	 ip;
	char		 word[ADDRESS_MAX];
	bool		 found = false;
	size_t		 n;

	if (forwarded == NULL || trusted->n == 0 ||
	    (!str_eq(peer, "unix") && !networks_hold(trusted, peer)))
		return (false);
	end = forwarded + strlen(forwarded);
	while (end > forwarded) {
		for (start = end; start > forwarded && start[-1] != ','; )
			start--;
		last = end;
		end = start > forwarded ? start - 1 : start;
		while (start < last && isspace((unsigned char)*start))
			start++;
		while (last > start && isspace((unsigned char)last[-1]))
			last--;
		n = (size_t)(last - start);
		if (n >= sizeof(word))
			break;
		memcpy(word, start, n);
		word[n] = '\0';
		/* What is no address was not written by a proxy of ours. */
		if (!address_parse_ip(word, &ip))
			break;
		memcpy(ret_found, word, n + 1);
		found = true;
		if (!networks_hold(trusted, word))
			break;
	}
	return (found);
}

/* IPv4-mapped IPv6 addresses count as IPv4. */
static bool
address_parse_ip(const char *text, struct network *ip)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(ip, 0, sizeof(*ip));
	if (inet_pton(AF_INET, text, ip->address) == 1) {
		ip->family = AF_INET;
		ip->bits = 32;
		return (true);
	}
	if (inet_pton(AF_INET6, text, ip->address) != 1)
		return (false);
	ip->family = AF_INET6;
	ip->bits = 128;
	if (memcmp(ip->address, mapped, sizeof(mapped)) == 0) {
		memmove(ip->address, ip->address + 12, 4);
		memset(ip->address + 4, 0, 12);
		ip->family = AF_INET;
		ip->bits = 32;
	}
	return (true);
}
