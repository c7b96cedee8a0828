/*
 * Limits counted by Redis, a real one on a Unix socket, with an event loop of
 * poll() in place of Kore's: its script decides as limit.c does; and what
 * becomes of those who wait when it goes away.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/str.h"
#include "crypto/token.h"
#include "gateway/redis.h"
#include "gateway/redis_wire.h"

#define PORTAL		"https://portal.example"
#define PASSWORD	"a:b@c/d e%"
#define WAIT_MS		2000u	/* the machine may be busy */
#define TIMERS		64u
#define LONG_US		(20 * SECOND_US)

static char		 folder[] = "/tmp/latchkey-redis-XXXXXX";
static char		 path[64];
static struct redis_url	 url;
static pid_t		 server;
static redisContext	*direct;	/* past the connection */
static struct limits	 said;

/* ---- the event loop ---- */

static struct pollfd	 watched = { .fd = -1 };
static struct timer {
	int64_t			 at;	/* 0: free */
	enum redis_timer	 what;
} timers[TIMERS];

static void
watch(int fd, bool write)
{
	watched.fd = fd;
	watched.events = (short)(POLLIN | (write ? POLLOUT : 0));
}

static void
call_in(enum redis_timer what, unsigned ms)
{
	unsigned	 i;

	for (i = 0; i < TIMERS && timers[i].at != 0; i++)
		continue;
	assert_true(i < TIMERS);
	timers[i] = (struct timer){ clock_monotonic() + (int64_t)ms * 1000,
	    what };
}

static void
turn(void)
{
	struct pollfd	 now;
	unsigned	 i;

	redis_tick();
	redis_turn();
	now = watched;
	(void)poll(&now, 1, 2);
	if ((now.revents & POLLNVAL) != 0)
		watched.fd = -1;
	else if (now.revents != 0)
		redis_event();
	for (i = 0; i < TIMERS; i++)
		if (timers[i].at != 0 && timers[i].at <= clock_monotonic()) {
			timers[i].at = 0;
			redis_due(timers[i].what);
		}
}

static void
until_up(bool up)
{
	int64_t	 end = clock_monotonic() + LONG_US;

	while (redis_up() != up) {
		assert_true(clock_monotonic() < end);
		turn();
	}
}

/* ---- the server ---- */

static void
server_start(void)
{
	struct timeval	 wait = { .tv_sec = 5 };
	int64_t		 end = clock_monotonic() + LONG_US;

	server = child_fork();
	assert_true(server >= 0);
	if (server == 0) {
		(void)execlp("redis-server", "redis-server", "--port", "0",
		    "--unixsocket", path, "--dir", folder, "--save", "",
		    "--appendonly", "no", "--logfile", "redis.log",
		    "--requirepass", PASSWORD, NULL);
		_exit(127);
	}
	for (;;) {
		direct = redisConnectUnixWithTimeout(path, wait);
		assert_non_null(direct);
		if (direct->err == 0)
			break;
		redisFree(direct);
		assert_true(clock_monotonic() < end);
		(void)poll(NULL, 0, 5);
	}
	freeReplyObject(redisCommand(direct, "AUTH %s", PASSWORD));
}

static void
server_end(void)
{
	int	 status;

	redisFree(direct);
	direct = NULL;
	(void)kill(server, SIGKILL);
	assert_int_equal(waitpid(server, &status, 0), server);
}

/* Redis says OK, or a number. */
static long long
ask_direct(const char *command)
{
	redisReply	*reply = redisCommand(direct, command);
	long long	 number;

	assert_non_null(reply);
	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	number = reply->integer;
	freeReplyObject(reply);
	return (number);
}

static int
begin(void **state)
{
	static const struct redis_loop	 loop = { watch, call_in };
	char				 text[256];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	crypto_init();
	limit_setup(4096);
	if (mkdtemp(folder) == NULL)
		return (1);
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	server_start();
	(void)snprintf(text, sizeof(text),
	    "unix://:a%%3Ab%%40c%%2Fd%%20e%%25@%s?db=3", path);
	assert_null(redis_url_read(&url, text));
	redis_start(&url, PORTAL, WAIT_MS, &loop);
	return (0);
}

static int
end(void **state)
{
	char	 log[80];

	(void)state;
	redis_end();
	server_end();
	limit_end();
	(void)snprintf(log, sizeof(log), "%s/redis.log", folder);
	(void)unlink(log);
	(void)unlink(path);
	return (rmdir(folder));
}

/* ---- tests ---- */

