/*
 * What is said of a product's limits: see product.h.
 */
#include "products/product.h"

#include <assert.h>

static void	 add_user(struct buf *, struct arena *, int64_t calls_a_minute);

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

	/* 5 limits of at most 26 digits and commas, and 24 letters. */
	buf_init(&b, a, 256);
	for (i = 0; i < COUNT(limits); i++) {
		if (limits[i].calls == 0)
			continue;
		buf_fmt(&b, "%s%s%s a %s", b.n == 0 ? "" : ", ",
		    product_number(a, limits[i].calls),
		    b.n == 0 ? " calls" : "", limits[i].span);
	}
	add_user(&b, a, p->user_calls_a_minute);
	return (buf_text(&b));
}

const char *
product_limits(struct arena *a, int64_t calls_a_minute, int64_t calls_a_day,
    int64_t user_calls_a_minute)
{
	struct buf	b;

	buf_init(&b, a, 256);
	buf_fmt(&b, "%s calls a minute", product_number(a, calls_a_minute));
	if (calls_a_day != 0)
		buf_fmt(&b, ", %s a day", product_number(a, calls_a_day));
	add_user(&b, a, user_calls_a_minute);
	return (buf_text(&b));
}

static void
add_user(struct buf *b, struct arena *a, int64_t calls_a_minute)
{
	if (calls_a_minute != 0)
		buf_fmt(b, "; each API user %s a minute",
		    product_number(a, calls_a_minute));
}
