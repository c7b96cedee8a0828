/*
 * The pool against a real PostgreSQL (LATCHKEY_TEST_OWNER_URL), with
 * coroutines and an event loop of poll() in place of Kore's.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "db/pool.h"
#include "run/co.h"

#define NEVER	INT64_MAX

static const char	*url;
static struct arena	*arena;
static struct db	*direct;	/* past the pool */

/* ---- the event loop ---- */

static struct pollfd	 fds[POOL_CONNS];
static int64_t		 due[POOL_CONNS];
static int64_t		 next_tick;

static void
watch(unsigned index, int fd, bool write)
{
	unsigned	 i;

	/* As epoll does: a number stands for what it was opened for last. */
	for (i = 0; i < POOL_CONNS; i++)
		if (fds[i].fd == fd)
			fds[i].fd = -1;
	fds[index].fd = fd;
	fds[index].events = (short)(POLLIN | (write ? POLLOUT : 0));
}

static void
call_in(unsigned index, unsigned ms)
{
	assert_true(due[index] == NEVER);
	due[index] = clock_monotonic() + (int64_t)ms * 1000;
}

static void
turn(void)
{
	struct pollfd	 now[POOL_CONNS];
	int64_t		 at;
	unsigned	 i;

	pool_turn();
	memcpy(now, fds, sizeof(now));
	(void)poll(now, POOL_CONNS, 5);
	for (i = 0; i < POOL_CONNS; i++) {
		if ((now[i].revents & POLLNVAL) != 0)
			fds[i].fd = -1;		/* closed by libpq */
		else if (now[i].revents != 0)
			pool_event(i);
	}
	at = clock_monotonic();
	for (i = 0; i < POOL_CONNS; i++) {
		if (due[i] <= at) {
			due[i] = NEVER;
			pool_due(i);
		}
	}
	if (next_tick <= at) {
		next_tick = at + POOL_TICK_MS * 1000;
		pool_tick();
	}
}

#define turn_until(condition)	do {					\
	int64_t give_up_ = clock_monotonic() + 20 * SECOND_US;		\
									\
	while (!(condition)) {						\
		if (clock_monotonic() > give_up_)			\
			fail_msg("never came: %s", #condition);		\
		turn();							\
	}								\
} while (0)

/* ---- the ear ---- */

static struct {
	unsigned	 told, hears, deaf;
	char		 last[64];
} heard;

static void
on_told(const char *payload)
{
	heard.told++;
	(void)snprintf(heard.last, sizeof(heard.last), "%s", payload);
}

static void
on_hears(void)
{
	heard.hears++;
}

static void
on_deaf(void)
{
	heard.deaf++;
}

static const struct pool_ear	 ear = { "pool_ear", on_told, on_hears,
	on_deaf };

/* ---- a request ---- */

struct request {
	void		(*body)(struct request *);
	struct arena	*arena;
	struct db	*db;
	const char	*text;
	int64_t		 number;
	bool		 done, failed;
	enum db_failure	 failure;
	char		 why[128];
};

static unsigned		 ended;

static void
request_failed(void *arg, enum db_failure failure, const char *why)
{
	struct request	*rq = arg;

	rq->failed = true;
	rq->failure = failure;
	(void)snprintf(rq->why, sizeof(rq->why), "%s", why);
	ended++;
	arena_free(rq->arena);
	co_exit();
}

static void
request_main(void *arg)
{
	struct request	*rq = arg;

	rq->arena = arena_new(1024 * 1024, NULL, NULL);
	rq->db = pool_handle(rq->arena, request_failed, rq);
	rq->body(rq);
	rq->done = true;
	ended++;
	arena_free(rq->arena);
}

static void
request(struct request *rq, void (*body)(struct request *))
{
	rq->body = body;
	assert_true(co_start(request_main, rq));
}

static void
direct_failed(void *arg, enum db_failure failure, const char *why)
{
	(void)arg;
	(void)fprintf(stderr, "direct: %d: %s\n", (int)failure, why);
	abort();
}

static void
execute(const char *sql)
{
	const struct db_query	*query;

	query = arena_memdup(arena, &(struct db_query){ "once", sql },
	    sizeof(*query));
	assert_int_equal(db_write(direct, query, DB_NONE)->outcome, DB_OK);
}

