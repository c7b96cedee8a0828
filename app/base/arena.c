/*
 * A list of chunks, newest first.  Chunks double from 32 kB to 128 kB; an
 * allocation larger than that gets a chunk of its own.  Spare chunks of the
 * smallest size are kept for the next arenas, which spares a request of usual
 * size (a page of 6 kB needs 20) every call of malloc().
 */
#include "base/arena.h"

#include <assert.h>

#define ALIGN		16u
#define CHUNK_MIN	(32u * 1024)
#define CHUNK_MAX	(128u * 1024)
#define SPARES		16u

struct chunk {
	struct chunk	*next;
	size_t		 size;		/* of data, in bytes */
	size_t		 used;
	_Alignas(ALIGN) unsigned char data[];
};

struct cleanup {
	struct cleanup	*next;
	void		(*fn)(void *);
	void		*arg;
};

struct arena {
	struct chunk	*chunks;
	struct cleanup	*cleanups;
	size_t		 max, total;
	void		(*full)(void *);
	void		*full_arg;
};

static struct chunk	*spare[SPARES];
static unsigned		 spares;

static struct chunk	*chunk_get(size_t);
static void		 chunk_put(struct chunk *);
static void		 arena_full(struct arena *);

struct arena *
arena_new(size_t max_bytes, void (*full)(void *), void *arg)
{
	struct chunk	*c;
	struct arena	*a;

	c = chunk_get(CHUNK_MIN);
	a = (struct arena *)c->data;
	c->used = (sizeof(*a) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	memset(a, 0, sizeof(*a));
	a->chunks = c;
	a->max = max_bytes;
	a->full = full;
	a->full_arg = arg;
	return (a);
}

void
arena_free(struct arena *a)
{
	struct chunk	*c, *next;

	if (a == NULL)
		return;
	while (a->cleanups != NULL) {
		struct cleanup *todo = a->cleanups;

		a->cleanups = todo->next;
		todo->fn(todo->arg);
	}
	/* The arena itself lies in the last chunk of the list. */
	for (c = a->chunks; c != NULL; c = next) {
		next = c->next;
		chunk_put(c);
	}
}

void *
arena_alloc(struct arena *a, size_t bytes)
{
	struct chunk	*c = a->chunks;
	size_t		 need, size;
	void		*p;

	if (bytes > a->max - (a->total < a->max ? a->total : a->max))
		arena_full(a);
	need = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (need == 0)
		need = ALIGN;
	if (c->size - c->used < need) {
		size = c->size < CHUNK_MAX ? c->size * 2 : CHUNK_MAX;
		if (size < need)
			size = need;
		c = chunk_get(size);
		c->next = a->chunks;
		a->chunks = c;
	}
	p = c->data + c->used;
	c->used += need;
	a->total += need;
	memset(p, 0, need);
	return (p);
}

void *
arena_calloc(struct arena *a, size_t count, size_t bytes)
{
	size_t	total;

	if (__builtin_mul_overflow(count, bytes, &total))
		arena_full(a);
	return (arena_alloc(a, total));
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return (arena_strndup(a, s, strlen(s)));
}

char *
arena_strndup(struct arena *a, const char *s, size_t bytes)
{
	char	*p = arena_alloc(a, bytes + 1);

	if (bytes > 0)
		memcpy(p, s, bytes);
	return (p);
}

void *
arena_memdup(struct arena *a, const void *from, size_t bytes)
{
	void	*p = arena_alloc(a, bytes);

	if (bytes > 0)
		memcpy(p, from, bytes);
	return (p);
}

char *
arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list	 ap;
	char	*p;

	va_start(ap, fmt);
	p = arena_vfmt(a, fmt, ap);
	va_end(ap);
	return (p);
}

char *
arena_vfmt(struct arena *a, const char *fmt, va_list ap)
{
	va_list	 again;
	char	*p;
	int	 n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(n >= 0);
	p = arena_alloc(a, (size_t)n + 1);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	return (p);
}

void
arena_at_end(struct arena *a, void (*fn)(void *), void *arg)
{
	struct cleanup	*todo = arena_alloc(a, sizeof(*todo));

	todo->fn = fn;
	todo->arg = arg;
	todo->next = a->cleanups;
	a->cleanups = todo;
}

void
arena_set_full(struct arena *a, void (*full)(void *), void *arg)
{
	a->full = full;
	a->full_arg = arg;
}

void
arena_raise(struct arena *a, size_t more_bytes)
{
	a->max += more_bytes;
}

size_t
arena_used(const struct arena *a)
{
	return (a->total);
}

static struct chunk *
chunk_get(size_t size)
{
	struct chunk	*c;

	if (size == CHUNK_MIN && spares > 0) {
		c = spare[--spares];
	} else {
		c = malloc(sizeof(*c) + size);
		if (c == NULL)
			abort();
		c->size = size;
	}
	c->next = NULL;
	c->used = 0;
	return (c);
}

static void
chunk_put(struct chunk *c)
{
	explicit_bzero(c->data, c->used);
	if (c->size == CHUNK_MIN && spares < SPARES)
		spare[spares++] = c;
	else
		free(c);
}

static void
arena_full(struct arena *a)
{
	if (a->full != NULL)
		a->full(a->full_arg);
	abort();
}
