/*
 * Calls that are sent again, in the database: each answer that replay.h
 * promises, the day after which a key is new, and many at once.
 */
#include "base/child.h"
#include "requests/world.h"

#include <sys/wait.h>

#include "api/replay.h"

#define CHILDREN	6

static const char	*token, *other;
static unsigned char	 first[SHA256_BYTES], second[SHA256_BYTES];

static const char *
token_add(const char *who)
{
	char		*id = arena_alloc(arena, UUID_TEXT);
	unsigned char	 mac[SHA256_BYTES];

	uuid_make(id);
	random_bytes(mac, sizeof(mac));
	run(db, "INSERT INTO access_token (id, account_id, name, mac, "
	    "mac_version, first4, last4, scopes, expires_at) VALUES "
	    "($1::uuid, $2::uuid, 'x', $3::bytea, 1, 'abcd', 'efgh', '{read}',"
	    " now() + interval '30 days')",
	    DB_ARGS(id, who, db_bytes(db, mac, sizeof(mac))));
	return (id);
}

static int
begin(void **state)
{
	const char	*who;

	if (world_setup(state) != 0)
		return (-1);
	who = contact("Ada Byron", "replay.example", "Replay Works");
	token = token_add(who);
	other = token_add(who);
	memset(first, 1, sizeof(first));
	memset(second, 2, sizeof(second));
	return (0);
}

static enum replay_result
claim(const char *whose, const char *key, const unsigned char *request,
    struct replay *replay)
{
	*replay = (struct replay){ .status = -1 };
	return (replay_db_claim(db, whose, key, request, replay));
}

static void
test_the_same_again(void **state)
{
	struct replay	 replay;

	(void)state;
	assert_int_equal(claim(token, "a", first, &replay), REPLAY_NEW);
	assert_int_equal(claim(token, "a", first, &replay), REPLAY_RUNNING);
	replay_db_end(db, token, "a", 201, "{\"id\":\"x\xc3\xa9\"}");
	assert_int_equal(claim(token, "a", first, &replay), REPLAY_DONE);
	assert_int_equal(replay.status, 201);
	assert_string_equal(replay.body, "{\"id\":\"x\xc3\xa9\"}");
	assert_int_equal(claim(token, "a", first, &replay), REPLAY_DONE);
	/* An empty answer (204) is one. */
	assert_int_equal(claim(token, "b", first, &replay), REPLAY_NEW);
	replay_db_end(db, token, "b", 204, "");
	assert_int_equal(claim(token, "b", first, &replay), REPLAY_DONE);
	assert_int_equal(replay.status, 204);
	assert_string_equal(replay.body, "");
}

static void
test_a_secret(void **state)
{
	struct replay	 replay;

	(void)state;
	assert_int_equal(claim(token, "s", first, &replay), REPLAY_NEW);
	replay_db_end(db, token, "s", 200, NULL);
	assert_int_equal(claim(token, "s", first, &replay), REPLAY_REVEALED);
	assert_int_equal(claim(token, "s", second, &replay), REPLAY_OTHER);
}

static void
test_something_else(void **state)
{
	struct replay	 replay;

	(void)state;
	/* Another request under the key, running and done; another token's
	 * key of the same name. */
	assert_int_equal(claim(token, "k", first, &replay), REPLAY_NEW);
	assert_int_equal(claim(token, "k", second, &replay), REPLAY_OTHER);
	replay_db_end(db, token, "k", 200, "{}");
	assert_int_equal(claim(token, "k", second, &replay), REPLAY_OTHER);
	assert_int_equal(claim(other, "k", second, &replay), REPLAY_NEW);
	assert_int_equal(claim(token, "K", second, &replay), REPLAY_NEW);
	assert_int_equal(claim(token, "k ", second, &replay), REPLAY_NEW);
}

