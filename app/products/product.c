/*
 * What is said of a product's limits: see product.h.
 */
#include "products/product.h"

#include <assert.h>

const char *
product_number(struct arena *a, int64_t n)
{
	assert(n >= 0);
	if (n < 1000)
		return (arena_fmt(a, "%lld", (long long)n));
	return (arena_fmt(a, "%s,%03lld", product_number(a, n / 1000),
	    (long long)(n % 1000)));	/* at most 7 deep: 64 bits */
}

const char *
product_limits(struct arena *a, int64_t calls_a_minute, int64_t calls_a_day)
{
	const char	*minute = product_number(a, calls_a_minute);

	if (calls_a_day == 0)
		return (arena_fmt(a, "%s calls a minute", minute));
	return (arena_fmt(a, "%s calls a minute, %s a day", minute,
	    product_number(a, calls_a_day)));
}
