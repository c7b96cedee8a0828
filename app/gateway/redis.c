/*
 * See redis.h.  hiredis frees its context by itself when a connection ends, and
 * answers all that waits with NULL before; so on_reply() and on_cleanup() may
 * be the first to hear of it, and after each call into hiredis the context may
 * be gone (conn.ac).
 */
#include "gateway/redis.h"

#include <arpa/inet.h>
#include <assert.h>

#include <hiredis/async.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "crypto/token.h"
#include "gateway/redis_name.h"
#include "gateway/redis_wire.h"

/* Timers of whole milliseconds may come so much too early. */
#define EARLY_US	2000
#define NAME_POLL_MS	10u	/* how often a name is asked after */

enum state {
	AWAY,		/* until due_at, then connects */
	NAMING,		/* until the name is found */
	GREETING,	/* connects, and tries it out */
	UP,
};

static struct {
	enum state		 state;
	redisAsyncContext	*ac;		/* NULL: none */
	const struct redis_url	*url;
	const struct redis_loop	*loop;
	unsigned		 wait_ms, retry_ms;
	int64_t			 due_at;	/* monotonic; not UP */
	int64_t			 hello_until;	/* NAMING, GREETING */
	int64_t			 away_since, heard_at;
	unsigned		 tries;		/* which address is next */
	bool			 wants_write, watched_write, timed;
	char			 installation[REDIS_INSTALLATION];
	char			 sha[REDIS_SHA];
	char			 told[REDIS_WHY_MAX];	/* "": nothing yet */
	struct redis_ask	*first, *last;
	unsigned		 asks;
} conn;

static void	 link_begin(void);
static void	 link_connect(const char *address);
static void	 link_greet(void);
static void	 link_lose(const char *why);
static void	 link_gone(const char *why);
static void	 link_up(void);
static void	 link_in(unsigned ms);
static void	 on_hello(redisAsyncContext *, void *reply, void *what);
static void	 on_reply(redisAsyncContext *, void *reply, void *ask);
static void	 on_add_write(void *);
static void	 on_del_write(void *);
static void	 on_read(void *);
static void	 on_cleanup(void *);
static const char *why_of(const redisAsyncContext *);
static struct redis_ask *ask_new(const struct limit_ask *);
static bool	 ask_send(struct redis_ask *, const char *sha);
static void	 ask_end(struct redis_ask *, bool told);
static void	 asks_due(void);

void
redis_start(const struct redis_url *url, const char *public_url,
    unsigned wait_ms, const struct redis_loop *loop)
{
	memset(&conn, 0, sizeof(conn));
	conn.url = url;
	conn.loop = loop;
	conn.wait_ms = wait_ms;
	conn.retry_ms = REDIS_RETRY_MIN_MS;
	conn.away_since = clock_monotonic();
	redis_installation(conn.installation, public_url);
	link_begin();
}

void
redis_end(void)
{
	redisAsyncContext	*ac = conn.ac;

	conn.state = AWAY;
	conn.due_at = INT64_MAX;
	if (ac != NULL)
		redisAsyncFree(ac);
}

bool
redis_up(void)
{
	return (conn.state == UP);
}

struct redis_count
redis_count(void)
{
	return ((struct redis_count){ .up = conn.state == UP,
	    .away_us = conn.state == UP ? 0 :
	    clock_monotonic() - conn.away_since });
}

struct redis_ask *
redis_ask(const struct limit_ask *what, void (*done)(void *), void *arg)
{
	struct redis_ask	*ask;

	if (conn.state != UP || conn.asks >= REDIS_ASKS_MAX)
		return (NULL);
	ask = ask_new(what);
	if (!ask_send(ask, conn.sha)) {
		ask_end(ask, false);
		free(ask);
		return (NULL);
	}
	ask->done = done;
	ask->arg = arg;
	return (ask);
}

void
redis_leave(struct redis_ask *ask)
{
	ask->done = NULL;
	ask->left = true;
	if (!ask->sent)
		free(ask);
}