/* Ends the pool's sessions, all or those that do something. */
static void
terminate_pool(const char *which)
{
	execute(arena_fmt(arena, "SELECT pg_terminate_backend(pid) FROM "
	    "pg_stat_activity WHERE application_name = 'pool_test %d' AND "
	    "%s", (int)getpid(), which));
}

/* ---- bodies ---- */

static void
doubles(struct request *rq)
{
	DB_QUERY(twice, "SELECT 2 * $1::bigint");
	DB_QUERY(plus, "SELECT 1 + $1::bigint");
	const struct db_rows	*rows;

	rows = db_read(rq->db, &twice, DB_ARGS(db_int(rq->db, rq->number)));
	rows = db_read(rq->db, &plus, DB_ARGS(db_text(rows, 0, 0)));
	rq->number = db_number(rows, 0, 0);
}

static void
reads_wrong(struct request *rq)
{
	DB_QUERY(divide, "SELECT 1 / ($1::bigint - $1::bigint)");

	(void)db_read(rq->db, &divide, DB_ARGS(db_int(rq->db, rq->number)));
}

static void
sleeps_reading(struct request *rq)
{
	DB_QUERY(sleeping, "SELECT pg_sleep(0.5), 7");

	rq->number = db_number(db_read(rq->db, &sleeping, DB_NONE), 0, 1);
}

static void
counts(struct request *rq)
{
	DB_QUERY(count, "UPDATE pool_count SET n = n + 1 RETURNING n");

	rq->number = db_number(db_write(rq->db, &count, DB_NONE), 0, 0);
}

static void
sleeps_writing(struct request *rq)
{
	DB_QUERY(count_slowly, "UPDATE pool_count SET n = n + 1 FROM "
	    "(SELECT pg_sleep($1::float)) AS x RETURNING n");

	rq->number = db_number(db_write(rq->db, &count_slowly,
	    DB_ARGS(rq->text)), 0, 0);
}

/* ---- tests ---- */

static int64_t
counted(void)
{
	DB_QUERY(get, "SELECT n FROM pool_count");

	return (db_number(db_read(direct, &get, DB_NONE), 0, 0));
}

/* Sessions of the pool that the server knows of. */
static int64_t
sessions(void)
{
	DB_QUERY(sessions_of, "SELECT count(*) FROM pg_stat_activity "
	    "WHERE application_name = $1");

	return (db_number(db_read(direct, &sessions_of, DB_ARGS(arena_fmt(
	    arena, "pool_test %d", (int)getpid()))), 0, 0));
}

static int
reset(void **state)
{
	unsigned	 i;

	(void)state;
	assert_int_equal(co_count(), 0);
	ended = 0;
	/* Up means that a writer is; the reader may need some turns more. */
	turn_until(pool_up() && sessions() == POOL_CONNS);
	for (i = 0; i < 20; i++)
		turn();
	execute("UPDATE pool_count SET n = 0");
	return (0);
}

static void
test_thousand_reads(void **state)
{
	static struct request	 rqs[1000];
	unsigned		 i, n = 0;

	(void)state;
	memset(rqs, 0, sizeof(rqs));
	/* All readers' room first, one error among ten. */
	for (i = 0; i < COUNT(rqs); i++) {
		while (i - ended >= POOL_READS_MAX)
			turn();
		rqs[i].number = i;
		request(&rqs[i], i % 10 == 9 ? reads_wrong : doubles);
	}
	turn_until(ended == COUNT(rqs));
	for (i = 0; i < COUNT(rqs); i++) {
		if (i % 10 == 9) {
			assert_true(rqs[i].failed);
			assert_int_equal(rqs[i].failure, DB_FAIL_BUG);
			assert_string_equal(rqs[i].why, "divide: 22012");
		} else {
			assert_string_equal(rqs[i].why, "");
			assert_true(rqs[i].done);
			assert_int_equal(rqs[i].number, 2 * i + 1);
			n++;
		}
	}
	assert_int_equal(n, 900);
}

