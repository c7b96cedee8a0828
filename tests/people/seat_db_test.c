/*
 * Staff seat two people at the same moment, of a client without an owner: one
 * is seated at once, and the other waits for 24 hours, as for any client that
 * has an owner.
 */
#include "base/child.h"
#include "requests/world.h"

#include <sys/wait.h>

#include "people/seat.h"

#define PATIENCE_S	60

static const char	*keepers[2], *persons[2];

static int
begin(void **state)
{
	int	i;

	if (world_setup(state) != 0)
		return (-1);
	tenant_add("NOOWNER", "No Owner Works");
	for (i = 0; i < 2; i++) {
		keepers[i] = staff("Sam Keeper");
		persons[i] = contact("Pia Planned", "noowner.example",
		    "No Owner Works");
	}
	return (0);
}

static void
child(int i, int out)
{
	struct db	*own;
	const char	*why;
	int		 told;

	own = db_open(getenv("LATCHKEY_TEST_DATABASE_URL"), "race", arena,
	    world_fail, NULL, &why);
	if (own == NULL)
		_exit(1);
	db_patience(own, PATIENCE_S);
	run(own, "SET lock_timeout = '60s'", DB_NONE);
	told = (int)seat_db_plan(own, keepers[i], persons[i], "NOOWNER",
	    "The owner left");
	if (write(out, &told, sizeof(told)) != sizeof(told))
		_exit(1);
	_exit(0);
}

static void
test_two_at_once(void **state)
{
	int	out[2], told, status, i, done = 0, planned = 0;

	(void)state;
	assert_int_equal(pipe(out), 0);
	run(owner, "BEGIN", DB_NONE);
	/* As whoever lets somebody in to the client has it. */
	run(owner, "SELECT FROM tenant WHERE code = 'NOOWNER' FOR KEY SHARE",
	    DB_NONE);
	for (i = 0; i < 2; i++) {
		if (child_fork() == 0)
			child(i, out[1]);
	}
	while (count(db, "SELECT count(*) FROM pg_stat_activity WHERE "
	    "datname = current_database() AND application_name = 'race' AND "
	    "wait_event_type = 'Lock'", DB_NONE) < 2)
		(void)usleep(1000);
	run(owner, "COMMIT", DB_NONE);
	for (i = 0; i < 2; i++) {
		assert_int_equal(read(out[0], &told, sizeof(told)),
		    sizeof(told));
		done += told == SEAT_DONE;
		planned += told == SEAT_PLANNED;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(done, 1);
	assert_int_equal(planned, 1);
	assert_int_equal(count(db, "SELECT count(*) FROM membership m JOIN "
	    "tenant t ON t.id = m.tenant_id WHERE t.code = 'NOOWNER'",
	    DB_NONE), 1);
	assert_int_equal(count(db, "SELECT count(*) FROM seating s JOIN "
	    "tenant t ON t.id = s.tenant_id WHERE t.code = 'NOOWNER' AND "
	    "s.ended_at IS NULL AND s.due_at = s.planned_at + "
	    "interval '24 hours'", DB_NONE), 1);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_two_at_once),
	};

	return (cmocka_run_group_tests(tests, begin, world_teardown));
}