/* Written at once, so that the loop is asked only for what doesn't fit. */
void
redis_turn(void)
{
	if (conn.ac == NULL || !conn.wants_write || conn.watched_write)
		return;
	if ((conn.ac->c.flags & REDIS_CONNECTED) != 0)
		redisAsyncHandleWrite(conn.ac);
	if (conn.ac != NULL && conn.wants_write) {
		conn.watched_write = true;
		conn.loop->watch(conn.ac->c.fd, true);
	}
}

void
redis_event(void)
{
	if (conn.ac != NULL)
		redisAsyncHandleRead(conn.ac);
	if (conn.ac != NULL && conn.wants_write)
		redisAsyncHandleWrite(conn.ac);
	if (conn.ac != NULL && conn.watched_write && !conn.wants_write) {
		conn.watched_write = false;
		conn.loop->watch(conn.ac->c.fd, false);
	}
}

void
redis_tick(void)
{
	struct limit_ask	 trial;
	struct redis_ask	*ask;

	if (conn.state != UP || conn.first != NULL ||
	    clock_monotonic() - conn.heard_at < REDIS_IDLE_US)
		return;
	redis_trial(&trial);
	ask = redis_ask(&trial, NULL, NULL);
	if (ask != NULL)
		redis_leave(ask);
}

void
redis_due(enum redis_timer timer)
{
	int64_t		 now = clock_monotonic();
	const char	*address;

	if (timer == REDIS_TIMER_ASKS) {
		asks_due();
		return;
	}
	/* A timer of what has ended meanwhile. */
	if (conn.state == UP || now + EARLY_US < conn.due_at)
		return;
	switch (conn.state) {
	case AWAY:
		link_begin();
		break;
	case NAMING:
		if (!redis_name_found(conn.tries, &address)) {
			if (now < conn.hello_until)
				link_in(NAME_POLL_MS);
			else
				link_gone("its name can't be looked up in "
				    "time");
		} else if (address == NULL) {
			link_gone("its name is not known");
		} else {
			link_connect(address);
		}
		break;
	case GREETING:
		link_lose("it does not answer in time");
		break;
	case UP:
		break;
	}
}

static void
link_begin(void)
{
	unsigned char	 unused[16];

	conn.tries++;
	conn.hello_until = clock_monotonic() + REDIS_HELLO_MS * 1000;
	if (conn.url->host[0] == '\0' ||
	    inet_pton(AF_INET, conn.url->host, unused) == 1 ||
	    inet_pton(AF_INET6, conn.url->host, unused) == 1) {
		link_connect(conn.url->host);
		return;
	}
	redis_name_ask(conn.url->host);
	conn.state = NAMING;
	link_in(NAME_POLL_MS);
}

static void
link_connect(const char *address)
{
	redisAsyncContext	*ac;
	char			 why[REDIS_WHY_MAX];

	conn.state = GREETING;
	ac = address[0] == '\0' ? redisAsyncConnectUnix(conn.url->path) :
	    redisAsyncConnect(address, conn.url->port);
	if (ac == NULL || ac->err != 0) {
		(void)snprintf(why, sizeof(why), "%s", ac == NULL ?
		    "out of memory" : ac->errstr);
		if (ac != NULL)
			redisAsyncFree(ac);
		link_gone(why);
		return;
	}
	conn.ac = ac;
	conn.wants_write = conn.watched_write = false;
	ac->ev.addRead = on_read;
	ac->ev.delRead = on_read;
	ac->ev.addWrite = on_add_write;
	ac->ev.delWrite = on_del_write;
	ac->ev.cleanup = on_cleanup;
	link_greet();
	link_in(REDIS_HELLO_MS);
}

