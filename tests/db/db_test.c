/*
 * The blocking handle against a real PostgreSQL, whose URL stands in
 * LATCHKEY_TEST_OWNER_URL.  Tables are temporary, or have names that no
 * other suite uses.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "db/db.h"

static const char	*url;
static struct arena	*arena;
static struct db	*db, *other;

/* What fail() was called with last. */
static jmp_buf		 unwound;
static enum db_failure	 failure;
static char		 why[256];

static void
on_fail(void *arg, enum db_failure kind, const char *text)
{
	(void)arg;
	failure = kind;
	(void)snprintf(why, sizeof(why), "%s", text);
	longjmp(unwound, 1);
}

/* The statement must end in fail(), with this kind. */
#define assert_fails(kind, call) do {					\
	if (setjmp(unwound) == 0) {					\
		const void *came = (call);				\
									\
		fail_msg("%s came back with %p", #call, came);		\
	}								\
	if (failure != (kind))						\
		fail_msg("failed with %d: %s", (int)failure, why);	\
} while (0)

/* A failure that no test asked for. */
#define start()	do {							\
	if (setjmp(unwound) != 0)					\
		fail_msg("database failed with %d: %s", (int)failure,	\
		    why);						\
} while (0)

static struct db *
connect_as(const char *application)
{
	const char	*text;
	struct db	*opened;

	opened = db_open(url, application, arena, on_fail, NULL, &text);
	if (opened == NULL)
		fail_msg("can't connect: %s", text);
	return (opened);
}

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(8u * 1024 * 1024, NULL, NULL);
	db = connect_as("db_test");
	other = connect_as("db_test other");
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	db_close(db);
	db_close(other);
	arena_free(arena);
	return (0);
}

/* A statement for one test only, without a look at its answer. */
static void
execute(struct db *on, const char *sql)
{
	const struct db_query	*query;
	const struct db_rows	*rows;

	query = arena_memdup(arena, &(struct db_query){ "once", sql },
	    sizeof(*query));
	rows = db_write(on, query, DB_NONE);
	assert_int_equal(rows->outcome, DB_OK);
}

static void
test_values(void **state)
{
	DB_QUERY(echo, "SELECT $1::text, $2::bigint, $3::boolean, $4::bytea, "
	    "(extract(epoch FROM $5::timestamptz) * 1000000)::bigint, "
	    "$6::text");
	static const unsigned char bytes[] = { 0, 1, '\\', '\'', 0xff };
	const struct db_rows	*rows;
	const void		*blob;
	size_t			 n;
	int64_t			 at = INT64_C(1795348123456789);
	int			 turn;

	(void)state;
	start();
	/* The second turn uses the prepared statement. */
	for (turn = 0; turn < 2; turn++) {
		rows = db_read(db, &echo, DB_ARGS("it's \"Søn\\ner\" $1",
		    db_int(db, INT64_MIN), db_bool(true),
		    db_bytes(db, bytes, sizeof(bytes)), db_time(db, at),
		    NULL));
		assert_int_equal(rows->n, 1);
		assert_int_equal(rows->outcome, DB_OK);
		assert_string_equal(rows->constraint, "");
		assert_string_equal(db_text(rows, 0, 0),
		    "it's \"Søn\\ner\" $1");
		assert_true(db_number(rows, 0, 1) == INT64_MIN);
		assert_true(db_truth(rows, 0, 2));
		blob = db_blob(db, rows, 0, 3, &n);
		assert_int_equal(n, sizeof(bytes));
		assert_memory_equal(blob, bytes, n);
		assert_true(db_number(rows, 0, 4) == at);
		assert_true(db_is_null(rows, 0, 5));
		assert_null(db_text(rows, 0, 5));
	}
}

static void
test_values_at_their_edges(void **state)
{
	DB_QUERY(edges, "SELECT $1::bytea, $2::boolean, (extract(epoch FROM "
	    "$3::timestamptz) * 1000000)::bigint, $4::bigint");
	const struct db_rows	*rows;
	size_t			 n = 1;

	(void)state;
	start();
	rows = db_read(db, &edges, DB_ARGS(db_bytes(db, "", 0),
	    db_bool(false), db_time(db, -1), db_int(db, INT64_MAX)));
	(void)db_blob(db, rows, 0, 0, &n);
	assert_int_equal(n, 0);
	assert_false(db_truth(rows, 0, 1));
	assert_true(db_number(rows, 0, 2) == -1);
	assert_true(db_number(rows, 0, 3) == INT64_MAX);
}