static struct limit_ids
somebody(void)
{
	static unsigned char	 id[4][LIMIT_ID];
	char			 text[UUID_TEXT];
	size_t			 i;

	for (i = 0; i < COUNT(id); i++) {
		uuid_make(text);
		assert_true(uuid_read(id[i], text));
	}
	return ((struct limit_ids){ .subscription = id[0], .tenant = id[1],
	    .user = id[2], .key = id[3] });
}

static uint32_t
below(uint32_t n)
{
	uint32_t	 random;

	random_bytes(&random, sizeof(random));
	return (random % n);
}

/* The script at a time of ours. */
static void
run_script(const struct limit_ask *ask, int64_t now,
    struct limit_answer *ret_answer)
{
	static struct redis_args	 args;
	static char			 text[4096];
	const char			*all[REDIS_ARGS_MAX + 2];
	char				 sec[24], us[24];
	redisReply			*reply;
	int				 i;

	(void)snprintf(text, sizeof(text), "local sec, us = "
	    "tonumber(ARGV[#ARGV - 1]), tonumber(ARGV[#ARGV])\n%s",
	    redis_script_rest);
	redis_args(&args, "test", ask, NULL);
	for (i = 0; i < args.n; i++)
		all[i] = i == 1 ? text : args.text[i];
	(void)snprintf(sec, sizeof(sec), "%lld", (long long)(now / SECOND_US));
	(void)snprintf(us, sizeof(us), "%lld", (long long)(now % SECOND_US));
	all[i] = sec;
	all[i + 1] = us;
	reply = redisCommandArgv(direct, args.n + 2, all, NULL);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s", reply->str);
	assert_true(redis_answer(reply, ask->n, ret_answer));
	freeReplyObject(reply);
	assert_int_equal(ret_answer->now, now);
}

static struct plan
some_plan(void)
{
	struct plan	 plan;
	uint32_t	*const fields[] = { &plan.second, &plan.minute,
		&plan.day, &plan.month, &plan.user_minute, &plan.key_minute,
		&plan.tenant_minute, &plan.tenant_day };
	static const uint32_t	 most[] = { 3, 40, 1000, 1000000000 };
	unsigned	 i;

	for (i = 0; i < COUNT(fields); i++)
		*fields[i] = below(3) == 0 ? 0 :
		    1 + below(most[below(10) == 0 ? 3 : below(3)]);
	return (plan);
}

/*
 * The same calls at the same times, to limit.c and to the script: every
 * verdict and every number that is said of a limit is the same.
 */
static void
test_decides_as_limit_c(void **state)
{
	int64_t			 base = clock_now() / DAY_US * DAY_US, now;
	struct limit_ids	 who;
	struct limit_ask	 ask;
	struct limit_answer	 answer;
	struct limits		 ours, theirs;
	struct plan		 plan;
	enum limit_verdict	 verdict;
	unsigned		 turns, calls, i, seen[LIMIT_UNKNOWN] = { 0 };

	(void)state;
	for (turns = 0; turns < 60; turns++) {
		who = somebody();
		plan = some_plan();
		now = base + (int64_t)turns * 40 * DAY_US;
		for (calls = 0; calls < 120; calls++) {
			/* In bursts, with pauses of all lengths between. */
			now += below(8) > 0 ? below(3) :
			    (int64_t)below(1u << below(31)) * (below(20) == 0 ?
			    1000 : 1);
			assert_int_equal(limit_prepare(&plan, &who, now,
			    now - base + SECOND_US, true, &ask), LIMIT_PASSED);
			if (ask.n == 0)
				break;
			run_script(&ask, now, &answer);
			verdict = limit_take(&plan, &who, now,
			    now - base + SECOND_US, true, &ours);
			assert_int_equal(limit_told(&ask, &answer,
			    now - base + SECOND_US, &theirs), verdict);
			seen[verdict]++;
			assert_int_equal(theirs.n, ours.n);
			assert_int_equal(theirs.retry_s, ours.retry_s);
			for (i = 0; i < ours.n; i++) {
				const struct limit_row	*one = &ours.rows[i],
							*two = &theirs.rows[i];

				assert_string_equal(two->name, one->name);
				assert_int_equal(two->quota, one->quota);
				assert_int_equal(two->window_s, one->window_s);
				assert_int_equal(two->left, one->left);
				assert_int_equal(two->reset_s, one->reset_s);
				assert_int_equal(two->full, one->full);
			}
		}
	}
	/* Or it would say nothing. */
	for (i = 0; i < COUNT(seen); i++)
		assert_true(seen[i] > 100);
}

static void
count_done(void *arg)
{
	++*(unsigned *)arg;
}

static struct redis_ask *
asked(const struct plan *plan, const struct limit_ids *who, unsigned *done)
{
	struct limit_ask	 ask;

	assert_int_equal(limit_prepare(plan, who, clock_now(),
	    clock_monotonic(), true, &ask), LIMIT_PASSED);
	return (redis_ask(&ask, count_done, done));
}

