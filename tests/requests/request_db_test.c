/*
 * Requests against a real PostgreSQL (LATCHKEY_TEST_DATABASE_URL): who may
 * ask, what staff see, and that a decision is whole, once, and within the rule
 * of letting in.
 */
#include <poll.h>
#include <sys/wait.h>

#include "requests/queue.h"
#include "requests/world.h"

#include "requests/request.h"

static const char	*keeper;	/* a member of staff */

static int
begin(void **state)
{
	(void)state;
	world_clear();
	keeper = staff("Tomas Okafor");
	return (0);
}

static const char *
ask(const char *account, const char *name, const char *client)
{
	assert_int_equal(request_db_submit(db, account, product, name, client,
	    48, 0, "live"), REQUEST_SUBMIT_DONE);
	return (text(db, "SELECT id FROM request WHERE account_id = $1 "
	    "ORDER BY id DESC LIMIT 1", DB_ARGS(account)));
}

static enum request_decide_result
approve_new(const char *request, const char *code, const char *name)
{
	struct request_decision	d = { request, keeper, "" };
	struct request_tenant	t = { NULL, code, name, false };

	return (request_db_approve(db, ring, &d, &t));
}

static enum request_decide_result
approve_into(const char *request, const char *code, const char *reason)
{
	struct request_decision	d = { request, keeper, reason };
	struct request_tenant	t = { code, NULL, NULL, false };

	return (request_db_approve(db, ring, &d, &t));
}

static enum request_decide_result
share(const char *request, const char *code, const char *reason)
{
	struct request_decision	d = { request, keeper, reason };

	return (request_db_share(db, &d, code));
}

static int64_t
mails(const char *kind, const char *account)
{
	return (count(owner, "SELECT count(*) FROM outbox WHERE kind = $1 "
	    "AND account_id = $2", DB_ARGS(kind, account)));
}

static int64_t
audits(const char *action, const char *subject)
{
	return (count(db, "SELECT count(*) FROM audit WHERE action = $1 "
	    "AND subject_id = $2", DB_ARGS(action, subject)));
}

static const char *
state_of(const char *request)
{
	return (text(db, "SELECT state FROM request WHERE id = $1",
	    DB_ARGS(request)));
}

static const char *
role_in(const char *account, const char *code)
{
	return (text(db, "SELECT m.role || ' by ' || m.let_in_by "
	    "FROM membership m JOIN tenant t ON t.id = m.tenant_id "
	    "WHERE m.account_id = $1 AND t.code = $2",
	    DB_ARGS(account, code)));
}

static void
test_submit(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altaworx");
	const char	*second = staff("Second Keeper");
	const char	*id;

	(void)state;
	id = ask(ada, "Altaworx-KEY", "Altaworx, Inc.");
	assert_string_equal(state_of(id), "submitted");
	assert_string_equal(text(db, "SELECT client_folded FROM request "
	    "WHERE id = $1", DB_ARGS(id)), "altaworx");
	assert_int_equal(count(db, "SELECT extract(epoch FROM due_at - "
	    "submitted_at)::bigint FROM request WHERE id = $1", DB_ARGS(id)),
	    48 * 3600);
	assert_int_equal(mails("request_submitted_staff", keeper), 1);
	assert_int_equal(mails("request_submitted_staff", second), 1);
	assert_int_equal(mails("request_submitted", ada), 1);
	assert_int_equal(audits("request.submitted", id), 1);
	/* All parameters of a mail are texts. */
	assert_int_equal(count(owner, "SELECT count(*) FROM outbox o, "
	    "jsonb_each(o.params) p WHERE jsonb_typeof(p.value) <> 'string'",
	    DB_NONE), 0);
	/* Another while it is open changes nothing. */
	assert_int_equal(request_db_submit(db, ada, product, "Alta-KEY",
	    "Alta", 48, 0, "live"), REQUEST_SUBMIT_OPEN);
	assert_int_equal(mails("request_submitted", ada), 1);
	/* Staff can't ask. */
	assert_int_equal(request_db_submit(db, keeper, product, "Alta-KEY",
	    "Alta", 48, 0, "live"), REQUEST_SUBMIT_CLOSED);
}