static void
test_too_many_reads(void **state)
{
	static struct request	 rqs[POOL_READS_MAX * POOL_READERS + 1];
	struct request		*last = &rqs[COUNT(rqs) - 1];
	unsigned		 i;

	(void)state;
	memset(rqs, 0, sizeof(rqs));
	for (i = 0; i < COUNT(rqs); i++)
		request(&rqs[i], doubles);
	assert_true(last->failed);
	assert_int_equal(last->failure, DB_FAIL_BUSY);
	turn_until(ended == COUNT(rqs));
	assert_true(rqs[0].done);
}

static void
test_writes_queue(void **state)
{
	static struct request	 rqs[POOL_WRITERS + POOL_WRITES_MAX + 1];
	struct request		*last = &rqs[COUNT(rqs) - 1];
	struct request		 read = { .number = 4 };
	unsigned		 i;

	(void)state;
	memset(rqs, 0, sizeof(rqs));
	for (i = 0; i < COUNT(rqs); i++) {
		rqs[i].text = "0.2";
		request(&rqs[i], i < POOL_WRITERS ? sleeps_writing : counts);
	}
	assert_true(last->failed);
	assert_int_equal(last->failure, DB_FAIL_BUSY);
	/* Reads pass by. */
	request(&read, doubles);
	turn_until(read.done);
	assert_int_equal(read.number, 9);
	assert_int_equal(ended, 2);
	turn_until(ended == COUNT(rqs) + 1);
	for (i = 0; i < COUNT(rqs) - 1; i++)
		assert_true(rqs[i].done);
	assert_int_equal(counted(), COUNT(rqs) - 1);
}

static void
test_queue_time_out(void **state)
{
	struct request	 rqs[POOL_WRITERS + 1];
	unsigned	 i;
	int64_t		 from = clock_monotonic();

	(void)state;
	memset(rqs, 0, sizeof(rqs));
	for (i = 0; i < COUNT(rqs); i++) {
		rqs[i].text = "4.5";
		request(&rqs[i], sleeps_writing);
	}
	turn_until(ended == 1);
	assert_true(rqs[POOL_WRITERS].failed);
	assert_int_equal(rqs[POOL_WRITERS].failure, DB_FAIL_BUSY);
	assert_in_range(clock_monotonic() - from, POOL_WAIT_US,
	    POOL_WAIT_US + SECOND_US);
	turn_until(ended == COUNT(rqs));
}

static void
test_reader_lost(void **state)
{
	struct request	 read = { .number = 0 }, next = { .number = 1 };

	(void)state;
	request(&read, sleeps_reading);
	turn();
	terminate_pool("query LIKE '%pg_sleep(0.5)%'");
	/* Sent again by itself, the way of the writes. */
	turn_until(ended == 1);
	assert_true(read.done);
	assert_int_equal(read.number, 7);
	request(&next, doubles);
	turn_until(ended == 2);
	assert_int_equal(next.number, 3);
}

static void
test_all_lost(void **state)
{
	struct request	 write = { .text = "0.5" }, read = { .number = 0 };
	struct request	 queued[2] = { { .text = "0.5" },
			    { .text = "0.5" } };
	struct request	 refused = { .number = 0 };
	int64_t		 from;

	(void)state;
	request(&write, sleeps_writing);
	request(&queued[0], sleeps_writing);
	request(&queued[1], counts);
	request(&read, sleeps_reading);
	turn();
	terminate_pool("true");
	from = clock_monotonic();
	turn_until(ended == 4);
	/* At once, not when a connection is back. */
	assert_true(clock_monotonic() - from < SECOND_US / 2);
	assert_true(write.failed && write.failure == DB_FAIL_UNKNOWN);
	assert_true(queued[1].failed || queued[1].done);
	assert_true(read.failed && read.failure == DB_FAIL_DOWN);
	if (!pool_up()) {
		request(&refused, counts);
		assert_true(refused.failed);
		assert_int_equal(refused.failure, DB_FAIL_DOWN);
	}
	turn_until(pool_up());
	assert_true(clock_monotonic() - from < 2 * SECOND_US);
	assert_true(counted() <= 1);
	memset(&read, 0, sizeof(read));
	request(&read, doubles);
	turn_until(read.done);
}

/* ---- the check ---- */

static bool
schema_fits(const struct db_rows *rows)
{
	return (rows->n == 1 && db_number(rows, 0, 0) == 1);
}

