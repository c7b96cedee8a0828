/*
 * Two queues (favoured jobs go first), a few threads that take from them, and
 * an eventfd by which they tell the event loop that jobs are done.  A job lies
 * on the stack of the coroutine that waits for it: that stays until the job is
 * done, since a coroutine is never ended from outside.
 */
#include "run/work.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "run/co.h"

#define NICE		10	/* threads give way to the event loop */
#define STACK_BYTES	(256u * 1024)	/* Argon2's blocks are on the heap */

struct job {
	void		(*fn)(void *);
	void		*arg;
	struct co	*co;
	bool		 done;
	struct job	*next;
};

struct queue {
	struct job	*head, **tail;
};

static pthread_mutex_t	lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t	more = PTHREAD_COND_INITIALIZER;
/* Under the lock: */
static struct queue	favoured = { NULL, &favoured.head };
static struct queue	usual = { NULL, &usual.head };
static struct queue	finished = { NULL, &finished.head };
static unsigned		waiting;	/* in favoured and usual */
static int		nice_error;	/* why a thread has usual priority */
/* Of the event loop: */
static unsigned		threads;
static int		bell = -1;

static void	*thread_main(void *);
static void	 queue_add(struct queue *, struct job *);
static struct job *queue_take(struct queue *);

void
work_setup(unsigned count, void (*watch)(int fd))
{
	pthread_attr_t	 attr;
	pthread_t	 thread;
	sigset_t	 all, before;

	assert(threads == 0 && count > 0);
	bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (bell == -1 || pthread_attr_init(&attr) != 0 ||
	    pthread_attr_setstacksize(&attr, STACK_BYTES) != 0 ||
	    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) != 0)
		abort();
	/* Signals belong to the event loop: threads inherit the full mask. */
	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		abort();
	for (threads = 0; threads < count; threads++)
		if (pthread_create(&thread, &attr, thread_main, NULL) != 0)
			abort();
	if (pthread_sigmask(SIG_SETMASK, &before, NULL) != 0)
		abort();
	(void)pthread_attr_destroy(&attr);
	watch(bell);
}

void
work_finish(void)
{
	struct job	*job;
	uint64_t	 rings;
	int		 error;

	/* Emptied first: what is finished from here on rings again. */
	if (read(bell, &rings, sizeof(rings)) == -1 && errno != EAGAIN &&
	    errno != EINTR)
		abort();
	for (;;) {
		(void)pthread_mutex_lock(&lock);
		job = queue_take(&finished);
		error = nice_error;
		nice_error = 0;
		(void)pthread_mutex_unlock(&lock);
		if (error != 0)
			log_event(LOG_LEVEL_WARN, "work_priority", "why",
			    strerror(error), NULL);
		if (job == NULL)
			return;
		job->done = true;
		co_resume(job->co);
	}
}

bool
work_run(void (*fn)(void *), void *arg, bool is_favoured)
{
	struct job	 job = { .fn = fn, .arg = arg, .co = co_current() };
	bool		 full;

	if (job.co == NULL || threads == 0) {
		/* A tool or a test: nobody else waits for this thread. */
		fn(arg);
		return (true);
	}
	(void)pthread_mutex_lock(&lock);
	full = waiting >= (is_favoured ? WORK_QUEUE_MAX : WORK_QUEUE_MAX - 1);
	if (!full) {
		queue_add(is_favoured ? &favoured : &usual, &job);
		waiting++;
		(void)pthread_cond_signal(&more);
	}
	(void)pthread_mutex_unlock(&lock);
	if (full)
		return (false);
	while (!job.done)
		co_wait();
	return (true);
}

static void *
thread_main(void *unused)
{
	struct job	*job;
	uint64_t	 one = 1;
	int		 error = 0, nice;

	/* On Linux a thread has a priority of its own; 19 is the lowest. */
	nice = getpriority(PRIO_PROCESS, 0) + NICE;
	if (setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid),
	    nice < 19 ? nice : 19) != 0)
		error = errno;
	(void)pthread_mutex_lock(&lock);
	if (error != 0)
		nice_error = error;
	for (;;) {
		while ((job = queue_take(&favoured)) == NULL &&
		    (job = queue_take(&usual)) == NULL)
			(void)pthread_cond_wait(&more, &lock);
		waiting--;
		(void)pthread_mutex_unlock(&lock);
		job->fn(job->arg);
		(void)pthread_mutex_lock(&lock);
		queue_add(&finished, job);
		/* Can't block: the counter holds 2^64 - 2 rings. */
		if (write(bell, &one, sizeof(one)) != sizeof(one))
			abort();
	}
	return (unused);
}

static void
queue_add(struct queue *queue, struct job *job)
{
	job->next = NULL;
	*queue->tail = job;
	queue->tail = &job->next;
}

static struct job *
queue_take(struct queue *queue)
{
	struct job	*job = queue->head;

	if (job == NULL)
		return (NULL);
	queue->head = job->next;
	if (queue->head == NULL)
		queue->tail = &queue->head;
	return (job);
}
