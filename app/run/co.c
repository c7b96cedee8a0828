/*
 * The one file that knows ucontext.  A coroutine is a stack with a small loop
 * on it (co_loop) that runs one function after the other: makecontext() enters
 * it once in a stack's life, from then on it is entered and left by _setjmp()
 * and _longjmp(), which spare the system call that swapcontext() makes at each
 * switch to save the signal mask (QEMU's coroutines work the same way).
 *
 * A stack that is not in use lies in the pool, with its loop waiting for the
 * next function.  A co_exit() jumps back to the loop from wherever it is.
 */
#include "run/co.h"

#include <sys/mman.h>

#include <assert.h>
#include <setjmp.h>
#include <ucontext.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__	1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
/* The sanitizer is told of every change of stacks. */
#define FIBER_LEAVE	__sanitizer_start_switch_fiber
#define FIBER_ARRIVE	__sanitizer_finish_switch_fiber
/* A frame that is left by a jump would leave its red zones behind. */
#define JUMPS		__attribute__((no_sanitize_address))
/* Frames grow by red zones around every array. */
#define STACK_BYTES	(CO_STACK * 8)
#else
#define FIBER_LEAVE(keep, stack, bytes)		(void)0
#define FIBER_ARRIVE(kept, stack, bytes)	(void)0
#define JUMPS
#define STACK_BYTES	CO_STACK
#endif

#define GUARD_BYTES	4096u
/* More stacks than this are not kept: 256 × 64 kB = 16 MB of addresses, of
 * which a request touches 8 to 16 kB each. */
#define POOL_MAX	256u

struct co {
	jmp_buf		 inside;	/* where it waits */
	jmp_buf		 outside;	/* where co_resume() was called */
	jmp_buf		 base;		/* in co_loop, for co_exit() */
	void		(*fn)(void *);	/* NULL while it lies in the pool */
	void		*arg;
	struct co	*next;		/* in the pool */
	char		*map;		/* guard page, then the stack */
	bool		 fresh;		/* never entered */
#ifdef __SANITIZE_ADDRESS__
	void		*fake_inside, *fake_outside;
	const void	*caller_stack;
	size_t		 caller_bytes;
#endif
};

static struct co	*current;
static struct co	*pool;
static unsigned		 pooled, running;

static struct co	*co_get(void);
static void		 co_put(struct co *);
static struct co	*co_make(void);
JUMPS static void	 co_enter(struct co *);
static void		 co_left(void);
JUMPS _Noreturn static void co_enter_first(struct co *);
JUMPS static void	 co_loop(void);
JUMPS static void	 co_leave(void);

/*
 * The fortified longjmp() takes a jump to another stack for an error: it only
 * knows of jumps upwards.  This is the same function without that check.
 */
_Noreturn void		 jump(jmp_buf, int) __asm__("_longjmp");

bool
co_start(void (*fn)(void *), void *arg)
{
	struct co	*co;

	if (running == CO_MAX)
		return (false);
	co = co_get();
	co->fn = fn;
	co->arg = arg;
	running++;
	co_enter(co);
	return (true);
}

struct co *
co_current(void)
{
	return (current);
}

void
co_wait(void)
{
	assert(current != NULL);
	co_leave();
}

void
co_resume(struct co *co)
{
	assert(co->fn != NULL);
	co_enter(co);
}

void
co_exit(void)
{
	assert(current != NULL);
	jump(current->base, 1);
}

unsigned
co_count(void)
{
	return (running);
}

static struct co *
co_get(void)
{
	struct co	*co = pool;

	if (co == NULL)
		return (co_make());
	pool = co->next;
	pooled--;
	return (co);
}

static void
co_put(struct co *co)
{
	if (pooled < POOL_MAX) {
		co->next = pool;
		pool = co;
		pooled++;
		return;
	}
	if (munmap(co->map, GUARD_BYTES + STACK_BYTES) != 0)
		abort();
	free(co);
}

static struct co *
co_make(void)
{
	struct co	*co = calloc(1, sizeof(*co));

	if (co == NULL)
		abort();
	co->map = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (co->map == MAP_FAILED ||
	    mprotect(co->map, GUARD_BYTES, PROT_NONE) != 0)
		abort();
	co->fresh = true;
	return (co);
}

/* From the event loop into the coroutine; returns when it left.  Only the
 * variable `current` is used across the jumps: they may spoil locals. */
static void
co_enter(struct co *co)
{
	assert(current == NULL);
	current = co;
	if (_setjmp(current->outside) == 0) {
		FIBER_LEAVE(&current->fake_outside,
		    current->map + GUARD_BYTES, STACK_BYTES);
		if (current->fresh)
			co_enter_first(current);
		jump(current->inside, 1);
	}
	FIBER_ARRIVE(current->fake_outside, NULL, NULL);
	co_left();
}

/* Back in the event loop: it waits, or it has ended. */
static void
co_left(void)
{
	struct co	*co = current;

	current = NULL;
	if (co->fn == NULL) {
		running--;
		co_put(co);
	}
}

static void
co_enter_first(struct co *co)
{
	ucontext_t	 context;

	co->fresh = false;
	if (getcontext(&context) != 0)
		abort();
	context.uc_stack.ss_sp = co->map + GUARD_BYTES;
	context.uc_stack.ss_size = STACK_BYTES;
	context.uc_link = NULL;
	makecontext(&context, co_loop, 0);
	(void)setcontext(&context);
	abort();
}

/* The bottom of every stack: never returns. */
static void
co_loop(void)
{
	FIBER_ARRIVE(NULL, &current->caller_stack, &current->caller_bytes);
	for (;;) {
		if (_setjmp(current->base) == 0)
			current->fn(current->arg);
		current->fn = NULL;
		co_leave();
	}
}

/* Out of the coroutine; returns when it is entered again. */
static void
co_leave(void)
{
	if (_setjmp(current->inside) == 0) {
		FIBER_LEAVE(&current->fake_inside, current->caller_stack,
		    current->caller_bytes);
		jump(current->outside, 1);
	}
	FIBER_ARRIVE(current->fake_inside, &current->caller_stack,
	    &current->caller_bytes);
}
