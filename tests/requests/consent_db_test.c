/*
 * The consent of an owner as a way in; a new client's first mail domain;
 * decisions on two requests of one contact at the same moment.
 */
#include "base/child.h"
#include "requests/world.h"

#include <sys/wait.h>

#include "requests/consent.h"

static const char	*keeper, *own, *ada, *id;

/* ALTWORX has an owner; ada, a stranger, asks for it. */
static int
begin(void **state)
{
	(void)state;
	world_clear();
	keeper = staff("Tomas Okafor");
	own = contact("Own", "alta.example", "Altaworx");
	ada = contact("Ada", "else.example", "Altaworx");
	tenant_add("ALTWORX", "Altaworx");
	run(db, "INSERT INTO membership (account_id, tenant_id, role, "
	    "let_in_by) SELECT $1, id, 'owner', 'first' FROM tenant",
	    DB_ARGS(own));
	assert_int_equal(request_db_submit(db, ada, product, "Altaworx-KEY",
	    "Altaworx", 48, 0, "live"), REQUEST_SUBMIT_DONE);
	id = text(db, "SELECT id FROM request WHERE account_id = $1",
	    DB_ARGS(ada));
	return (0);
}

static const char *
asked(void)
{
	assert_int_equal(consent_db_ask(db, keeper, id, "ALTWORX"),
	    CONSENT_ASKED);
	return (text(db, "SELECT id FROM request_consent", DB_NONE));
}

static enum request_decide_result
approve(const char *reason)
{
	struct request_decision d = { id, keeper, reason };
	struct request_tenant	t = { "ALTWORX", NULL, NULL, false };

	return (request_db_approve(db, ring, &d, &t));
}

static int64_t
mails(const char *kind)
{
	return (count(owner, "SELECT count(*) FROM outbox WHERE kind = $1",
	    DB_ARGS(kind)));
}

static void
test_yes_is_a_way_in(void **state)
{
	const char	*consent;

	(void)state;
	assert_int_equal(approve(""), REQUEST_DECIDE_NOT);
	consent = asked();
	assert_int_equal(mails("consent_ask"), 1);
	assert_int_equal(consent_db_ask(db, keeper, id, "ALTWORX"),
	    CONSENT_ALREADY);
	assert_int_equal(mails("consent_ask"), 1);
	/* Asking alone lets nobody in. */
	assert_int_equal(approve(""), REQUEST_DECIDE_NOT);
	assert_string_equal(request_db_find(db, id)->candidates[0].consent,
	    "asked");
	/* Who asks does not answer, nor does staff. */
	assert_null(consent_db_find(db, ada, consent));
	assert_false(consent_db_answer(db, ada, consent, true));
	assert_false(consent_db_answer(db, keeper, consent, true));
	assert_non_null(consent_db_find(db, own, consent));
	assert_true(consent_db_answer(db, own, consent, true));
	assert_false(consent_db_answer(db, own, consent, false));
	assert_int_equal(mails("consent_answer"), 1);
	assert_false(request_needs_reason(
	    &request_db_find(db, id)->candidates[0]));
	assert_int_equal(approve(""), REQUEST_DECIDE_DONE);
	assert_int_equal(count(db, "SELECT count(*) FROM membership "
	    "WHERE account_id = $1 AND let_in_by = 'owner'", DB_ARGS(ada)), 1);
	assert_int_equal(mails("owner_contact_joined"), 1);
}

static void
test_no_is_none(void **state)
{
	const char	*consent = asked();

	(void)state;
	assert_true(consent_db_answer(db, own, consent, false));
	assert_int_equal(approve(""), REQUEST_DECIDE_NOT);
	assert_true(request_needs_reason(
	    &request_db_find(db, id)->candidates[0]));
	assert_int_equal(approve("I called them"), REQUEST_DECIDE_DONE);
	assert_int_equal(count(db, "SELECT count(*) FROM membership "
	    "WHERE account_id = $1 AND let_in_by = 'reason'", DB_ARGS(ada)),
	    1);
}

/* A yes of who is no owner any more is none, nor one for another client. */
static void
test_yes_of_others(void **state)
{
	const char	*consent = asked();
	struct request_decision d = { id, keeper, "" };
	struct request_tenant	t = { "OTHER", NULL, NULL, false };

	(void)state;
	assert_true(consent_db_answer(db, own, consent, true));
	tenant_add("OTHER", "Other");
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_NOT);
	run(db, "UPDATE membership SET role = 'member' WHERE account_id = $1",
	    DB_ARGS(own));
	assert_int_equal(approve(""), REQUEST_DECIDE_NOT);
	assert_true(request_needs_reason(
	    &request_db_find(db, id)->candidates[0]));
}