static void
test_the_day_after(void **state)
{
	struct replay	 replay;

	(void)state;
	assert_int_equal(claim(token, "d", first, &replay), REPLAY_NEW);
	replay_db_end(db, token, "d", 200, "{}");
	run(db, "UPDATE api_replay SET created_at = now() - interval "
	    "'23 hours 59 min' WHERE token_id = $1::uuid", DB_ARGS(token));
	assert_int_equal(claim(token, "d", first, &replay), REPLAY_DONE);
	run(db, "UPDATE api_replay SET created_at = now() - interval "
	    "'24 hours 1 min' WHERE token_id = $1::uuid", DB_ARGS(token));
	/* Something else may be asked for under it, and the old answer is
	 * gone. */
	assert_int_equal(claim(token, "d", second, &replay), REPLAY_NEW);
	assert_int_equal(claim(token, "d", second, &replay), REPLAY_RUNNING);
	assert_int_equal(claim(token, "d", first, &replay), REPLAY_OTHER);
}

static void
test_freed(void **state)
{
	struct replay	 replay;

	(void)state;
	assert_int_equal(claim(token, "f", first, &replay), REPLAY_NEW);
	replay_db_free(db, token, "f");
	assert_int_equal(claim(token, "f", second, &replay), REPLAY_NEW);
	/* Another's key, or one that was answered, is not freed. */
	replay_db_free(db, other, "f");
	assert_int_equal(claim(token, "f", second, &replay), REPLAY_RUNNING);
	replay_db_end(db, token, "f", 200, "{}");
	replay_db_free(db, token, "f");
	assert_int_equal(claim(token, "f", second, &replay), REPLAY_DONE);
}

static void
child(int gate, int ready, int out)
{
	struct db	*own;
	struct replay	 replay;
	const char	*why;
	int		 told;
	char		 c;

	own = db_open(getenv("LATCHKEY_TEST_DATABASE_URL"), "race", arena,
	    world_fail, NULL, &why);
	if (own == NULL || write(ready, "x", 1) != 1 ||
	    read(gate, &c, 1) != 0)
		_exit(1);
	told = (int)replay_db_claim(own, token, "race", first, &replay);
	if (write(out, &told, sizeof(told)) != sizeof(told))
		_exit(1);
	_exit(0);
}

/* One does it, and the others hear that it runs: of a key that is new, and of
 * one whose day is over. */
static void
test_many_at_once(void **state)
{
	int	gate[2], ready[2], out[2], told, status, done, running, i, n;
	char	c;

	(void)state;
	for (n = 0; n < 2; n++) {
		assert_int_equal(pipe(gate), 0);
		assert_int_equal(pipe(ready), 0);
		assert_int_equal(pipe(out), 0);
		for (i = 0; i < CHILDREN; i++) {
			if (child_fork() == 0) {
				(void)close(gate[1]);
				child(gate[0], ready[1], out[1]);
			}
		}
		(void)close(gate[0]);
		for (i = 0; i < CHILDREN; i++)
			assert_int_equal(read(ready[0], &c, 1), 1);
		(void)close(gate[1]);
		done = running = 0;
		for (i = 0; i < CHILDREN; i++) {
			assert_int_equal(read(out[0], &told, sizeof(told)),
			    sizeof(told));
			done += told == REPLAY_NEW;
			running += told == REPLAY_RUNNING;
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
		assert_int_equal(done, 1);
		assert_int_equal(running, CHILDREN - 1);
		(void)close(ready[0]);
		(void)close(ready[1]);
		(void)close(out[0]);
		(void)close(out[1]);
		run(db, "UPDATE api_replay SET created_at = now() - interval "
		    "'25 hours' WHERE token_id = $1::uuid", DB_ARGS(token));
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_the_same_again),
		cmocka_unit_test(test_a_secret),
		cmocka_unit_test(test_something_else),
		cmocka_unit_test(test_the_day_after),
		cmocka_unit_test(test_freed),
		cmocka_unit_test(test_many_at_once),
	};

	return (cmocka_run_group_tests(tests, begin, world_teardown));
}
