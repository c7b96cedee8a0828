/*
 * Token buckets in shared memory: see rate.h.
 */
#include "api/rate.h"

#include <sys/mman.h>

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "crypto/token.h"

static _Atomic int64_t	*places;
static unsigned char	 salt[32];

static _Atomic int64_t	*place_of(const char *key);

void
rate_setup(void)
{
	void	*memory;

	if (places != NULL)
		return;
	memory = mmap(NULL, RATE_PLACES * sizeof(*places),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(memory != MAP_FAILED);
	places = memory;
	random_bytes(salt, sizeof(salt));
}

int64_t
rate_take(const char *key, int64_t every_us, int64_t burst, int64_t now)
{
	_Atomic int64_t	*place = place_of(key);
	int64_t		 was = atomic_load(place), next;

	do {
		next = (was > now ? was : now) + every_us;
		if (next - now > burst * every_us)
			return (next - now - burst * every_us);
	} while (!atomic_compare_exchange_weak(place, &was, next));
	return (0);
}

static _Atomic int64_t *
place_of(const char *key)
{
	unsigned char	mac[SHA256_BYTES];
	uint32_t	n;

	assert(places != NULL);
	hmac_sha256(mac, salt, sizeof(salt), key, strlen(key));
	memcpy(&n, mac, sizeof(n));
	return (&places[n % RATE_PLACES]);
}
