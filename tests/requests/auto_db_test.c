/*
 * Approval by checks, with the courier's rights: done when all fits, left to
 * staff for any one thing that does not, and never after somebody stopped it.
 */
#include "base/child.h"
#include "requests/world.h"

#include <sys/wait.h>

#include "requests/auto.h"
#include "requests/thread.h"

static struct db	*courier;
static const char	*keeper, *ada;

static int
setup(void **state)
{
	const char	*why;

	if (world_setup(state) != 0)
		return (-1);
	courier = db_open(getenv("LATCHKEY_TEST_COURIER_URL"), "auto", arena,
	    world_fail, NULL, &why);
	return (courier == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	db_close(courier);
	return (world_teardown(state));
}

/* All that it takes but the request: ALTWORX takes people of alta.example. */
static int
begin(void **state)
{
	(void)state;
	world_clear();
	keeper = staff("Tomas Okafor");
	ada = contact("Ada", "alta.example", "Altaworx");
	tenant_add("ALTWORX", "Altaworx");
	domain_add("ALTWORX", "alta.example");
	run(owner, "UPDATE product SET approval = 'checks', "
	    "approval_delay_min = 60, state = 'published' WHERE id = $1",
	    DB_ARGS(product));
	return (0);
}

static const char *
ask_as(const char *who, const char *name, const char *client)
{
	assert_int_equal(request_db_submit(db, who, product, name, client, 48,
	    0, "live"), REQUEST_SUBMIT_DONE);
	return (text(db, "SELECT id FROM request WHERE account_id = $1",
	    DB_ARGS(who)));
}

static void
fall_due(void)
{
	run(owner, "UPDATE request SET auto_at = now() - interval '1 s' "
	    "WHERE auto_at IS NOT NULL", DB_NONE);
}

static const char *
state_of(const char *id)
{
	return (text(db, "SELECT state || CASE WHEN auto_stopped_at IS NULL "
	    "THEN '' ELSE ' stopped' END FROM request WHERE id = $1",
	    DB_ARGS(id)));
}

static void
test_all_fits(void **state)
{
	const char	*id = ask_as(ada, "Altaworx-KEY", "Altaworx");
	struct thread	 thread;

	(void)state;
	/* Not before the delay is over. */
	assert_int_equal(count(db, "SELECT count(*) FROM request WHERE "
	    "auto_at = submitted_at + interval '1 hour'", DB_NONE), 1);
	assert_int_equal(auto_db_run(courier, ring), 0);
	assert_string_equal(state_of(id), "submitted");
	fall_due();
	assert_int_equal(auto_db_run(courier, ring), 1);
	assert_int_equal(auto_db_run(courier, ring), 0);
	assert_string_equal(state_of(id), "approved");
	assert_int_equal(count(db, "SELECT count(*) FROM subscription s "
	    "JOIN subscription_key k ON k.subscription_id = s.id "
	    "JOIN tenant t ON t.id = s.tenant_id WHERE t.code = 'ALTWORX' "
	    "AND s.state = 'active' AND s.approved_by IS NULL", DB_NONE), 2);
	assert_int_equal(count(db, "SELECT count(*) FROM membership WHERE "
	    "account_id = $1 AND role = 'owner' AND let_in_by = 'domain'",
	    DB_ARGS(ada)), 1);
	assert_int_equal(count(db, "SELECT count(*) FROM audit WHERE "
	    "subject_id = $1 AND action = 'request.approved' "
	    "AND actor_kind = 'system'", DB_ARGS(id)), 1);
	assert_int_equal(count(owner, "SELECT count(*) FROM outbox "
	    "WHERE kind = 'request_approved'", DB_NONE), 1);
	thread = thread_db_read(db, id, true);
	assert_string_equal(thread.list[thread.n - 1].action,
	    "request.approved");
}

/* Each of these alone leaves it to staff, for good. */
static void
test_what_does_not_fit(void **state)
{
	static const char *const faults[] = {
		"DELETE FROM tenant_domain",
		"UPDATE tenant SET name_folded = 'another', name = 'Another'",
		"UPDATE tenant SET state = 'closed', ended_at = now()",
		"INSERT INTO tenant_designated (tenant_id, email_folded, "
		    "email) SELECT id, 'x@y', 'x@y' FROM tenant",
		"UPDATE request SET name = 'Alt' || chr(1072) || 'worx-KEY'",
		"UPDATE request SET due_at = now() - interval '1 s'",
		"UPDATE product SET approval = 'hand'",
		"UPDATE product SET state = 'closed' WHERE approval = 'checks'",
		"INSERT INTO subscription (id, tenant_id, product_id, one_key, "
		    "name) SELECT gen_random_uuid(), t.id, p.id, true, 'K-KEY' "
		    "FROM tenant t, product p WHERE p.approval = 'checks'",
		"UPDATE person SET email_domain = 'gmail.com'",
		"INSERT INTO tenant (id, code, name, name_folded, slug) VALUES "
		    "(gen_random_uuid(), 'TWIN', 'Altaworx', 'altaworx', 'tw')",
	};
	const char	*id;
	size_t		 i;

	for (i = 0; i < COUNT(faults); i++) {
		begin(state);
		id = ask_as(ada, "Altaworx-KEY", "Altaworx");
		fall_due();
		run(owner, faults[i], DB_NONE);
		if (auto_db_run(courier, ring) != 0 ||
		    !str_eq(state_of(id), "submitted stopped"))
			fail_msg("%s: %s", faults[i], state_of(id));
		assert_int_equal(count(db, "SELECT count(*) FROM audit WHERE "
		    "subject_id = $1 AND action = 'request.auto_stopped'",
		    DB_ARGS(id)), 1);
	}
}

/* The function by itself refuses, too: who holds the courier's rights can't
 * approve what does not fit. */
static void
test_another_request_of_the_client(void **state)
{
	const char	*bob = contact("Bob", "alta.example", "Altaworx");
	const char	*one = ask_as(ada, "Altaworx-KEY", "Altaworx");
	const char	*two = ask_as(bob, "Altaworx-KEY", "Altaworx");

	(void)state;
	fall_due();
	assert_int_equal(auto_db_run(courier, ring), 0);
	assert_string_equal(state_of(one), "submitted stopped");
	assert_string_equal(state_of(two), "submitted stopped");
}

static void
test_stopped(void **state)
{
	const char	*id = ask_as(ada, "Altaworx-KEY", "Altaworx");
	struct request	*r;

	(void)state;
	assert_false(auto_db_stop(db, ada, id));
	assert_true(auto_db_stop(db, keeper, id));
	assert_false(auto_db_stop(db, keeper, id));
	r = request_db_find(db, id);
	assert_string_equal(r->auto_stopped_by, "Tomas Okafor");
	fall_due();
	assert_int_equal(auto_db_run(courier, ring), 0);
	assert_string_equal(state_of(id), "submitted stopped");
	/* By hand it goes on. */
	assert_true(request_approvable(r));
}

/* Who asks back has doubts. */
static void
test_a_question_stops_it(void **state)
{
	const char	*id = ask_as(ada, "Altaworx-KEY", "Altaworx");
	struct request_decision question = { id, keeper, "Which?" };

	(void)state;
	fall_due();
	assert_int_equal(thread_db_ask(db, &question), THREAD_DONE);
	assert_int_equal(auto_db_run(courier, ring), 0);
	assert_int_equal(thread_db_say(db, ada, id, "This"), THREAD_DONE);
	assert_int_equal(auto_db_run(courier, ring), 0);
	assert_string_equal(state_of(id), "submitted stopped");
}

/* Two couriers and a member of staff who stops it, at the same moment: it is
 * approved once, or stopped. */
static void
test_at_once(void **state)
{
	const char	*id, *why;
	int		 gate[2], i, round, status, approved, stopped;
	char		 c;

	for (round = 0; round < 8; round++) {
		begin(state);
		id = ask_as(ada, "Altaworx-KEY", "Altaworx");
		fall_due();
		assert_int_equal(pipe(gate), 0);
		for (i = 0; i < 3; i++) {
			if (child_fork() == 0) {
				struct db *mine = db_open(getenv(i == 2 ?
				    "LATCHKEY_TEST_DATABASE_URL" :
				    "LATCHKEY_TEST_COURIER_URL"), "race",
				    arena, world_fail, NULL, &why);

				(void)close(gate[1]);
				(void)!read(gate[0], &c, 1);
				_exit(i == 2 ? auto_db_stop(mine, keeper, id) *
				    2 : (int)auto_db_run(mine, ring));
			}
		}
		(void)close(gate[0]);
		(void)close(gate[1]);
		approved = stopped = 0;
		for (i = 0; i < 3; i++) {
			assert_true(wait(&status) > 0);
			assert_true(WIFEXITED(status));
			approved += WEXITSTATUS(status) == 1;
			stopped += WEXITSTATUS(status) == 2;
		}
		assert_int_equal(approved + stopped, 1);
		assert_string_equal(state_of(id), approved ? "approved" :
		    "submitted stopped");
		assert_int_equal(count(db, "SELECT count(*) FROM subscription",
		    DB_NONE), approved);
		assert_int_equal(count(owner, "SELECT count(*) FROM outbox "
		    "WHERE kind = 'request_approved'", DB_NONE), approved);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_fits, begin),
		cmocka_unit_test_setup(test_what_does_not_fit, begin),
		cmocka_unit_test_setup(test_another_request_of_the_client,
		    begin),
		cmocka_unit_test_setup(test_stopped, begin),
		cmocka_unit_test_setup(test_a_question_stops_it, begin),
		cmocka_unit_test_setup(test_at_once, begin),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
