/*
 * The thread: who may say what and when, the clock that stands still, and all
 * ways to end a request at the same moment.
 */
#include "base/child.h"
#include "requests/world.h"

#include <sys/wait.h>

#include "requests/thread.h"
#include "requests/times.h"

#define ROUNDS		12
#define ACTORS		6

static const char	*keeper;

static int
begin(void **state)
{
	(void)state;
	world_clear();
	keeper = staff("Tomas Okafor");
	return (0);
}

static const char *
ask(const char *who, const char *name, const char *client)
{
	assert_int_equal(request_db_submit(db, who, product, name, client,
	    48, 0, "live"), REQUEST_SUBMIT_DONE);
	return (text(db, "SELECT id FROM request WHERE account_id = $1 "
	    "AND state = 'submitted' ORDER BY id DESC LIMIT 1",
	    DB_ARGS(who)));
}

static int64_t
mails(const char *kind)
{
	return (count(owner, "SELECT count(*) FROM outbox WHERE kind = $1",
	    DB_ARGS(kind)));
}

static void
test_question_and_answer(void **state)
{
	const char	*ada = contact("Ada", "alta.example", "Altaworx");
	const char	*bob = contact("Bob", "alta.example", "Altaworx");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx");
	struct request_decision question = { id, keeper, "US\nor UK?" };
	struct thread	 thread;
	struct thread_request *r;

	(void)state;
	assert_int_equal(thread_db_ask(db, &question), THREAD_DONE);
	assert_int_equal(mails("request_question"), 1);
	assert_true(request_db_find(db, id)->waits_on_contact);
	/* It waits already. */
	assert_int_equal(thread_db_ask(db, &question), THREAD_LATE);
	assert_int_equal(mails("request_question"), 1);
	/* Nobody else answers. */
	assert_int_equal(thread_db_say(db, bob, id, "UK"), THREAD_NONE);
	assert_null(thread_db_find(db, bob, id));
	assert_int_equal(thread_db_say(db, keeper, id, "UK"), THREAD_NONE);
	run(owner, "UPDATE request SET waits_since = now() - "
	    "interval '30 hours' WHERE id = $1", DB_ARGS(id));
	assert_int_equal(thread_db_say(db, ada, id, "US"), THREAD_DONE);
	assert_int_equal(count(db, "SELECT count(*) FROM request WHERE id = $1 "
	    "AND waiting_on = 'staff' AND due_at - waited = submitted_at + "
	    "interval '48 hours' AND waited BETWEEN interval '30 hours' "
	    "AND interval '30 hours 1 minute'", DB_ARGS(id)), 1);
	assert_int_equal(mails("request_answer"), 1);
	assert_int_equal(thread_db_say(db, ada, id, "And soon"),
	    THREAD_DONE);
	assert_int_equal(mails("request_answer"), 2);

	thread = thread_db_read(db, id, false);
	assert_int_equal(thread.n, 4);
	assert_string_equal(thread.list[0].action, "request.submitted");
	assert_int_equal(thread.list[1].kind, THREAD_QUESTION);
	assert_string_equal(thread.list[1].text, "US\nor UK?");
	assert_string_equal(thread.list[1].person, "Tomas Okafor");
	assert_true(thread.list[1].is_staff);
	assert_int_equal(thread.list[2].kind, THREAD_ANSWER);
	assert_string_equal(thread.list[2].person, "Ada");
	assert_int_equal(thread.list[3].kind, THREAD_COMMENT);

	/* The reason of a rejection is read by both, and nothing is added. */
	question.reason = "Not yours";
	assert_int_equal(request_db_reject(db, &question),
	    REQUEST_DECIDE_DONE);
	assert_int_equal(thread_db_ask(db, &question), THREAD_LATE);
	assert_int_equal(thread_db_say(db, ada, id, "Why"), THREAD_LATE);
	thread = thread_db_read(db, id, true);
	assert_int_equal(thread.n, 5);
	assert_string_equal(thread.list[4].action, "request.rejected");
	assert_string_equal(thread.list[4].text, "Not yours");
	r = thread_db_find(db, ada, id);
	assert_string_equal(r->reason, "Not yours");
	assert_string_equal(r->decided_by, "Tomas Okafor");
}

/* A remark asks for nothing: the request waits on whom it waited on, the clock
 * goes on, and approval by checks is not stopped. */
