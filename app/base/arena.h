/*
 * Arena: memory that belongs to one request (or one job, one test) and goes
 * away with it at once.  Allocation moves a pointer; nothing is freed singly.
 * Strings, rows, views and answers of a request all live in its arena, so
 * handlers have no free().
 *
 * An arena has a maximum.  Reaching it is a broken world, not a result: the
 * arena's `full` function is called and must not return (in the portal it
 * answers 503; without one the process aborts).
 *
 * All memory handed out is zeroed and aligned to 16 bytes.  When the arena
 * ends its memory is wiped, since secrets may have stood in it (ASVS 11.7.1).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/base.h"

struct arena;

/* `full(arg)` is called when more than max_bytes are asked for in all. */
struct arena	*arena_new(size_t max_bytes, void (*full)(void *), void *arg);

/* Runs the clean-ups in reverse order, wipes and frees.  NULL is allowed. */
void		 arena_free(struct arena *);

/* Never NULL.  0 bytes give a valid pointer. */
void		*arena_alloc(struct arena *, size_t bytes);
void		*arena_calloc(struct arena *, size_t count, size_t bytes);

char		*arena_strdup(struct arena *, const char *);
/* Copies bytes and adds a NUL behind them. */
char		*arena_strndup(struct arena *, const char *, size_t bytes);
void		*arena_memdup(struct arena *, const void *, size_t bytes);

/* printf into the arena. */
char		*arena_fmt(struct arena *, const char *fmt, ...) FORMAT(2, 3);
char		*arena_vfmt(struct arena *, const char *fmt, va_list)
		    FORMAT(2, 0);

/* Calls fn(arg) when the arena ends, latest first. */
void		 arena_at_end(struct arena *, void (*fn)(void *), void *arg);

/* Another `full` than arena_new() was given; more bytes than it said. */
void		 arena_set_full(struct arena *, void (*full)(void *), void *arg);
void		 arena_raise(struct arena *, size_t more_bytes);

size_t		 arena_used(const struct arena *);

#endif