static void
test_closed_product(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altaworx");

	(void)state;
	run(db, "UPDATE product SET state = 'closed' WHERE id = $1",
	    DB_ARGS(product));
	assert_int_equal(request_db_submit(db, ada, product, "Alta-KEY",
	    "Alta", 48, 0, "live"), REQUEST_SUBMIT_CLOSED);
	run(db, "UPDATE product SET state = 'published' WHERE id = $1",
	    DB_ARGS(product));
}

static void
test_approve_new(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altaworx");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx"), *sub;

	(void)state;
	assert_int_equal(approve_new(id, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_DONE);
	assert_string_equal(state_of(id), "approved");
	assert_string_equal(role_in(ada, "ALTWORX"), "owner by first");
	sub = text(db, "SELECT subscription_id FROM request WHERE id = $1",
	    DB_ARGS(id));
	assert_string_equal(text(db, "SELECT name || ' ' || state FROM "
	    "subscription WHERE id = $1", DB_ARGS(sub)),
	    "Altaworx-KEY active");
	assert_string_equal(text(db, "SELECT string_agg(slot, ' ' ORDER BY "
	    "slot) FROM subscription_key WHERE subscription_id = $1 "
	    "AND state = 'current'", DB_ARGS(sub)), "primary secondary");
	assert_int_equal(count(db, "SELECT count(DISTINCT mac) + "
	    "count(DISTINCT prefix_mac) FROM subscription_key "
	    "WHERE subscription_id = $1", DB_ARGS(sub)), 4);
	assert_string_equal(text(db, "SELECT slug FROM tenant WHERE code = "
	    "'ALTWORX'", DB_NONE), "altaworx");
	assert_int_equal(audits("request.approved", id), 1);
	assert_int_equal(audits("subscription.created", sub), 1);
	assert_int_equal(audits("membership.created", ada), 1);
	assert_int_equal(mails("request_approved", ada), 1);
	assert_int_equal(count(owner, "SELECT count(*) FROM outbox "
	    "WHERE kind = 'owner_contact_joined'", DB_NONE), 0);
}

static void
test_twice(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altaworx");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx");
	struct request_decision	no = { id, keeper, "Not a client of ours." };

	(void)state;
	assert_int_equal(approve_new(id, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_DONE);
	assert_int_equal(approve_new(id, "ALTWORX2", "Altaworx"),
	    REQUEST_DECIDE_NOT);
	assert_int_equal(request_db_reject(db, &no), REQUEST_DECIDE_NOT);
	assert_int_equal(share(id, "ALTWORX", "why"), REQUEST_DECIDE_NOT);
	assert_int_equal(request_db_withdraw(db, ada, id),
	    REQUEST_WITHDRAW_LATE);
	assert_int_equal(count(db, "SELECT count(*) FROM subscription",
	    DB_NONE), 1);
	assert_int_equal(count(db, "SELECT count(*) FROM tenant", DB_NONE),
	    1);
	assert_int_equal(mails("request_approved", ada), 1);
	assert_int_equal(mails("request_rejected", ada), 0);
}