static void
test_remark(void **state)
{
	const char	*ada = contact("Ada", "alta.example", "Altaworx");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx");
	const char	*due = text(db, "SELECT due_at::text FROM request "
			    "WHERE id = $1", DB_ARGS(id));
	struct request_decision remark = { id, keeper, "We look into it" };
	struct request_decision theirs = { id, ada, "Do it" };
	struct thread	 thread;

	(void)state;
	assert_int_equal(thread_db_remark(db, &theirs), THREAD_LATE);
	assert_int_equal(mails("request_comment"), 0);
	assert_int_equal(thread_db_remark(db, &remark), THREAD_DONE);
	assert_int_equal(mails("request_comment"), 1);
	assert_int_equal(count(db, "SELECT count(*) FROM notice WHERE "
	    "account_id = $1 AND kind = 'request_comment'", DB_ARGS(ada)), 1);
	assert_false(request_db_find(db, id)->waits_on_contact);
	assert_string_equal(text(db, "SELECT due_at::text FROM request "
	    "WHERE id = $1 AND auto_stopped_at IS NULL", DB_ARGS(id)), due);
	thread = thread_db_read(db, id, true);
	assert_int_equal(thread.list[thread.n - 1].kind, THREAD_COMMENT);
	assert_true(thread.list[thread.n - 1].is_staff);
	assert_string_equal(thread.list[thread.n - 1].text, "We look into it");
	/* While it waits on the contact it goes on waiting. */
	assert_int_equal(thread_db_ask(db, &remark), THREAD_DONE);
	assert_int_equal(thread_db_remark(db, &remark), THREAD_DONE);
	assert_true(request_db_find(db, id)->waits_on_contact);
	assert_int_equal(count(db, "SELECT count(*) FROM audit WHERE "
	    "subject_id = $1 AND action = 'request.commented'", DB_ARGS(id)),
	    2);
	/* And nothing is said behind the decision. */
	assert_int_equal(request_db_reject(db, &remark), REQUEST_DECIDE_DONE);
	assert_int_equal(thread_db_remark(db, &remark), THREAD_LATE);
	assert_int_equal(mails("request_comment"), 2);
}

/* Without the time that waited on the contact, of 30 days, and what waits. */
static void
test_times_of_late(void **state)
{
	const char	*ada = contact("Ada", "alta.example", "Altaworx");
	const int64_t	 hour = INT64_C(3600000000);
	struct times_recent recent;

	(void)state;
	times_db_recent(db, &recent);
	assert_int_equal(recent.decided + recent.median + recent.p95 +
	    recent.waiting, 0);
	run(owner, "INSERT INTO request (id, account_id, product_id, name, "
	    "client_folded, state, submitted_at, due_at, waited, decided_at) "
	    "SELECT gen_random_uuid(), $1, $2, 'T-KEY', 't', x.state, "
	    "x.at - (x.took + 10) * interval '1 h', x.at - (x.took - 38) * "
	    "interval '1 h', interval '10 h', x.at FROM (SELECT n AS took, "
	    "CASE n WHEN 7 THEN 'withdrawn' ELSE 'approved' END AS state, "
	    "now() - CASE n WHEN 9 THEN 31 ELSE 3 END * interval '1 day' "
	    "AS at FROM unnest(ARRAY[1, 2, 3, 4, 60, 7, 9]) n) x",
	    DB_ARGS(ada, product));
	(void)ask(ada, "Altaworx-KEY", "Altaworx");
	(void)ask(contact("Bob", "b.example", "Beta"), "Beta-KEY", "Beta");
	run(owner, "UPDATE request SET due_at = now() - interval '1 s' "
	    "WHERE name = 'Beta-KEY'", DB_NONE);
	times_db_recent(db, &recent);
	assert_int_equal(recent.decided, 5);
	assert_int_equal(recent.median, 3 * hour);
	assert_int_equal(recent.p95, 60 * hour);
	assert_int_equal(recent.late, 1);
	assert_int_equal(recent.waiting, 2);
	assert_int_equal(recent.overdue, 1);
}

