/*
 * See wait.h.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "db/pool.h"
#include "gateway/redis.h"
#include "gateway/wait.h"
#include "gateway/watch.h"
#include "run/co.h"

/* Reads at once in a worker, and a call's own turns: key, user, and one more
 * for what went in between. */
#define READS_MAX	256u
#define TURNS_MAX	4u
#define READ_ARENA_MAX	(512u * 1024)	/* a set's text has 1.7 MB at most in
					 * theory, some kB in fact */

struct visit {			/* one that waits, or has */
	struct http_request	*kore;
	struct read		*read;		/* NULL: none, or it has ended */
	struct redis_ask	*ask;		/* NULL: none yet */
	struct visit		*next;
	int64_t			 since;
	unsigned		 turns;		/* reads that it waited for */
	bool			 unreadable;
};

struct read {			/* what they wait for */
	struct read		*next;
	struct arena		*arena;
	struct visit		*visits;
	enum check_need		 kind;
	unsigned char		 hash[HASH_SHORT_BYTES], mac[SHA256_BYTES];
	struct user_key		 user_key;
	const char		*token;		/* CHECK_TOKEN; in the arena */
	bool			 failed;
};

static struct read	*reads;
static unsigned		 reads_n;
static struct limit_ask	 asking;	/* until it is copied */

static void	 ask_whom(struct check *, const struct visit *);
static bool	 run(struct http_request *, struct check *);
static bool	 wait_for_read(struct http_request *, const struct check *);
static bool	 wait_for_redis(struct http_request *, const struct check *);
static void	 redis_done(void *);
static struct visit *visit_of(struct http_request *, const struct check *);
static struct read *read_of(const struct check *);
static void	 read_run(void *);
static void	 read_failed(void *, enum db_failure, const char *);
static void	 read_end(struct read *);
static void	 visit_gone(struct http_request *);

bool
wait_run(struct http_request *kore, struct check *check)
{
	const struct visit	*v = kore->hdlr_extra;

	check->since = v != NULL ? v->since : clock_monotonic();
	check->unreadable = v != NULL && v->unreadable;
	ask_whom(check, v);
	return (run(kore, check));
}

bool
wait_was_read(const struct http_request *kore)
{
	const struct visit	*v = kore->hdlr_extra;

	return (v != NULL && v->turns > 0);
}

static void
ask_whom(struct check *check, const struct visit *v)
{
	struct redis_ask	*ask = v != NULL ? v->ask : NULL;

	check->portals = (uint32_t)setting->gateway_portals;
	check->by = check->portals > 1 ? CHECK_BY_SHARE : CHECK_BY_US;
	if (!setting->redis)
		return;
	if (ask != NULL && ask->state == REDIS_TOLD) {
		check->by = CHECK_TOLD;
		check->asked = &ask->what;
		check->answer = &ask->answer;
	} else if (ask == NULL && redis_up()) {
		check->by = CHECK_BY_REDIS;
		check->asked = &asking;
	}
}

static bool
run(struct http_request *kore, struct check *check)
{
	for (;;) {
		check_run(check, clock_now(), setting->grace_s * SECOND_US);
		switch (check->need) {
		case CHECK_DONE:
			return (true);
		case CHECK_KEY:
		case CHECK_TOKEN:
		case CHECK_USER:
			if (wait_for_read(kore, check))
				return (false);
			/* It can't be read: what is known may do. */
			check->unreadable = true;
			break;
		case CHECK_LIMITS:
			if (wait_for_redis(kore, check))
				return (false);
			check->by = check->portals > 1 ? CHECK_BY_SHARE :
			    CHECK_BY_US;
			break;
		}
	}
}

/* False: it is not to be waited for. */
static bool
wait_for_read(struct http_request *kore, const struct check *check)
{
	struct visit	*v = kore->hdlr_extra;
	struct read	*r;

	if (v != NULL && v->turns >= TURNS_MAX)
		return (false);
	r = read_of(check);
	if (r == NULL)
		return (false);
	v = visit_of(kore, check);
	v->turns++;
	v->read = r;
	v->next = r->visits;
	r->visits = v;
	http_request_sleep(kore);
	return (true);
}

