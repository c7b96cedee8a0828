/*
 * The blocking handle against a real PostgreSQL, whose URL stands in
 * LATCHKEY_TEST_DATABASE_URL.  Tables are temporary or carry this process's
 * id, so that suites may run beside each other.
 */
#include <setjmp.h>
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
		(void)(call);						\
		fail_msg("%s came back", #call);			\
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

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values_at_their_edges,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_array, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outcomes, setup,
		    teardown),
	};

	url = getenv("LATCHKEY_TEST_DATABASE_URL");
	if (url == NULL) {
		(void)fprintf(stderr, "LATCHKEY_TEST_DATABASE_URL is not "
		    "set\n");
		return (1);
	}
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
