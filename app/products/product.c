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
product_plan(struct arena *a, const struct product *p)
{
	const struct {
		int64_t		 calls;
		const char	*span;
	} limits[] = {
		{ p->calls_a_second, "second" },
		{ p->calls_a_minute, "minute" },
		{ p->calls_a_day, "day" },
		{ p->calls_a_month, "month" },
	};
	struct buf	b;
	size_t		i;

	/* 4 limits of at most 26 digits and commas, and 16 letters. */
	buf_init(&b, a, 256);
	for (i = 0; i < COUNT(limits); i++) {
		if (limits[i].calls == 0)
			continue;
		buf_fmt(&b, "%s%s%s a %s", b.n == 0 ? "" : ", ",
		    product_number(a, limits[i].calls),
		    b.n == 0 ? " calls" : "", limits[i].span);
	}
	return (buf_text(&b));
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