static void
test_array(void **state)
{
	DB_QUERY(unnested, "SELECT t FROM unnest($1::text[]) "
	    "WITH ORDINALITY AS u (t, i) ORDER BY i");
	static const char *const texts[] = { "", "plain", "a,b", "{x}",
	    "quo\"te", "back\\slash", "\\\"", "NULL", NULL, " space ",
	    "line\nbreak" };
	const struct db_rows	*rows;
	size_t			 i;

	(void)state;
	start();
	rows = db_read(db, &unnested, DB_ARGS(db_text_array(db, texts,
	    COUNT(texts))));
	assert_int_equal(rows->n, COUNT(texts));
	for (i = 0; i < COUNT(texts); i++) {
		if (texts[i] == NULL)
			assert_true(db_is_null(rows, (int)i, 0));
		else
			assert_string_equal(db_text(rows, (int)i, 0),
			    texts[i]);
	}
	rows = db_read(db, &unnested, DB_ARGS(db_text_array(db, NULL, 0)));
	assert_int_equal(rows->n, 0);
}

static void
test_outcomes(void **state)
{
	DB_QUERY(insert, "INSERT INTO thing VALUES ($1, $2::int, $3::int)");
	DB_QUERY(raise, "SELECT pg_temp.raise_it()");
	DB_QUERY(update, "UPDATE thing SET size = size + 1");
	const struct db_rows	*rows;

	(void)state;
	start();
	execute(db, "CREATE TEMP TABLE parent (id int PRIMARY KEY)");
	execute(db, "CREATE TEMP TABLE thing (name text NOT NULL CONSTRAINT "
	    "thing_name UNIQUE, size int CONSTRAINT thing_size CHECK "
	    "(size < 100), parent int CONSTRAINT thing_parent REFERENCES "
	    "parent)");
	execute(db, "CREATE FUNCTION pg_temp.raise_it() RETURNS void LANGUAGE "
	    "plpgsql AS $$ BEGIN RAISE SQLSTATE 'LK001' USING MESSAGE = "
	    "'own_decision'; END $$");
	rows = db_write(db, &insert, DB_ARGS("one", "1", NULL));
	assert_int_equal(rows->outcome, DB_OK);
	assert_int_equal(rows->changed, 1);
	rows = db_write(db, &insert, DB_ARGS("one", "2", NULL));
	assert_int_equal(rows->outcome, DB_CONFLICT);
	assert_string_equal(rows->constraint, "thing_name");
	assert_int_equal(rows->n, 0);
	rows = db_write(db, &insert, DB_ARGS("two", "100", NULL));
	assert_int_equal(rows->outcome, DB_REFUSED);
	assert_string_equal(rows->constraint, "thing_size");
	rows = db_write(db, &insert, DB_ARGS("two", "1", "7"));
	assert_int_equal(rows->outcome, DB_REFUSED);
	assert_string_equal(rows->constraint, "thing_parent");
	rows = db_write(db, &insert, DB_ARGS(NULL, "1", NULL));
	assert_int_equal(rows->outcome, DB_REFUSED);
	assert_string_equal(rows->constraint, "name");
	rows = db_write(db, &insert, DB_ARGS("two", "1", NULL));
	assert_int_equal(rows->outcome, DB_OK);
	rows = db_write(db, &update, DB_NONE);
	assert_int_equal(rows->changed, 2);
	rows = db_write(db, &raise, DB_NONE);
	assert_int_equal(rows->outcome, DB_REFUSED);
	assert_string_equal(rows->constraint, "own_decision");
}

/* A refusal that the caller did not count on is a bug, and is told by name. */
static void
test_must(void **state)
{
	DB_QUERY(ruled_insert, "INSERT INTO ruled VALUES ($1::int)");
	DB_QUERY(ruled_count, "SELECT count(*) FROM ruled");
	const struct db_rows	*rows;

	(void)state;
	start();
	execute(db, "CREATE TEMP TABLE ruled (size int CONSTRAINT "
	    "later_rule CHECK (size <> 77) CONSTRAINT ruled_once UNIQUE)");
	rows = db_write(db, &ruled_insert, DB_ARGS("1"));
	assert_ptr_equal(db_must(db, rows), rows);
	assert_string_equal(rows->query, "ruled_insert");
	assert_fails(DB_FAIL_BUG, db_must(db, db_write(db, &ruled_insert,
	    DB_ARGS("77"))));
	assert_string_equal(why, "ruled_insert: not expected: later_rule");
	assert_fails(DB_FAIL_BUG, db_must(db, db_write(db, &ruled_insert,
	    DB_ARGS("1"))));
	assert_string_equal(why, "ruled_insert: not expected: ruled_once");
	start();
	assert_int_equal(db_number(db_read(db, &ruled_count, DB_NONE), 0, 0),
	    1);
}