/* Asks and waits; false: Redis did not say. */
static bool
call(const struct plan *plan, const struct limit_ids *who,
    enum limit_verdict *ret_verdict)
{
	unsigned		 done = 0;
	struct redis_ask	*ask = asked(plan, who, &done);
	bool			 told;

	if (ask == NULL)
		return (false);
	while (done == 0)
		turn();
	told = ask->state == REDIS_TOLD;
	if (told)
		*ret_verdict = limit_told(&ask->what, &ask->answer,
		    clock_monotonic(), &said);
	redis_leave(ask);
	return (told);
}

static enum limit_verdict
called(const struct plan *plan, const struct limit_ids *who)
{
	enum limit_verdict	 verdict = LIMIT_UNKNOWN;

	assert_true(call(plan, who, &verdict));
	return (verdict);
}

static void
test_counts(void **state)
{
	const struct plan	 plan = { .second = 1000, .tenant_day = 3,
		.day = 5, .month = 1000 };
	struct limit_ids	 who = somebody();
	char			 installation[REDIS_INSTALLATION];
	char			 other[REDIS_INSTALLATION];
	char			 id[UUID_TEXT], key[REDIS_KEY_MAX + 8];
	int			 i;

	(void)state;
	until_up(true);
	for (i = 0; i < 3; i++)
		assert_int_equal(called(&plan, &who), LIMIT_PASSED);
	assert_int_equal(said.n, 4);
	assert_string_equal(said.rows[1].name, "day");
	assert_int_equal(said.rows[1].left, 2);
	assert_int_equal(called(&plan, &who), LIMIT_RATE);
	assert_true(said.rows[3].full);
	assert_int_equal(said.retry_s, said.rows[3].reset_s);
	/* What was refused was taken from none. */
	assert_int_equal(said.rows[1].left, 2);
	assert_int_equal(said.rows[2].left, 997);
	/* In the database of the address, under our name, with an end. */
	(void)ask_direct("SELECT 3");
	redis_installation(installation, "https://staging.example");
	memcpy(other, installation, sizeof(other));
	redis_installation(installation, PORTAL);
	assert_string_not_equal(installation, other);
	uuid_write(id, who.tenant);
	(void)snprintf(key, sizeof(key), "PTTL latchkey:%s:client-day:%s",
	    installation, id);
	assert_in_range(ask_direct(key), 1, 86400 * 1000 + 1000);
	uuid_write(id, who.subscription);
	(void)snprintf(key, sizeof(key), "PTTL latchkey:%s:month:%s",
	    installation, id);
	assert_in_range(ask_direct(key), 1, 32LL * 86400 * 1000);
}

/* All that wait are told, however many, in order. */
static void
test_many_at_once(void **state)
{
	const struct plan	 plan = { .tenant_day = 100 };
	struct limit_ids	 who = somebody();
	struct redis_ask	*asks[150];
	unsigned		 done = 0, i;

	(void)state;
	until_up(true);
	for (i = 0; i < COUNT(asks); i++) {
		asks[i] = asked(&plan, &who, &done);
		assert_non_null(asks[i]);
	}
	/* One hangs up. */
	redis_leave(asks[7]);
	while (done < COUNT(asks) - 1)
		turn();
	for (i = 0; i < COUNT(asks); i++) {
		if (i == 7)
			continue;
		assert_int_equal(asks[i]->state, REDIS_TOLD);
		assert_int_equal(asks[i]->answer.full, i < 100 ? 0 : 1);
		redis_leave(asks[i]);
	}
}

/* Redis may forget its scripts, and all it has counted. */
static void
test_forgets(void **state)
{
	const struct plan	 plan = { .day = 10, .tenant_day = 10 };
	struct limit_ids	 who = somebody();

	(void)state;
	until_up(true);
	assert_int_equal(called(&plan, &who), LIMIT_PASSED);
	(void)ask_direct("SCRIPT FLUSH");
	assert_int_equal(called(&plan, &who), LIMIT_PASSED);
	assert_int_equal(said.rows[1].left, 8);
	(void)ask_direct("FLUSHALL");
	(void)ask_direct("SCRIPT FLUSH");
	/* A rate begins anew; a quota is known here. */
	assert_int_equal(called(&plan, &who), LIMIT_PASSED);
	assert_int_equal(said.rows[1].left, 9);
	assert_int_equal(said.rows[0].left, 7);
	/* What the database has counted meanwhile is known as well. */
	limit_raise(who.subscription, &(struct limit_counts){
	    .day = limit_day(clock_now()), .day_calls = 10 });
	assert_int_equal(called(&plan, &who), LIMIT_QUOTA);
}