/* Of two requests of one tenant, one gets the key. */
static void
test_one_key(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altaworx");
	const char	*bob = contact("Bob", "altaworx.example", "ALTAWORX");
	const char	*first = ask(ada, "Altaworx-KEY", "Altaworx");
	const char	*second = ask(bob, "ALTAWORX-KEY", "ALTAWORX");

	(void)state;
	assert_int_equal(approve_new(first, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_DONE);
	assert_int_equal(approve_into(second, "ALTWORX", "Known by phone"),
	    REQUEST_DECIDE_HAS_KEY);
	assert_string_equal(state_of(second), "submitted");
	assert_string_equal(role_in(bob, "ALTWORX"), "");
	assert_int_equal(mails("owner_contact_joined", ada), 0);
	/* Nor as a new client with that code. */
	assert_int_equal(approve_new(second, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_CODE);
	/* The rule: neither domain nor reason. */
	assert_int_equal(share(second, "ALTWORX", ""), REQUEST_DECIDE_NOT);
	assert_int_equal(share(second, "ALTWORX", "Known by phone"),
	    REQUEST_DECIDE_DONE);
	assert_string_equal(state_of(second), "shared");
	assert_string_equal(role_in(bob, "ALTWORX"), "member by reason");
	assert_int_equal(mails("owner_contact_joined", ada), 1);
	assert_int_equal(mails("request_shared", bob), 1);
	assert_int_equal(audits("request.shared", second), 1);
	assert_int_equal(count(db, "SELECT count(*) FROM subscription_key",
	    DB_NONE), 2);
	/* A member with a key asks in vain. */
	assert_int_equal(request_db_submit(db, bob, product, "Alta-KEY",
	    "Alta", 48, 0, "live"), REQUEST_SUBMIT_CLOSED);
}

static void
test_letting_in(void **state)
{
	const char	*eve = contact("Eve", "gmail.com", "Altaworx");
	const char	*bob = contact("Bob", "altaworx.example", "Altaworx");
	const char	*id;

	(void)state;
	tenant_add("ALTWORX", "Altaworx");
	id = ask(eve, "Altaworx-KEY", "Altaworx");
	assert_int_equal(approve_into(id, "ALTWORX", ""), REQUEST_DECIDE_NOT);
	assert_string_equal(state_of(id), "submitted");
	assert_int_equal(count(db, "SELECT count(*) FROM membership",
	    DB_NONE), 0);
	assert_int_equal(approve_into(id, "NOBODY", "x"), REQUEST_DECIDE_NOT);
	id = ask(bob, "Altaworx-KEY", "Altaworx");
	domain_add("ALTWORX", "altaworx.example");
	assert_int_equal(approve_into(id, "ALTWORX", ""),
	    REQUEST_DECIDE_DONE);
	/* The first of a tenant that was imported owns it. */
	assert_string_equal(role_in(bob, "ALTWORX"), "owner by domain");
}

/* A contact of one tenant is never moved to another. */
static void
test_never_moved(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altaworx");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx");

	(void)state;
	tenant_add("OTHER", "Other Co");
	domain_add("OTHER", "altaworx.example");
	assert_int_equal(approve_new(id, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_DONE);
	run(db, "UPDATE subscription SET state = 'cancelled'", DB_NONE);
	id = ask(ada, "Altaworx-KEY", "Altaworx");
	assert_int_equal(approve_into(id, "OTHER", "a reason"),
	    REQUEST_DECIDE_NOT);
	assert_int_equal(approve_new(id, "THIRD", "Third"),
	    REQUEST_DECIDE_NOT);
	/* Into his own again: no reason is needed, the seat stays. */
	assert_int_equal(approve_into(id, "ALTWORX", ""),
	    REQUEST_DECIDE_DONE);
	assert_string_equal(role_in(ada, "ALTWORX"), "owner by first");
	assert_int_equal(count(db, "SELECT count(*) FROM membership",
	    DB_NONE), 1);
	assert_int_equal(audits("membership.created", ada), 1);
}

/* Colleagues of one tenant: the second open request is refused at once. */
static void
test_one_open(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altaworx");
	const char	*bob = contact("Bob", "altaworx.example", "Altaworx");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx");
	struct request_decision	no;

	(void)state;
	assert_int_equal(approve_new(id, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_DONE);
	id = ask(bob, "Altaworx-KEY", "Altaworx");
	assert_int_equal(share(id, "ALTWORX", "phone"), REQUEST_DECIDE_DONE);
	run(db, "UPDATE subscription SET state = 'expired'", DB_NONE);
	id = ask(bob, "Altaworx-KEY", "Altaworx");
	assert_int_equal(request_db_submit(db, ada, product, "Altaworx-KEY",
	    "Altaworx", 48, 0, "live"), REQUEST_SUBMIT_OPEN);
	/* A member can't end a colleague's; an owner can, and he is told. */
	assert_int_equal(request_db_withdraw(db, contact("X", "x.example",
	    "X"), id), REQUEST_WITHDRAW_NONE);
	assert_int_equal(request_db_withdraw(db, ada, id),
	    REQUEST_WITHDRAW_DONE);
	assert_int_equal(mails("request_withdrawn", bob), 1);
	assert_int_equal(audits("request.withdrawn", id), 1);
	id = ask(ada, "Altaworx-KEY", "Altaworx");
	assert_int_equal(request_db_withdraw(db, bob, id),
	    REQUEST_WITHDRAW_NONE);
	no = (struct request_decision){ id, keeper, "Ended long ago" };
	assert_int_equal(request_db_reject(db, &no), REQUEST_DECIDE_DONE);
	assert_string_equal(text(owner, "SELECT params ->> 'reason' FROM "
	    "outbox WHERE kind = 'request_rejected' AND account_id = $1",
	    DB_ARGS(ada)), "Ended long ago");
	assert_int_equal(audits("request.rejected", id), 1);
}

/* Only staff decide, who still are staff, and never on their own. */
static void
test_who_decides(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altaworx");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx");
	struct request_decision	d = { id, ada, "why" };
	struct request_tenant	t = { NULL, "ALTWORX", "Altaworx", false };

	(void)state;
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_NOT);
	assert_int_equal(request_db_reject(db, &d), REQUEST_DECIDE_NOT);
	run(db, "UPDATE account SET state = 'disabled' WHERE id = $1",
	    DB_ARGS(keeper));
	assert_int_equal(approve_new(id, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_NOT);
	/* A member of staff who had a request from before. */
	run(db, "UPDATE account SET state = 'active' WHERE id = $1",
	    DB_ARGS(keeper));
	run(owner, "UPDATE request SET account_id = $1 WHERE id = $2",
	    DB_ARGS(keeper, id));
	d.staff_id = keeper;
	assert_int_equal(request_db_approve(db, ring, &d, &t),
	    REQUEST_DECIDE_NOT);
	assert_int_equal(request_db_reject(db, &d), REQUEST_DECIDE_NOT);
	assert_string_equal(state_of(id), "submitted");
}

static void
test_slugs(void **state)
{
	const char	*id;

	(void)state;
	tenant_add("ACME1", "Acme");
	run(db, "INSERT INTO tenant (id, code, name, name_folded, slug) "
	    "VALUES (gen_random_uuid(), 'ACME2', 'Acme', 'acme', 'acme-2')",
	    DB_NONE);
	id = ask(contact("Ada", "acme.example", "Acme"), "Acme-KEY", "Acme");
	assert_int_equal(approve_new(id, "ACME3", "Acme"),
	    REQUEST_DECIDE_DONE);
	assert_string_equal(text(db, "SELECT slug FROM tenant WHERE code = "
	    "'ACME3'", DB_NONE), "acme-3");
	id = ask(contact("Ada", "acme.example", "شركة"), "شركة-KEY", "شركة");
	assert_int_equal(approve_new(id, "SHARIKA", "شركة"),
	    REQUEST_DECIDE_DONE);
	assert_string_equal(text(db, "SELECT slug FROM tenant WHERE code = "
	    "'SHARIKA'", DB_NONE), "sharika");
}

static void
test_find(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altaworx");
	const char	*bob = contact("Bob", "mail.altaworx.example",
			    "Altaworx LLC");
	const char	*id = ask(ada, "Altaworx-KEY", "Altaworx");
	struct request	*r = request_db_find(db, id);

	(void)state;
	assert_int_equal(r->candidates_n, 0);
	assert_int_equal(r->others_open, 0);
	assert_true(request_approvable(r));
	assert_null(request_shareable(r));
	assert_int_equal(approve_new(id, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_DONE);
	domain_add("ALTWORX", "mail.altaworx.example");
	id = ask(bob, "ALTWORX-KEY", "ALTWORX");	/* its code */
	r = request_db_find(db, id);
	assert_int_equal(r->candidates_n, 1);
	assert_true(r->candidates[0].by_code);
	assert_false(r->candidates[0].by_name);
	assert_true(r->candidates[0].has_domain);
	assert_false(request_needs_reason(&r->candidates[0]));
	assert_string_equal(r->candidates[0].key_name, "Altaworx-KEY");
	assert_string_equal(r->candidates[0].owners, "Ada");
	assert_false(request_approvable(r));
	assert_ptr_equal(request_shareable(r), &r->candidates[0]);
	assert_null(request_db_find(db, ada));
}

static const struct request_check *
check_titled(const struct request_checks *checks, const char *title)
{
	int	i;

	for (i = 0; i < checks->n; i++) {
		if (str_starts(checks->list[i].title, title))
			return (&checks->list[i]);
	}
	fail_msg("no check “%s”", title);
	return (NULL);
}

/* Near misses come with how near they are; the eye is not deceived. */
static void
test_checks(void **state)
{
	const char	*ada = contact("Ada", "altaworx.example", "Altavorx");
	const char	*eve = contact("Eve", "evil.example", "Altaworx");
	const char	*id = ask(ada, "Altavorx-KEY", "Altavorx"), *spoofed;
	struct request	*r;
	struct request_checks checks;

	(void)state;
	tenant_add("ALTWORX", "Altaworx");
	tenant_add("OTHER", "Something else");
	r = request_db_find(db, id);
	assert_int_equal(r->candidates_n, 1);
	assert_string_equal(r->candidates[0].code, "ALTWORX");
	assert_in_range(r->candidates[0].similar, 30, 99);
	assert_true(request_needs_reason(&r->candidates[0]));
	assert_null(request_named(r));
	assert_null(request_shareable(r));
	checks = request_check(arena, r);
	assert_int_equal(checks.n, REQUEST_CHECKS);
	assert_non_null(strstr(check_titled(&checks, "The client is not known")
	    ->text, "Altaworx is similar"));
	assert_string_equal(check_titled(&checks, "The letters are")->tone,
	    "is-good");
	assert_string_equal(check_titled(&checks, "It is young")->tone,
	    "is-good");

	/* A Cyrillic a: another name, but it reads the same. */
	spoofed = ask(eve, "Alt\xd0\xb0worx-KEY", "Alt\xd0\xb0worx");
	r = request_db_find(db, spoofed);
	assert_int_equal(r->candidates_n, 1);
	assert_int_equal(r->candidates[0].similar, 100);
	checks = request_check(arena, r);
	assert_string_equal(check_titled(&checks, "The name may deceive")->tone,
	    "is-warn");

	/* Designated addresses; and a request that is late. */
	run(db, "INSERT INTO tenant_designated (tenant_id, email_folded, "
	    "email) SELECT id, 'boss@altaworx.example', "
	    "'boss@altaworx.example' FROM tenant WHERE code = 'ALTWORX'",
	    DB_NONE);
	run(owner, "UPDATE request SET client_folded = 'altaworx', due_at = "
	    "now() - interval '1 hour' WHERE id = $1", DB_ARGS(id));
	r = request_db_find(db, id);
	checks = request_check(arena, r);
	assert_string_equal(check_titled(&checks, "The contact is not "
	    "designated")->tone, "is-warn");
	assert_string_equal(check_titled(&checks, "It is late")->tone,
	    "is-warn");
	run(db, "INSERT INTO tenant_designated (tenant_id, email_folded, "
	    "email) SELECT t.id, p.email_folded, p.email FROM tenant t, "
	    "person p WHERE t.code = 'ALTWORX' AND p.account_id = $1",
	    DB_ARGS(ada));
	checks = request_check(arena, request_db_find(db, id));
	assert_string_equal(check_titled(&checks, "The contact is "
	    "designated")->tone, "is-good");
}

/* 120 requests come in pages, each once and oldest first. */
static void
test_queue(void **state)
{
	struct queue_filter	 filter = { .product = "", .search = "",
		.after = "" };
	struct queue_list	 list;
	const struct request	*r;
	const char		*sam = staff("Sam"), *last = "";
	int			 i, seen = 0, pages = 0;

	(void)state;
	for (i = 0; i < 120; i++)
		(void)ask(contact("Ada", "gmail.com", "Many"),
		    arena_fmt(arena, "Many %d-KEY", i % 2), "Many");
	/* Of the same moment: the id decides. */
	run(owner, "UPDATE request SET submitted_at = date_trunc('day', now())",
	    DB_NONE);
	do {
		list = queue_db_list(db, &filter, sam);
		assert_int_equal(queue_db_counts(db, &filter, sam).here, 120);
		for (i = 0; i < list.n; i++) {
			r = list.list[i].request;
			assert_true(strcmp(last, r->id) < 0);
			last = r->id;
			assert_true(r->is_public_mail);
			assert_int_equal(r->others_open, 119);
			assert_string_equal(list.list[i].taken_by, "");
			seen++;
		}
		filter.after = list.next_after;
		pages++;
	} while (*filter.after != '\0');
	assert_int_equal(seen, 120);
	assert_int_equal(pages, 3);
	filter.after = "nonsense";
	assert_int_equal(queue_db_list(db, &filter, sam).n, 0);
}

/* Closed a moment ago: nothing is issued or shared, and the outcome says so.
 * Hidden or about to close, whoever asked before may still get a key. */
static void
test_decided_on_closed(void **state)
{
	const char	*ada = contact("Ada", "alta.example", "Altaworx");
	const char	*bob = contact("Bob", "alta.example", "Altaworx");
	const char	*first, *second;

	(void)state;
	first = ask(ada, "Altaworx-KEY", "Altaworx");
	second = ask(bob, "Altaworx-KEY", "Altaworx");
	run(owner, "UPDATE product SET state = 'closed' WHERE id = $1",
	    DB_ARGS(product));
	assert_int_equal(approve_new(first, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_CLOSED);
	assert_string_equal(state_of(first), "submitted");
	assert_int_equal(count(db, "SELECT (SELECT count(*) FROM tenant) + "
	    "(SELECT count(*) FROM subscription)", DB_NONE), 0);
	assert_int_equal(mails("request_approved", ada), 0);
	run(owner, "UPDATE product SET state = 'published' WHERE id = $1",
	    DB_ARGS(product));
	run(owner, "UPDATE product SET state = 'hidden' WHERE id = $1",
	    DB_ARGS(product));
	assert_int_equal(approve_new(first, "ALTWORX", "Altaworx"),
	    REQUEST_DECIDE_DONE);
	run(owner, "UPDATE product SET state = 'closed' WHERE id = $1",
	    DB_ARGS(product));
	assert_int_equal(share(second, "ALTWORX", "known by phone"),
	    REQUEST_DECIDE_CLOSED);
	assert_string_equal(state_of(second), "submitted");
	assert_string_equal(role_in(bob, "ALTWORX"), "");
	run(owner, "UPDATE product SET state = 'published' WHERE id = $1",
	    DB_ARGS(product));
}

/* Somebody closes the product and has not yet committed: the approval waits
 * for that, and is refused. */
static void
test_closing_meets_approval(void **state)
{
	const char	*ada = contact("Ada", "alta.example", "Altaworx");
	const char	*id, *why;
	int		 status;
	pid_t		 other;

	(void)state;
	id = ask(ada, "Altaworx-KEY", "Altaworx");
	run(owner, "BEGIN", DB_NONE);
	run(owner, "UPDATE product SET state = 'closed' WHERE id = $1",
	    DB_ARGS(product));
	other = fork();
	if (other == 0) {
		db = db_open(getenv("LATCHKEY_TEST_DATABASE_URL"),
		    "test closing", arena, world_fail, NULL, &why);
		_exit(approve_new(id, "ALTWORX", "Altaworx") ==
		    REQUEST_DECIDE_CLOSED ? 0 : 1);
	}
	while (count(db, "SELECT count(*) FROM pg_stat_activity "
	    "WHERE wait_event_type = 'Lock' AND datname = current_database()",
	    DB_NONE) == 0 && waitpid(other, &status, WNOHANG) == 0)
		(void)poll(NULL, 0, 5);
	run(owner, "COMMIT", DB_NONE);
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(status, 0);
	assert_string_equal(state_of(id), "submitted");
	run(owner, "UPDATE product SET state = 'published' WHERE id = $1",
	    DB_ARGS(product));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_submit, begin),
		cmocka_unit_test_setup(test_closed_product, begin),
		cmocka_unit_test_setup(test_approve_new, begin),
		cmocka_unit_test_setup(test_twice, begin),
		cmocka_unit_test_setup(test_one_key, begin),
		cmocka_unit_test_setup(test_letting_in, begin),
		cmocka_unit_test_setup(test_never_moved, begin),
		cmocka_unit_test_setup(test_one_open, begin),
		cmocka_unit_test_setup(test_who_decides, begin),
		cmocka_unit_test_setup(test_slugs, begin),
		cmocka_unit_test_setup(test_find, begin),
		cmocka_unit_test_setup(test_checks, begin),
		cmocka_unit_test_setup(test_queue, begin),
		cmocka_unit_test_setup(test_decided_on_closed, begin),
		cmocka_unit_test_setup(test_closing_meets_approval, begin),
	};

	return (cmocka_run_group_tests(tests, world_setup, world_teardown));
}