static void
test_mismatch(void **state)
{
	struct request	 read = { .number = 0 };

	(void)state;
	execute("UPDATE pool_schema SET version = 2");
	terminate_pool("true");
	turn_until(pool_state() == POOL_MISMATCH);
	request(&read, doubles);
	assert_true(read.failed);
	assert_int_equal(read.failure, DB_FAIL_DOWN);
	execute("DROP TABLE pool_schema");
	(void)usleep(1000);
	turn_until(pool_state() == POOL_MISMATCH);
	execute("CREATE TABLE pool_schema AS SELECT 1 AS version");
	turn_until(pool_up());
}

/* Someone migrates while connections stand: what was sent is answered, what
 * comes is refused, and all heals with the schema. */
static void
test_distrust(void **state)
{
	struct request	 write = { .text = "0.3" }, read = { .number = 0 };
	struct request	 refused = { .number = 0 };

	(void)state;
	request(&write, sleeps_writing);
	request(&read, sleeps_reading);
	turn();
	execute("UPDATE pool_schema SET version = 2");
	pool_distrust();
	assert_int_equal(pool_state(), POOL_MISMATCH);
	request(&refused, counts);
	assert_true(refused.failed);
	assert_int_equal(refused.failure, DB_FAIL_DOWN);
	turn_until(ended == 3);
	assert_true(write.done && read.done);
	assert_int_equal(counted(), 1);
	assert_int_equal(pool_state(), POOL_MISMATCH);
	execute("UPDATE pool_schema SET version = 1");
	turn_until(pool_up());
}

static int
group_setup(void **state)
{
	static const struct pool_loop	 loop = { watch, call_in };
	DB_QUERY(schema, "SELECT version FROM pool_schema");
	const char			*why;
	unsigned			 i;

	(void)state;
	arena = arena_new(8u * 1024 * 1024, NULL, NULL);
	direct = db_open(url, "pool_test direct", arena, direct_failed, NULL,
	    &why);
	if (direct == NULL)
		fail_msg("can't connect: %s", why);
	execute("DROP TABLE IF EXISTS pool_count, pool_schema");
	execute("CREATE TABLE pool_count AS SELECT 0::bigint AS n");
	execute("CREATE TABLE pool_schema AS SELECT 1 AS version");
	for (i = 0; i < POOL_CONNS; i++) {
		fds[i].fd = -1;
		due[i] = NEVER;
	}
	pool_set_check(&schema, schema_fits);
	pool_set_ear(&ear);
	pool_start(url, arena_fmt(arena, "pool_test %d", (int)getpid()),
	    &loop);
	return (0);
}

static int
group_teardown(void **state)
{
	(void)state;
	execute("DROP TABLE pool_count, pool_schema");
	db_close(direct);
	arena_free(arena);
	return (0);
}

#define TEST(fn)	cmocka_unit_test_setup(fn, reset)

static void
test_ear(void **state)
{
	unsigned	 deaf, hears, told;

	(void)state;
	turn_until(heard.hears == heard.deaf + 1);
	told = heard.told;
	execute("NOTIFY pool_ear, 'one'");
	turn_until(heard.told == told + 1);
	assert_string_equal(heard.last, "one");
	execute("NOTIFY another, 'two'");
	/* Lost, it says so, and comes back by itself. */
	deaf = heard.deaf;
	hears = heard.hears;
	terminate_pool("query LIKE 'LISTEN%' OR query = 'SELECT 1'");
	turn_until(heard.deaf == deaf + 1);
	turn_until(heard.hears == hears + 1);
	execute("NOTIFY pool_ear, 'three'");
	turn_until(heard.told == told + 2);
	assert_string_equal(heard.last, "three");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		TEST(test_thousand_reads), TEST(test_too_many_reads),
		TEST(test_writes_queue), TEST(test_queue_time_out),
		TEST(test_reader_lost), TEST(test_all_lost),
		TEST(test_mismatch), TEST(test_distrust),
		TEST(test_ear),
	};

	url = getenv("LATCHKEY_TEST_OWNER_URL");
	if (url == NULL) {
		(void)fprintf(stderr, "LATCHKEY_TEST_OWNER_URL is not "
		    "set\n");
		return (1);
	}
	return (cmocka_run_group_tests(tests, group_setup, group_teardown));
}