/* Why somebody was let in is between staff and the owners. */
static void
test_reasons_for_letting_in(void **state)
{
	const char	*ada = contact("Ada", "alta.example", "Altaworx");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx");
	struct request_decision d = { id, keeper, "I know her voice" };
	struct request_tenant	tenant = { "ALTWORX", NULL, NULL, false };
	struct thread	 thread;

	(void)state;
	tenant_add("ALTWORX", "Altaworx");
	assert_int_equal(request_db_approve(db, ring, &d, &tenant),
	    REQUEST_DECIDE_DONE);
	thread = thread_db_read(db, id, true);
	assert_string_equal(thread.list[thread.n - 1].action,
	    "request.approved");
	assert_string_equal(thread.list[thread.n - 1].text, "");
	thread = thread_db_read(db, id, false);
	assert_string_equal(thread.list[thread.n - 1].text,
	    "I know her voice");
}

/* Of the tenant's people its owners alone. */
static void
test_owners_read_and_answer(void **state)
{
	const char	*own = contact("Own", "alta.example", "Altaworx");
	const char	*ada = contact("Ada", "alta.example", "Altaworx");
	const char	*eve = contact("Eve", "alta.example", "Altaworx");
	const char	*id;
	struct request_decision question;

	(void)state;
	tenant_add("ALTWORX", "Altaworx");
	run(db, "INSERT INTO membership (account_id, tenant_id, role, "
	    "let_in_by) SELECT x.id, t.id, x.role, 'reason' FROM tenant t, "
	    "(VALUES ($1::uuid, 'owner'), ($2::uuid, 'member'), "
	    "($3::uuid, 'manager')) x (id, role)", DB_ARGS(own, ada, eve));
	id = ask(ada, "Altaworx-KEY", "Altaworx");
	question = (struct request_decision){ id, keeper, "Which?" };
	assert_int_equal(thread_db_ask(db, &question), THREAD_DONE);
	assert_null(thread_db_find(db, eve, id));
	assert_int_equal(thread_db_say(db, eve, id, "This"), THREAD_NONE);
	assert_false(thread_db_find(db, own, id)->is_own);
	assert_int_equal(thread_db_say(db, own, id, "This"), THREAD_DONE);
}

static void
test_full(void **state)
{
	const char	*ada = contact("Ada", "alta.example", "Altaworx");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx");
	struct request_decision question = { id, keeper, "Which?" };
	int		 i;

	(void)state;
	for (i = 0; i < THREAD_NOTES_MAX; i++)
		assert_int_equal(thread_db_say(db, ada, id, "More"),
		    THREAD_DONE);
	assert_int_equal(thread_db_say(db, ada, id, "More"), THREAD_FULL);
	assert_int_equal(thread_db_ask(db, &question), THREAD_FULL);
	assert_int_equal(thread_db_read(db, id, false).n,
	    THREAD_NOTES_MAX + 1);
	/* It can be decided still. */
	question.reason = "Too much";
	assert_int_equal(request_db_reject(db, &question),
	    REQUEST_DECIDE_DONE);
}

/* Staff asked a moment after the others began, and were faster. */
static void
test_asked_ahead(void **state)
{
	const char	*ada = contact("Ada", "alta.example", "Altaworx");
	const char	*bob = contact("Bob", "alta.example", "Altaworx");
	const char	*said = ask(ada, "Altaworx-KEY", "Altaworx");
	const char	*gone = ask(bob, "Altaworx-KEY", "Altaworx");
	struct request_decision question = { said, keeper, "Which?" };

	(void)state;
	assert_int_equal(thread_db_ask(db, &question), THREAD_DONE);
	question.request_id = gone;
	assert_int_equal(thread_db_ask(db, &question), THREAD_DONE);
	run(owner, "UPDATE request SET waits_since = now() + "
	    "interval '1 minute'", DB_NONE);
	assert_int_equal(thread_db_say(db, ada, said, "This"), THREAD_DONE);
	assert_int_equal(request_db_withdraw(db, bob, gone),
	    REQUEST_WITHDRAW_DONE);
	assert_int_equal(count(db, "SELECT count(*) FROM request WHERE "
	    "waited = '0' AND due_at = submitted_at + interval '48 hours'",
	    DB_NONE), 2);
}