static void
test_who_can_be_asked(void **state)
{
	struct request_decision d = { id, keeper, "No" };
	const char	*consent;

	(void)state;
	assert_int_equal(consent_db_ask(db, keeper, id, "NOSUCH"),
	    CONSENT_NOBODY);
	tenant_add("EMPTY", "Empty");
	assert_int_equal(consent_db_ask(db, keeper, id, "EMPTY"),
	    CONSENT_NOBODY);
	assert_int_equal(consent_db_ask(db, ada, id, "ALTWORX"), CONSENT_NOT);
	consent = asked();
	d.request_id = id;
	assert_int_equal(request_db_reject(db, &d), REQUEST_DECIDE_DONE);
	assert_int_equal(consent_db_ask(db, keeper, id, "OTHER"),
	    CONSENT_NOT);
	/* Too late for an answer. */
	assert_false(consent_db_answer(db, own, consent, true));
	assert_false(consent_db_find(db, own, consent)->is_open);
}

static void
test_first_domain(void **state)
{
	struct request_decision d = { id, keeper, "" };
	struct request_tenant	t = { NULL, "NEW", "New Co", true };
	const char		*bob = contact("Bob", "gmail.com", "Bobs");

	(void)state;
	d.request_id = id;
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_DONE);
	assert_string_equal(text(db, "SELECT domain FROM tenant_domain d "
	    "JOIN tenant t ON t.id = d.tenant_id WHERE t.code = 'NEW'",
	    DB_NONE), "else.example");
	/* A public one never. */
	assert_int_equal(request_db_submit(db, bob, product, "Bobs-KEY",
	    "Bobs", 48, 0, "live"), REQUEST_SUBMIT_DONE);
	d.request_id = text(db, "SELECT id FROM request WHERE account_id = $1",
	    DB_ARGS(bob));
	t = (struct request_tenant){ NULL, "BOBS", "Bobs", true };
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_DONE);
	assert_int_equal(count(db, "SELECT count(*) FROM tenant_domain d "
	    "JOIN tenant t ON t.id = d.tenant_id WHERE t.code = 'BOBS'",
	    DB_NONE), 0);
}

/* Whatever way a mail domain comes on the list, the owners are told once; who
 * becomes owner with it is told of the approval alone. */
static void
test_domains_are_told(void **state)
{
	struct request_decision d = { id, keeper, "" };
	struct request_tenant	t = { NULL, "NEW", "New Co", true };

	(void)state;
	run(db, "INSERT INTO tenant_domain (tenant_id, domain) SELECT id, d "
	    "FROM tenant, unnest('{b.example,a.example}'::text[]) d", DB_NONE);
	assert_int_equal(mails("domain_listed"), 1);
	assert_string_equal(text(owner, "SELECT params->>'domains' FROM outbox "
	    "WHERE kind = 'domain_listed' AND account_id = $1", DB_ARGS(own)),
	    "a.example, b.example");
	assert_int_equal(count(db, "SELECT count(*) FROM notice WHERE "
	    "kind = 'domain_listed' AND account_id = $1", DB_ARGS(own)), 1);
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_DONE);
	assert_int_equal(count(db, "SELECT count(*) FROM tenant_domain",
	    DB_NONE), 3);
	assert_int_equal(mails("domain_listed"), 1);
}

/* A contact without a client has asked for two products; both are approved at
 * the same moment: one gives a client, the other is told so, and nobody waits
 * for a deadlock to end. */