static void
test_bug(void **state)
{
	DB_QUERY(wrong, "SELECT nothing_like_it");
	DB_QUERY(secret, "SELECT $1::uuid");
	DB_QUERY(fine, "SELECT 1");

	(void)state;
	assert_fails(DB_FAIL_BUG, db_read(db, &wrong, DB_NONE));
	assert_non_null(strstr(why, "wrong: 42703"));
	/* Again: it must not be taken for prepared. */
	assert_fails(DB_FAIL_BUG, db_read(db, &wrong, DB_NONE));
	assert_non_null(strstr(why, "wrong: 42703"));
	assert_fails(DB_FAIL_BUG, db_read(db, &secret, DB_ARGS("s3cret")));
	assert_null(strstr(why, "s3cret"));
	start();
	assert_int_equal(db_number(db_read(db, &fine, DB_NONE), 0, 0), 1);
}

/* The server's process of this handle. */
static const char *
backend(struct db *of)
{
	DB_QUERY(backend_pid, "SELECT pg_backend_pid()");

	return (arena_strdup(arena, db_text(db_read(of, &backend_pid,
	    DB_NONE), 0, 0)));
}

static void
terminate(const char *pid)
{
	DB_QUERY(kill_it, "SELECT pg_terminate_backend($1::int)");
	int64_t	number;

	assert_true(str_to_int(pid, 1, INT32_MAX, &number));
	assert_true(db_truth(db_read(other, &kill_it, DB_ARGS(pid)), 0, 0));
	/* With the process goes its end of the connection. */
	while (kill((pid_t)number, 0) == 0 || errno == EPERM)
		(void)usleep(1000);
}

static void
test_loss_while_idle(void **state)
{
	const char	*before, *after;

	(void)state;
	start();
	before = backend(db);
	terminate(before);
	/* A read and a write each find a new connection. */
	after = backend(db);
	assert_string_not_equal(before, after);
	terminate(after);
	execute(db, "CREATE TEMP TABLE after_loss (i int)");
	assert_string_not_equal(after, backend(db));
}

static void
test_loss_under_way(void **state)
{
	/* Ends its own connection, the first time. */
	DB_QUERY(suicide, "SELECT CASE WHEN nextval($1::regclass) = 1 THEN "
	    "pg_terminate_backend(pg_backend_pid()) END, pg_sleep(0.2)");
	DB_QUERY(count, "SELECT count(*) FROM lost");
	DB_QUERY(insert, "INSERT INTO lost SELECT 1 FROM (SELECT "
	    "pg_terminate_backend(pg_backend_pid()), pg_sleep(0.2)) AS x");
	const char	*sequence;

	(void)state;
	sequence = arena_fmt(arena, "lost_%d", (int)getpid());
	start();
	execute(other, arena_fmt(arena, "CREATE SEQUENCE %s", sequence));
	/* A read is sent a second time by itself. */
	assert_int_equal(db_read(db, &suicide, DB_ARGS(sequence))->n, 1);
	execute(other, arena_fmt(arena, "DROP SEQUENCE %s", sequence));
	/* A write never. */
	execute(db, "CREATE TEMP TABLE lost (i int)");
	assert_fails(DB_FAIL_UNKNOWN, db_write(db, &insert, DB_NONE));
	assert_fails(DB_FAIL_BUG, db_read(db, &count, DB_NONE));
	assert_non_null(strstr(why, "42P01"));
}

static void
test_lock_timeout(void **state)
{
	DB_QUERY(take, "UPDATE locked SET i = i + 1 WHERE i >= 0");
	int64_t	 from;

	(void)state;
	start();
	execute(db, "DROP TABLE IF EXISTS locked");
	execute(db, "CREATE TABLE locked AS SELECT 1 AS i");
	execute(other, "BEGIN");
	execute(other, "UPDATE locked SET i = 2");
	from = clock_monotonic();
	assert_fails(DB_FAIL_BUSY, db_write(db, &take, DB_NONE));
	assert_in_range(clock_monotonic() - from, 1500000, 3500000);
	assert_string_equal(why, "take: 55P03");
	start();
	execute(other, "ROLLBACK");
	assert_int_equal(db_write(db, &take, DB_NONE)->changed, 1);
	execute(db, "DROP TABLE locked");
}

static void
test_statement_timeout(void **state)
{
	DB_QUERY(slow, "SELECT pg_sleep(30)");

	(void)state;
	assert_fails(DB_FAIL_BUSY, db_read(db, &slow, DB_NONE));
	assert_string_equal(why, "slow: 57014");
}