/* What one of the actors of a round does; true when it was done. */
static bool
act(struct db *on, int actor, const char *id, const char *who)
{
	struct request_decision d = { id, keeper, "because" };
	struct request_tenant	tenant = { NULL, arena_fmt(arena, "T%.8s",
				    id + 24), "Altaworx", false };

	tenant.new_code = str_upper(arena, tenant.new_code);
	switch (actor) {
	case 0:
		return (thread_db_ask(on, &d) == THREAD_DONE);
	case 1:
		return (request_db_withdraw(on, who, id) ==
		    REQUEST_WITHDRAW_DONE);
	case 2:
		return (request_db_reject(on, &d) == REQUEST_DECIDE_DONE);
	case 3:
		return (request_db_approve(on, ring, &d, &tenant) ==
		    REQUEST_DECIDE_DONE);
	case 4:
		return (thread_db_say(on, who, id, "so") == THREAD_DONE);
	default:
		return (thread_db_ask(on, &d) == THREAD_DONE);
	}
}

/* Decide, ask back, answer and withdraw, all at once: one end, one mail of it,
 * and each note that was told as done is there. */
static void
test_all_at_once(void **state)
{
	const char	*ids[ROUNDS], *who[ROUNDS], *why;
	struct {
		int	 actor;
		bool	 done[ROUNDS];
	} told;
	int64_t		 ends = 0, asked = 0, said = 0;
	int		 gate[2], out[2], status, i, k;
	char		 c;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		who[i] = contact("Ada", "alta.example", "Altaworx");
		ids[i] = ask(who[i], arena_fmt(arena, "Race %d-KEY", i),
		    "Race");
	}
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(pipe(out), 0);
	for (k = 0; k < ACTORS; k++) {
		if (child_fork() == 0) {
			struct db *own = db_open(getenv(
			    "LATCHKEY_TEST_DATABASE_URL"), "race", arena,
			    world_fail, NULL, &why);

			(void)close(gate[1]);
			(void)!read(gate[0], &c, 1);
			told.actor = k;
			for (i = 0; i < ROUNDS; i++)
				told.done[i] = act(own, k, ids[i], who[i]);
			_exit(write(out[1], &told, sizeof(told)) !=
			    sizeof(told));
		}
	}
	(void)close(gate[0]);
	(void)close(out[1]);	/* so an actor that dies is no endless wait */
	(void)close(gate[1]);
	for (i = 0; i < ACTORS; i++) {
		assert_int_equal(read(out[0], &told, sizeof(told)),
		    sizeof(told));
		for (k = 0; k < ROUNDS; k++) {
			if (told.actor == 0 || told.actor == 5)
				asked += told.done[k];
			else if (told.actor == 4)
				said += told.done[k];
			else
				ends += told.done[k];
		}
	}
	(void)close(out[0]);
	for (i = 0; i < ACTORS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(ends, ROUNDS);
	assert_int_equal(count(db, "SELECT count(*) FROM request WHERE state = "
	    "'submitted' OR waiting_on = 'contact' OR waits_since IS NOT NULL",
	    DB_NONE), 0);
	assert_int_equal(count(db, "SELECT count(*) FROM request_note "
	    "WHERE kind = 'decision'", DB_NONE), ROUNDS);
	assert_int_equal(count(db, "SELECT count(*) FROM request_note "
	    "WHERE kind = 'question'", DB_NONE), asked);
	assert_int_equal(mails("request_question"), asked);
	assert_int_equal(count(db, "SELECT count(*) FROM request_note "
	    "WHERE kind IN ('answer', 'comment')", DB_NONE), said);
	assert_int_equal(mails("request_approved") + mails("request_rejected"),
	    count(db, "SELECT count(*) FROM request WHERE state IN "
	    "('approved', 'rejected')", DB_NONE));
	/* Nobody asks about what has ended, nor answers twice. */
	assert_int_equal(count(db, "SELECT count(*) FROM request_note n "
	    "JOIN request_note d ON d.request_id = n.request_id "
	    "AND d.kind = 'decision' AND d.id < n.id", DB_NONE), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_question_and_answer, begin),
		cmocka_unit_test_setup(test_remark, begin),
		cmocka_unit_test_setup(test_times_of_late, begin),
		cmocka_unit_test_setup(test_reasons_for_letting_in, begin),
		cmocka_unit_test_setup(test_owners_read_and_answer, begin),
		cmocka_unit_test_setup(test_full, begin),
		cmocka_unit_test_setup(test_asked_ahead, begin),
		cmocka_unit_test_setup(test_all_at_once, begin),
	};

	return (cmocka_run_group_tests(tests, world_setup, world_teardown));
}