static bool
wait_for_redis(struct http_request *kore, const struct check *check)
{
	struct visit		*v;
	struct redis_ask	*ask = redis_ask(check->asked, redis_done,
				    kore);

	if (ask == NULL)
		return (false);
	v = visit_of(kore, check);
	v->ask = ask;
	http_request_sleep(kore);
	return (true);
}

static void
redis_done(void *arg)
{
	struct http_request	*kore = arg;
	const struct visit	*v = kore->hdlr_extra;

	watch_redis(clock_monotonic() - v->ask->since);
	http_request_wakeup(kore);
}

static struct visit *
visit_of(struct http_request *kore, const struct check *check)
{
	struct visit	*v = kore->hdlr_extra;

	if (v != NULL)
		return (v);
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		abort();
	v->kore = kore;
	v->since = check->since;
	kore->hdlr_extra = v;
	kore->flags |= HTTP_REQUEST_RETAIN_EXTRA;
	kore->onfree = visit_gone;
	return (v);
}

/* The one under way, or a new one; NULL: there can't be one. */
static struct read *
read_of(const struct check *check)
{
	struct read	*r;

	for (r = reads; r != NULL; r = r->next)
		if (r->kind == check->need && (r->kind != CHECK_USER ?
		    bytes_eq(r->hash, check->hash, sizeof(r->hash)) :
		    bytes_eq(&r->user_key, &check->user_key,
		    sizeof(r->user_key))))
			return (r);
	if (reads_n >= READS_MAX || !pool_up())
		return (NULL);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	r->kind = check->need;
	memcpy(r->hash, check->hash, sizeof(r->hash));
	memcpy(r->mac, check->mac, sizeof(r->mac));
	r->user_key = check->user_key;
	r->arena = arena_new(READ_ARENA_MAX, NULL, NULL);
	if (r->kind == CHECK_TOKEN)
		r->token = arena_strdup(r->arena, check->call->token);
	r->next = reads;
	reads = r;
	reads_n++;
	if (!co_start(read_run, r)) {
		reads = r->next;
		reads_n--;
		arena_free(r->arena);
		free(r);
		return (NULL);
	}
	/* It may have failed at once. */
	return (reads == r ? r : NULL);
}

static WAITS void
read_run(void *arg)
{
	struct read	*r = arg;
	struct db	*db = pool_handle(r->arena, read_failed, r);

	if (r->kind == CHECK_KEY)
		gateway_db_key(db, r->hash, r->mac);
	else if (r->kind == CHECK_TOKEN)
		gateway_db_token(db, r->hash, r->token);
	else
		gateway_db_user(db, &r->user_key);
	read_end(r);
}

static void
read_failed(void *arg, enum db_failure failure, const char *why)
{
	struct read	*r = arg;

	log_event(failure == DB_FAIL_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    "gateway_read", "why", why, NULL);
	r->failed = true;
	read_end(r);
	co_exit();
}

static void
read_end(struct read *r)
{
	struct read	**link = &reads;
	struct visit	 *v, *next;

	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	reads_n--;
	for (v = r->visits; v != NULL; v = next) {
		next = v->next;
		v->read = NULL;
		v->next = NULL;
		v->unreadable = r->failed;
		http_request_wakeup(v->kore);
	}
	arena_free(r->arena);
	free(r);
}

/* Answered, or hung up while it waited. */
static void
visit_gone(struct http_request *kore)
{
	struct visit	 *v = kore->hdlr_extra;
	struct visit	**link;

	if (v == NULL)
		return;
	kore->hdlr_extra = NULL;
	if (v->read != NULL) {
		for (link = &v->read->visits; *link != v;
		    link = &(*link)->next)
			continue;
		*link = v->next;
	}
	if (v->ask != NULL)
		redis_leave(v->ask);
	free(v);
}