static void
test_plan_grows_stale(void **state)
{
	DB_QUERY(all, "SELECT * FROM grows");
	DB_QUERY(returning, "UPDATE grows SET i = i + 1 RETURNING *");
	const struct db_rows	*rows;

	(void)state;
	start();
	execute(db, "CREATE TEMP TABLE grows AS SELECT 1 AS i");
	assert_int_equal(db_read(db, &all, DB_NONE)->n, 1);
	assert_int_equal(db_write(db, &returning, DB_NONE)->n, 1);
	execute(db, "ALTER TABLE grows ADD COLUMN j text DEFAULT 'new'");
	rows = db_read(db, &all, DB_NONE);
	assert_string_equal(db_text(rows, 0, 1), "new");
	rows = db_write(db, &returning, DB_NONE);
	assert_int_equal(db_number(rows, 0, 0), 3);
	/* Someone else (a pooler) threw all statements away. */
	execute(db, "DEALLOCATE ALL");
	assert_int_equal(db_read(db, &all, DB_NONE)->n, 1);
}

static void
test_deferred_constraint(void **state)
{
	DB_QUERY(orphan, "INSERT INTO child VALUES (7)");
	DB_QUERY(one, "SELECT 1");

	(void)state;
	start();
	execute(db, "CREATE TEMP TABLE elder (id int PRIMARY KEY)");
	execute(db, "CREATE TEMP TABLE child (id int CONSTRAINT child_elder "
	    "REFERENCES elder DEFERRABLE INITIALLY DEFERRED)");
	/* It fails at the sync only, behind its own answer. */
	assert_int_equal(db_write(db, &orphan, DB_NONE)->outcome, DB_REFUSED);
	assert_int_equal(db_number(db_read(db, &one, DB_NONE), 0, 0), 1);
}

static void
test_notify(void **state)
{
	DB_QUERY(lives, "SELECT EXISTS (SELECT FROM pg_stat_activity "
	    "WHERE pid = $1::int)");
	const char	*pid;
	int64_t		 from;

	(void)state;
	start();
	assert_true(db_listen(db, "Odd \"channel\""));
	assert_false(db_wait_notify(db, 10));
	execute(other, "NOTIFY \"Odd \"\"channel\"\"\"");
	assert_true(db_wait_notify(db, 5000));
	assert_false(db_wait_notify(db, 10));
	/* One that comes with another answer is not missed. */
	execute(db, "NOTIFY \"Odd \"\"channel\"\"\"");
	assert_true(db_wait_notify(db, 5000));
	/* After a loss it listens again by itself, and says so at once,
	 * whether it was lost before the call or in it. */
	pid = backend(db);
	terminate(pid);
	while (db_truth(db_read(other, &lives, DB_ARGS(pid)), 0, 0))
		continue;
	from = clock_monotonic();
	assert_false(db_wait_notify(db, 3000));
	assert_true(clock_monotonic() - from < 2000000);
	assert_false(db_wait_notify(db, 10));
	execute(other, "NOTIFY \"Odd \"\"channel\"\"\"");
	assert_true(db_wait_notify(db, 5000));
}

static void
test_open_refused(void **state)
{
	const char	*text = NULL;

	(void)state;
	assert_null(db_open("host=/nonexistent dbname=x", "db_test", arena,
	    on_fail, NULL, &text));
	assert_non_null(strstr(text, "/nonexistent"));
	assert_null(db_conninfo_problem(arena, url));
	assert_null(db_conninfo_problem(arena,
	    "postgresql://u:p@a:1,b:2/d?sslmode=require"));
	assert_non_null(db_conninfo_problem(arena, "mydb"));
	text = db_conninfo_problem(arena, "password='s3cret");
	assert_non_null(text);
	assert_null(strstr(text, "s3cret"));
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		TEST(test_values), TEST(test_values_at_their_edges),
		TEST(test_array), TEST(test_outcomes), TEST(test_must),
		TEST(test_bug),
		TEST(test_loss_while_idle), TEST(test_loss_under_way),
		TEST(test_lock_timeout), TEST(test_statement_timeout),
		TEST(test_plan_grows_stale), TEST(test_deferred_constraint),
		TEST(test_notify), TEST(test_open_refused),
	};

	url = getenv("LATCHKEY_TEST_OWNER_URL");
	if (url == NULL) {
		(void)fprintf(stderr, "LATCHKEY_TEST_OWNER_URL is not "
		    "set\n");
		return (1);
	}
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
