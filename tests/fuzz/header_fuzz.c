/*
 * X-Forwarded-For and lists of networks: what is taken for the client's
 * address is the peer's or parses as an address.
 */
#include <arpa/inet.h>
#include <assert.h>

#include "base/str.h"
#include "web/address.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena	*a = arena_new(64u << 20, NULL, NULL);
	struct networks	 nets;
	unsigned char	 ip[16];
	const char	*text = arena_strndup(a, (const char *)data, n);
	const char	*got;

	if (networks_parse(text, &nets))
		assert(nets.n <= PROXIES_MAX);
	assert(networks_parse("127.0.0.1 10.0.0.0/8 fd00::/8", &nets));
	got = client_address(a, &nets, "127.0.0.1", text);
	assert(inet_pton(AF_INET, got, ip) == 1 ||
	    inet_pton(AF_INET6, got, ip) == 1);
	(void)client_network(a, got);
	arena_free(a);
	return (0);
}
