/*
 * Copying, comparing and wiping of secrets.  sodium_memcmp() looks at every
 * byte whatever it finds, and sodium_memzero() is not optimised away.
 */
#include "crypto/secret.h"

#include <assert.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void
secret_guard_process(void)
{
	const struct rlimit	none = { 0, 0 };
	int			rc;

	rc = setrlimit(RLIMIT_CORE, &none);
	assert(rc == 0);
	/* A kernel that pipes dumps to a program asks only for this. */
	rc = prctl(PR_SET_DUMPABLE, 0);
	assert(rc == 0);
}

struct secret
secret_copy(struct arena *a, const void *bytes, size_t n)
{
	struct secret	s;

	assert(n <= SECRET_MAX);
	s.p = arena_memdup(a, bytes, n);
	s.n = n;
	return (s);
}

bool
secret_eq(struct secret a, struct secret b)
{
	return (a.n == b.n && sodium_memcmp(a.p, b.p, a.n) == 0);
}

void
secret_wipe(struct secret *s)
{
	if (s->n > 0)
		sodium_memzero(s->p, s->n);
	s->p = NULL;
	s->n = 0;
}

const char *
secret_reveal(struct arena *a, struct secret s)
{
	return (arena_strndup(a, (const char *)s.p, s.n));
}