/* All at once; the first that goes wrong ends it. */
static void
link_greet(void)
{
	static struct redis_args	 args;
	static char			 auth[] = "AUTH", pick[] = "SELECT",
					 load[] = "SCRIPT", trial[] = "EVAL";
	const struct redis_url		*url = conn.url;
	redisAsyncContext		*ac = conn.ac;
	struct limit_ask		 what;

	if (url->password[0] != '\0' && url->user[0] != '\0')
		(void)redisAsyncCommand(ac, on_hello, auth, "AUTH %s %s",
		    url->user, url->password);
	else if (url->password[0] != '\0')
		(void)redisAsyncCommand(ac, on_hello, auth, "AUTH %s",
		    url->password);
	if (url->database != 0)
		(void)redisAsyncCommand(ac, on_hello, pick, "SELECT %u",
		    url->database);
	(void)redisAsyncCommand(ac, on_hello, load, "SCRIPT LOAD %s",
	    redis_script());
	redis_trial(&what);
	redis_args(&args, conn.installation, &what, NULL);
	(void)redisAsyncCommandArgv(ac, on_hello, trial, args.n, args.text,
	    args.bytes);
}

static void
on_hello(redisAsyncContext *ac, void *answered, void *what)
{
	const redisReply	*reply = answered;
	struct limit_answer	 unused;
	char			 why[REDIS_WHY_MAX];

	if (reply == NULL) {
		link_gone(why_of(ac));
		return;
	}
	if (conn.ac != ac || conn.state != GREETING)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		/* Redis' own words; a password is not in them. */
		(void)snprintf(why, sizeof(why), "%s: %s", (char *)what,
		    reply->str);
		link_lose(why);
	} else if (str_eq(what, "SCRIPT")) {
		if (reply->type == REDIS_REPLY_STRING &&
		    reply->len == REDIS_SHA - 1)
			memcpy(conn.sha, reply->str, REDIS_SHA);
		else
			link_lose("SCRIPT: what it says is not understood");
	} else if (str_eq(what, "EVAL")) {
		if (redis_answer(reply, 1, &unused))
			link_up();
		else
			link_lose("EVAL: what it says is not understood");
	}
}

static void
link_up(void)
{
	int64_t	 now = clock_monotonic();

	conn.state = UP;
	conn.retry_ms = REDIS_RETRY_MIN_MS;
	conn.heard_at = now;
	/* What is well from the start needs no word. */
	if (conn.told[0] != '\0')
		log_event(LOG_LEVEL_WARN, "redis_back", "where",
		    conn.url->where, "away_ms",
		    LOG_NUM((now - conn.away_since) / 1000), NULL);
	conn.told[0] = '\0';
}

/* Everything that waits is answered with NULL, here or when hiredis is out of
 * the callback that it is in. */
static void
link_lose(const char *why)
{
	redisAsyncContext	*ac = conn.ac;

	link_gone(why);
	if (ac != NULL)
		redisAsyncFree(ac);
}

/* Once each time: the next try is in a moment, and the log has it, if it is
 * not what it has said already. */
static void
link_gone(const char *why)
{
	unsigned	 half = conn.retry_ms / 2;
	uint32_t	 random;

	if (conn.state == AWAY)
		return;
	if (conn.state == UP)
		conn.away_since = clock_monotonic();
	conn.state = AWAY;
	random_bytes(&random, sizeof(random));
	link_in(half + random % (half + 1));
	conn.retry_ms *= 2;
	if (conn.retry_ms > REDIS_RETRY_MAX_MS)
		conn.retry_ms = REDIS_RETRY_MAX_MS;
	if (str_eq(conn.told, why))
		return;
	(void)snprintf(conn.told, sizeof(conn.told), "%s", why);
	log_event(LOG_LEVEL_WARN, "redis_away", "where", conn.url->where,
	    "why", conn.told, "then", "this portal's share of each rate "
	    "applies", NULL);
}

static void
link_in(unsigned ms)
{
	conn.due_at = clock_monotonic() + (int64_t)ms * 1000;
	conn.loop->call_in(REDIS_TIMER_LINK, ms);
}