/* One that hangs holds nobody up for longer than the time that is stated, and
 * is used again when it goes on. */
static void
test_hangs(void **state)
{
	const struct plan	 plan = { .tenant_day = 100 };
	struct limit_ids	 who = somebody();
	enum limit_verdict	 verdict;
	struct limits		 own;

	(void)state;
	until_up(true);
	assert_int_equal(called(&plan, &who), LIMIT_PASSED);
	assert_int_equal(kill(server, SIGSTOP), 0);
	assert_false(call(&plan, &who, &verdict));
	assert_false(redis_up());
	assert_null(asked(&plan, &who, NULL));
	/* What Redis has counted is counted here. */
	assert_int_equal(limit_take(&plan, &who, clock_now(),
	    clock_monotonic(), true, &own), LIMIT_PASSED);
	assert_int_equal(own.rows[0].left, 98);
	assert_int_equal(kill(server, SIGCONT), 0);
	until_up(true);
	assert_int_equal(called(&plan, &who), LIMIT_PASSED);
	assert_in_range(said.rows[0].left, 97, 98);
}

static void
test_dies_and_comes_back(void **state)
{
	const struct plan	 plan = { .tenant_day = 100 };
	struct limit_ids	 who = somebody();
	struct redis_ask	*ask;
	unsigned		 done = 0;

	(void)state;
	until_up(true);
	assert_int_equal(kill(server, SIGSTOP), 0);
	ask = asked(&plan, &who, &done);
	redis_turn();
	server_end();
	while (done == 0)
		turn();
	assert_int_equal(ask->state, REDIS_LOST);
	redis_leave(ask);
	assert_true(redis_count().away_us > 0);
	server_start();
	until_up(true);
	assert_int_equal(redis_count().away_us, 0);
	assert_int_equal(called(&plan, &who), LIMIT_PASSED);
}

/* Whatever a check needs and Redis refuses is found before it is used. */
static void
test_refuses(void **state)
{
	const struct plan	 plan = { .tenant_day = 100 };
	struct limit_ids	 who = somebody();
	enum limit_verdict	 verdict;
	char			 why[REDIS_WHY_MAX];

	(void)state;
	until_up(true);
	(void)ask_direct("CONFIG SET maxmemory 1");
	assert_false(call(&plan, &who, &verdict));
	until_up(false);
	assert_false(redis_look(&url, PORTAL, why));
	assert_non_null(strstr(why, "OOM"));
	(void)ask_direct("CONFIG SET maxmemory 0");
	until_up(true);
	/* A replica; nobody is at its primary's address. */
	(void)ask_direct("REPLICAOF 127.0.0.1 1");
	assert_false(call(&plan, &who, &verdict));
	assert_false(redis_look(&url, PORTAL, why));
	assert_non_null(strstr(why, "READONLY"));
	(void)ask_direct("REPLICAOF NO ONE");
	until_up(true);
	assert_true(redis_look(&url, PORTAL, why));
	assert_int_equal(strspn(why, "0123456789."), strlen(why));
	assert_int_not_equal(strlen(why), 0);
}

static void
test_look(void **state)
{
	struct redis_url	 other = url;
	char			 why[REDIS_WHY_MAX];

	(void)state;
	(void)snprintf(other.password, sizeof(other.password), "wrong");
	assert_false(redis_look(&other, PORTAL, why));
	assert_non_null(strstr(why, "WRONGPASS"));
	other.password[0] = '\0';
	assert_false(redis_look(&other, PORTAL, why));
	assert_non_null(strstr(why, "NOAUTH"));
	(void)snprintf(other.path, sizeof(other.path), "%s/nowhere", folder);
	assert_false(redis_look(&other, PORTAL, why));
	assert_non_null(strstr(why, "No such file"));
}

static void
test_share(void **state)
{
	const struct plan	 plan = { .second = 10, .minute = 200,
		.day = 1000, .month = 3, .user_minute = 2,
		.tenant_minute = 7 };
	struct plan		 share = limit_share(&plan, 3);

	(void)state;
	assert_int_equal(share.second, 3);
	assert_int_equal(share.minute, 66);
	assert_int_equal(share.user_minute, 1);
	assert_int_equal(share.tenant_minute, 2);
	assert_int_equal(share.tenant_day, 0);
	/* Quotas are whole. */
	assert_int_equal(share.day, 1000);
	assert_int_equal(share.month, 3);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_decides_as_limit_c),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_forgets),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_dies_and_comes_back),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_share),
	};

	return (cmocka_run_group_tests(tests, begin, end));
}