static void
test_two_requests_of_one_contact(void **state)
{
	char		 second[UUID_TEXT];
	const char	*both[2], *why;
	int		 gate[2], i, k, status, done = 0, seated = 0;
	char		 c;

	(void)state;
	uuid_make(second);
	run(db, "INSERT INTO product (id, slug, name) VALUES ($1, 's' || "
	    "right($1::uuid::text, 12), 'Second API')", DB_ARGS(second));
	for (k = 0; k < 5; k++) {
		const char *who = contact("Eve", "eve.example", "Eve");

		for (i = 0; i < 2; i++) {
			assert_int_equal(request_db_submit(db, who, i == 0 ?
			    product : second, "Eve-KEY", "Eve", 48, 0, "live"),
			    REQUEST_SUBMIT_DONE);
			both[i] = text(db, "SELECT id FROM request WHERE "
			    "account_id = $1 ORDER BY id DESC LIMIT 1",
			    DB_ARGS(who));
		}
		assert_int_equal(pipe(gate), 0);
		for (i = 0; i < 2; i++) {
			if (child_fork() == 0) {
				struct request_decision d = { both[i], keeper,
					"" };
				struct request_tenant t = { NULL, arena_fmt(
				    arena, "EVE%d-%d", k, i), "Eve", false };
				struct db *mine = db_open(getenv(
				    "LATCHKEY_TEST_DATABASE_URL"), "race",
				    arena, world_fail, NULL, &why);

				(void)close(gate[1]);
				(void)!read(gate[0], &c, 1);
				_exit((int)request_db_approve(mine, ring, &d,
				    &t));
			}
		}
		(void)close(gate[0]);
		(void)close(gate[1]);
		for (i = 0; i < 2; i++) {
			assert_true(wait(&status) > 0);
			assert_true(WIFEXITED(status));
			done += WEXITSTATUS(status) == REQUEST_DECIDE_DONE;
			seated += WEXITSTATUS(status) ==
			    REQUEST_DECIDE_SEATED ||
			    WEXITSTATUS(status) == REQUEST_DECIDE_NOT;
		}
		/* What stays open is of the contact's client now. */
		assert_int_equal(count(db, "SELECT count(*) FROM request r "
		    "JOIN membership m ON m.account_id = r.account_id "
		    "AND m.tenant_id = r.tenant_id WHERE r.account_id = $1 "
		    "AND r.state = 'submitted'", DB_ARGS(who)), 1);
	}
	assert_int_equal(done, 5);
	assert_int_equal(seated, 5);
}

/* The client is merged into another: what its owner said counts there, also
 * where the other's owners were asked about the same request and are silent. */
static void
merge_with_answer(bool is_yes, bool both)
{
	const char	*consent = asked();
	const char	*theirs;

	tenant_add("BETA", "Beta");
	if (both) {
		theirs = contact("Bea", "beta.example", "Beta");
		run(db, "INSERT INTO membership (account_id, tenant_id, role, "
		    "let_in_by) SELECT $1, id, 'owner', 'first' FROM tenant "
		    "WHERE code = 'BETA'", DB_ARGS(theirs));
		assert_int_equal(consent_db_ask(db, keeper, id, "BETA"),
		    CONSENT_ASKED);
	}
	assert_true(consent_db_answer(db, own, consent, is_yes));
	assert_int_equal(count(db, "SELECT tenant_merge(f.id, i.id, $1::uuid, "
	    "'one company')::int FROM tenant f, tenant i "
	    "WHERE f.code = 'ALTWORX' AND i.code = 'BETA'", DB_ARGS(keeper)),
	    1);
	assert_int_equal(count(db, "SELECT count(*) FROM request_consent c "
	    "JOIN tenant t ON t.id = c.tenant_id AND t.code = 'BETA' "
	    "WHERE c.answer = $1 AND c.answered_by = $2",
	    DB_ARGS(is_yes ? "yes" : "no", own)), 1);
}

static void
test_consent_follows_a_merge(void **state)
{
	struct request_decision	 d = { id, keeper, "" };
	struct request_tenant	 t = { "BETA", NULL, NULL, false };

	merge_with_answer(true, false);
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_DONE);
	begin(state);
	d.request_id = id;
	d.staff_id = keeper;
	merge_with_answer(true, true);
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_DONE);
	begin(state);
	d.request_id = id;
	d.staff_id = keeper;
	merge_with_answer(false, true);
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_NOT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_yes_is_a_way_in, begin),
		cmocka_unit_test_setup(test_no_is_none, begin),
		cmocka_unit_test_setup(test_yes_of_others, begin),
		cmocka_unit_test_setup(test_who_can_be_asked, begin),
		cmocka_unit_test_setup(test_first_domain, begin),
		cmocka_unit_test_setup(test_domains_are_told, begin),
		cmocka_unit_test_setup(test_two_requests_of_one_contact,
		    begin),
		cmocka_unit_test_setup(test_consent_follows_a_merge, begin),
	};

	return (cmocka_run_group_tests(tests, world_setup, world_teardown));
}