static void
on_reply(redisAsyncContext *ac, void *answered, void *arg)
{
	const redisReply	*reply = answered;
	struct redis_ask	*ask = arg;
	bool			 told = false;
	char			 why[REDIS_WHY_MAX];

	ask->sent = false;
	conn.heard_at = clock_monotonic();
	if (reply == NULL) {
		link_gone(why_of(ac));
	} else if (conn.state == UP && reply->type == REDIS_REPLY_ERROR &&
	    str_starts(reply->str, "NOSCRIPT")) {
		/* It forgot: the whole script, which it keeps then. */
		if (ask_send(ask, NULL))
			return;
	} else if (reply->type == REDIS_REPLY_ERROR) {
		(void)snprintf(why, sizeof(why), "EVALSHA: %s", reply->str);
		link_lose(why);
	} else {
		told = redis_answer(reply, ask->what.n, &ask->answer);
		if (!told)
			link_lose("EVALSHA: what it says is not understood");
	}
	if (ask->state == REDIS_WAITS)
		ask_end(ask, told);
	if (ask->left)
		free(ask);
}

static void
on_add_write(void *unused)
{
	(void)unused;
	conn.wants_write = true;
}

static void
on_del_write(void *unused)
{
	(void)unused;
	conn.wants_write = false;
}

/* It is watched for reading from its beginning to its end. */
static void
on_read(void *unused)
{
	(void)unused;
}

static void
on_cleanup(void *unused)
{
	redisAsyncContext	*ac = conn.ac;

	(void)unused;
	conn.ac = NULL;
	conn.wants_write = conn.watched_write = false;
	link_gone(why_of(ac));
}

static const char *
why_of(const redisAsyncContext *ac)
{
	return (ac->errstr != NULL && ac->errstr[0] != '\0' ? ac->errstr :
	    "the connection was closed");
}

static struct redis_ask *
ask_new(const struct limit_ask *what)
{
	struct redis_ask	*ask = calloc(1, sizeof(*ask));

	if (ask == NULL)
		abort();
	ask->what = *what;
	ask->since = clock_monotonic();
	ask->prev = conn.last;
	if (conn.last != NULL)
		conn.last->next = ask;
	else
		conn.first = ask;
	conn.last = ask;
	conn.asks++;
	if (!conn.timed) {
		conn.timed = true;
		conn.loop->call_in(REDIS_TIMER_ASKS, conn.wait_ms);
	}
	return (ask);
}

static bool
ask_send(struct redis_ask *ask, const char *sha)
{
	static struct redis_args	 args;

	redis_args(&args, conn.installation, &ask->what, sha);
	ask->sent = redisAsyncCommandArgv(conn.ac, on_reply, ask, args.n,
	    args.text, args.bytes) == REDIS_OK;
	return (ask->sent);
}

static void
ask_end(struct redis_ask *ask, bool told)
{
	ask->state = told ? REDIS_TOLD : REDIS_LOST;
	if (ask->prev != NULL)
		ask->prev->next = ask->next;
	else
		conn.first = ask->next;
	if (ask->next != NULL)
		ask->next->prev = ask->prev;
	else
		conn.last = ask->prev;
	conn.asks--;
	if (ask->done != NULL)
		ask->done(ask->arg);
}

/* Read first: it may be this worker that was held up, and the answer there. */
static void
asks_due(void)
{
	int64_t	 wait_us = (int64_t)conn.wait_ms * 1000, left;

	conn.timed = false;
	if (conn.first == NULL)
		return;
	if (clock_monotonic() + EARLY_US >= conn.first->since + wait_us &&
	    conn.ac != NULL)
		redis_event();
	if (conn.first == NULL)
		return;
	left = conn.first->since + wait_us - clock_monotonic();
	if (left <= EARLY_US) {
		link_lose("a check was not answered in time");
		return;
	}
	conn.timed = true;
	conn.loop->call_in(REDIS_TIMER_ASKS, (unsigned)(left / 1000) + 1);
}
