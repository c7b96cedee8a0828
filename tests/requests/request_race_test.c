/*
 * 200 approvals at once, on 40 connections: however they meet, a tenant gets
 * one key and everybody else is told.  The children wait at a pipe, so that
 * they start together.
 */
#include "base/child.h"
#include "requests/world.h"

#include <sys/wait.h>

#include "requests/request.h"

#define CHILDREN	40
#define EACH		5	/* approvals of a child: 200 in all */

static const char	*keepers[2];

static int
begin(void **state)
{
	(void)state;
	world_clear();
	keepers[0] = staff("Tomas Okafor");
	keepers[1] = staff("Ines Roy");
	return (0);
}

static const char *
ask(unsigned n)
{
	const char	*who = contact("Ada", "race.example", "Race");

	assert_int_equal(request_db_submit(db, who, product,
	    arena_fmt(arena, "Race %u-KEY", n), "Race", 48, 0, "live"),
	    REQUEST_SUBMIT_DONE);
	return (text(db, "SELECT id FROM request WHERE account_id = $1",
	    DB_ARGS(who)));
}

/*
 * Each child approves requests[(child * EACH + i) % n] and ends with the
 * number that it got done; told counts the rest by what they were told.
 */
struct race {
	const char	**requests;
	unsigned	  n;
	struct request_tenant tenant;
	const char	 *reason;
};

struct told {
	unsigned	done, not_open, has_key, code, other;
};

static void
child(const struct race *race, unsigned number, int gate, int ready, int out)
{
	struct request_decision	 d = { NULL, keepers[number % 2],
		race->reason };
	struct told		 told = { 0 };
	struct db		*own;
	const char		*why;
	char			 c;
	unsigned		 i;

	own = db_open(getenv("LATCHKEY_TEST_DATABASE_URL"), "race", arena,
	    world_fail, NULL, &why);
	if (own == NULL || write(ready, "x", 1) != 1 ||
	    read(gate, &c, 1) != 0)
		_exit(1);
	for (i = 0; i < EACH; i++) {
		d.request_id = race->requests[(number * EACH + i) % race->n];
		switch (request_db_approve(own, ring, &d, &race->tenant)) {
		case REQUEST_DECIDE_DONE:
			told.done++;
			break;
		case REQUEST_DECIDE_NOT:
			told.not_open++;
			break;
		case REQUEST_DECIDE_HAS_KEY:
			told.has_key++;
			break;
		case REQUEST_DECIDE_CODE:
			told.code++;
			break;
		case REQUEST_DECIDE_SEATED:
		case REQUEST_DECIDE_CLOSED:
			told.other++;
			break;
		}
	}
	if (write(out, &told, sizeof(told)) != sizeof(told))
		_exit(1);
	_exit(0);
}

static struct told
run_race(const struct race *race)
{
	struct told	 all = { 0 }, told;
	int		 gate[2], ready[2], out[2], status;
	unsigned	 i;
	char		 c;

	assert_int_equal(pipe(gate), 0);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(out), 0);
	for (i = 0; i < CHILDREN; i++) {
		pid_t	pid = child_fork();

		if (pid == 0) {
			(void)close(gate[1]);
			child(race, i, gate[0], ready[1], out[1]);
		}
	}
	(void)close(gate[0]);
	(void)close(out[1]);
	(void)close(ready[1]);
	for (i = 0; i < CHILDREN; i++)	/* all are connected */
		assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	(void)close(gate[1]);	/* go */
	for (i = 0; i < CHILDREN; i++) {
		assert_int_equal(read(out[0], &told, sizeof(told)),
		    sizeof(told));
		all.done += told.done;
		all.not_open += told.not_open;
		all.has_key += told.has_key;
		all.code += told.code;
		all.other += told.other;
	}
	for (i = 0; i < CHILDREN; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	(void)close(out[0]);
	return (all);
}

static void
assert_one_key(void)
{
	assert_int_equal(count(db, "SELECT count(*) FROM subscription",
	    DB_NONE), 1);
	assert_int_equal(count(db, "SELECT count(*) FROM subscription_key",
	    DB_NONE), 2);
	assert_int_equal(count(db, "SELECT count(*) FROM membership",
	    DB_NONE), 1);
	assert_int_equal(count(db, "SELECT count(*) FROM tenant", DB_NONE),
	    1);
	assert_int_equal(count(db, "SELECT count(*) FROM request "
	    "WHERE state = 'approved'", DB_NONE), 1);
	assert_int_equal(count(owner, "SELECT count(*) FROM outbox "
	    "WHERE kind = 'request_approved'", DB_NONE), 1);
	assert_int_equal(count(db, "SELECT count(*) FROM audit a "
	    "JOIN subscription s ON s.id = a.subject_id "
	    "WHERE a.action = 'subscription.created'", DB_NONE), 1);
}

/* Two members of staff, the same request, all at the same moment. */
static void
test_one_request(void **state)
{
	const char	*id = ask(0);
	struct race	 race = { &id, 1, { NULL, "RACE", "Race", false }, "" };
	struct told	 told = run_race(&race);

	(void)state;
	assert_int_equal(told.done, 1);
	assert_int_equal(told.not_open, 199);
	assert_one_key();
}

/* 200 requests of one client, all into the tenant that exists. */
static void
test_one_tenant(void **state)
{
	const char	*ids[CHILDREN * EACH];
	struct race	 race = { ids, COUNT(ids), { "RACE", NULL, NULL, false },
		"known by phone" };
	struct told	 told;
	unsigned	 i;

	(void)state;
	tenant_add("RACE", "Race");
	for (i = 0; i < COUNT(ids); i++)
		ids[i] = ask(i);
	told = run_race(&race);
	assert_int_equal(told.done, 1);
	assert_int_equal(told.has_key, 199);
	assert_one_key();
	assert_int_equal(count(db, "SELECT count(*) FROM request "
	    "WHERE state = 'submitted'", DB_NONE), 199);
}

/* 200 requests of one client, each as a new tenant of the same code. */
static void
test_one_code(void **state)
{
	const char	*ids[CHILDREN * EACH];
	struct race	 race = { ids, COUNT(ids), { NULL, "RACE", "Race", false },
		"" };
	struct told	 told;
	unsigned	 i;

	(void)state;
	for (i = 0; i < COUNT(ids); i++)
		ids[i] = ask(i);
	told = run_race(&race);
	assert_int_equal(told.done, 1);
	assert_int_equal(told.code, 199);
	assert_one_key();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_request, begin),
		cmocka_unit_test_setup(test_one_tenant, begin),
		cmocka_unit_test_setup(test_one_code, begin),
	};

	return (cmocka_run_group_tests(tests, world_setup, world_teardown));
}
