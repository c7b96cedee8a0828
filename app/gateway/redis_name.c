/*
 * See redis_name.h.  The thread touches nothing but `asked` before it says that
 * it is done.
 */
#include "gateway/redis_name.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/str.h"

#define STACK_BYTES	(256u * 1024)	/* the resolver has large buffers */

static struct {
	_Atomic bool	 busy;
	const char	*host;
	char		 found[REDIS_NAME_ADDRESSES][INET6_ADDRSTRLEN];
	unsigned	 n;
} asked;

static void	*look_up(void *);

void
redis_name_ask(const char *host)
{
	pthread_attr_t	 attr;
	pthread_t	 thread;
	sigset_t	 all, before;

	if (atomic_load(&asked.busy))
		return;
	asked.host = host;
	asked.n = 0;
	atomic_store(&asked.busy, true);
	(void)sigfillset(&all);
	if (pthread_attr_init(&attr) != 0 ||
	    pthread_attr_setstacksize(&attr, STACK_BYTES) != 0 ||
	    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) != 0 ||
	    pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		abort();
	/* Without a thread nothing is found, and the next try asks again. */
	if (pthread_create(&thread, &attr, look_up, NULL) != 0)
		atomic_store(&asked.busy, false);
	if (pthread_sigmask(SIG_SETMASK, &before, NULL) != 0)
		abort();
	(void)pthread_attr_destroy(&attr);
}

bool
redis_name_found(unsigned which, const char **ret_address)
{
	if (atomic_load(&asked.busy))
		return (false);
	*ret_address = asked.n == 0 ? NULL : asked.found[which % asked.n];
	return (true);
}

static void *
look_up(void *unused)
{
	const struct addrinfo	 hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo		*list = NULL, *one;

	(void)unused;
	if (getaddrinfo(asked.host, NULL, &hints, &list) == 0)
		for (one = list; one != NULL &&
		    asked.n < REDIS_NAME_ADDRESSES; one = one->ai_next)
			if (getnameinfo(one->ai_addr, one->ai_addrlen,
			    asked.found[asked.n], INET6_ADDRSTRLEN, NULL, 0,
			    NI_NUMERICHOST) == 0)
				asked.n++;
	if (list != NULL)
		freeaddrinfo(list);
	atomic_store(&asked.busy, false);
	return (NULL);
}
