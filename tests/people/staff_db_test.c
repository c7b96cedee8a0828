/*
 * The list of people against a real PostgreSQL (LATCHKEY_TEST_DATABASE_URL)
 * with 10 000 of them: what is found, and that indexes find it, as the plans
 * tell that the portal's own statements get; and that the last admin stays.
 */
#include "accounts/people.h"
#include "db/plan.h"

#include "people/staff.h"

#define BATCHES	10		/* of 1000: each well within statement_timeout */

static const char	*admin;

static void
make_people(int behind)
{
	(void)people_ask(arena_fmt(arena, "WITH a AS (INSERT INTO account "
	    "(id, kind, password_hash) SELECT gen_random_uuid(), 'contact', '' "
	    "FROM generate_series(1, 1000) RETURNING id), "
	    "r AS (SELECT id, %d + row_number() OVER () AS n FROM a) "
	    "INSERT INTO person (account_id, email, email_folded, "
	    "email_domain, name) SELECT id, 'm' || n || '@many.example', "
	    "'m' || n || '@many.example', 'many.example', "
	    "'Person ' || md5(n::text) FROM r", behind));
}

static int
setup(void **state)
{
	int	i;

	if (people_setup(state) != 0)
		return (-1);
	for (i = 0; i < BATCHES; i++)
		make_people(i * 1000);
	(void)people_ask("INSERT INTO tenant (id, code, name, name_folded, "
	    "slug) SELECT gen_random_uuid(), 'CODE' || n, 'Client ' || "
	    "md5(n::text), n::text, 'client-' || n "
	    "FROM generate_series(1, 3000) n");
	(void)people_ask("ANALYZE person, account, tenant");
	return (0);
}

static const char *
staff_make(const char *role)
{
	char	*id = arena_alloc(arena, UUID_TEXT);

	uuid_make(id);
	(void)people_ask(arena_fmt(arena, "WITH a AS (INSERT INTO account "
	    "(id, kind, staff_role, password_hash) VALUES ('%s', 'staff', "
	    "'%s', '') RETURNING id) INSERT INTO person (account_id, email, "
	    "email_folded, email_domain, name) SELECT id, id || '@s.example', "
	    "id || '@s.example', 's.example', 'Staff' FROM a", id, role));
	return (id);
}

static void
test_lists_by_index(void **state)
{
	struct staff_people	 first, second;
	const char		*text;

	(void)state;
	first = staff_db_list(db, "", "");
	assert_int_equal(first.n, STAFF_PAGE_ROWS);
	second = staff_db_list(db, "", first.next_after);
	assert_int_equal(second.n, STAFF_PAGE_ROWS);
	assert_true(strcmp(first.list[STAFF_PAGE_ROWS - 1].person,
	    second.list[0].person) <= 0);
	text = plan("FROM person p JOIN account a", "(NULL)");
	need(text, "person_order");
	need_not(text, "Seq Scan on person");
	need_not(text, "Sort");

	assert_int_equal(staff_db_list(db, "m7", "").n, STAFF_PAGE_ROWS);
	assert_int_equal(staff_db_list(db, "zz", "").n, 0);
	text = plan("U&'", "('m7', 'm7', 0)");
	need(text, "person_order");
	need(text, "person_address");
	need(text, "tenant_beginning");
	need_not(text, "Seq Scan on person");
	/* t_2 and above are joined to the hits: 3,000 are read at once. */
	need_not(text, "Seq Scan on tenant t ");
	need_not(text, "Seq Scan on tenant t_1 ");

	assert_int_equal(staff_db_list(db, "m777@many", "").n, 1);
	assert_int_equal(staff_db_list(db, "M777@MANY", "").n, 1);
	assert_int_equal(staff_db_list(db, "m7_7@many", "").n, 0);
	assert_int_equal(staff_db_list(db, "%%%", "").n, 0);
	text = plan("LIKE", "('m777', 'm777', 0)");
	need(text, "person_name_part");
	need(text, "person_address_part");
	need(text, "tenant_name_part");
	need(text, "tenant_code_part");
	need_not(text, "Seq Scan on person");
	/* t_2 and above are joined to the hits: 3,000 are read at once. */
	need_not(text, "Seq Scan on tenant t ");
	need_not(text, "Seq Scan on tenant t_1 ");
}

/* What stands in everybody's address: as many as are shown, each once. */
static void
test_hits_are_bounded(void **state)
{
	struct staff_people	 page = { .next_after = "" };
	const char		*seen[STAFF_HITS_MAX];
	int			 i, k, n = 0;

	(void)state;
	do {
		page = staff_db_list(db, "@many.exam", page.next_after);
		assert_true(page.n > 0 && n + page.n <= STAFF_HITS_MAX);
		for (i = 0; i < page.n; i++) {
			for (k = 0; k < n; k++)
				assert_string_not_equal(seen[k],
				    page.list[i].account_id);
			seen[n++] = page.list[i].account_id;
		}
		assert_int_equal(page.is_cut, *page.next_after == '\0');
	} while (*page.next_after != '\0');
	assert_int_equal(n, STAFF_HITS_MAX);
	assert_int_equal(staff_db_list(db, "@many.exam", "x").n, 0);
	assert_int_equal(staff_db_list(db, "@many.exam", "-1").n, 0);
	assert_int_equal(staff_db_list(db, "@many.exam", "201").n, 0);

	/* What is so goes before what begins so, and that before a part. */
	page = staff_db_list(db, "m77@many.example", "");
	assert_string_equal(page.list[0].email, "m77@many.example");
	page = staff_db_list(db, "m77", "");
	assert_string_equal(page.list[0].email, "m77@many.example");
	for (i = 0; i < page.n; i++)
		assert_int_equal(strncmp(page.list[i].email, "m77", 3), 0);
	assert_false(page.is_cut);
}

static void
test_last_admin(void **state)
{
	const char	*keeper = staff_make("staff"), *other;

	(void)state;
	admin = staff_make("admin");
	/* Nobody changes themselves, and staff change no admin. */
	assert_int_equal(staff_db_disable(db, admin, admin, "x"),
	    STAFF_MAY_NOT);
	assert_int_equal(staff_db_disable(db, keeper, admin, "x"),
	    STAFF_MAY_NOT);
	assert_int_equal(staff_db_change(db, keeper, admin, ACCOUNT_STAFF),
	    STAFF_MAY_NOT);
	assert_int_equal(staff_db_dismiss(db, admin, admin), STAFF_MAY_NOT);
	/* A disabled admin does nothing, and is none that counts. */
	other = staff_make("admin");
	assert_int_equal(staff_db_disable(db, admin, other, "x"), STAFF_DONE);
	assert_int_equal(staff_db_disable(db, other, admin, "x"),
	    STAFF_MAY_NOT);
	assert_int_equal(staff_db_enable(db, other, other), STAFF_MAY_NOT);
	assert_int_equal(staff_db_enable(db, admin, other), STAFF_DONE);
	assert_int_equal(staff_db_dismiss(db, other, admin), STAFF_DONE);
	assert_null(staff_db_find(db, admin));
	assert_int_equal(staff_db_change(db, admin, other, ACCOUNT_STAFF),
	    STAFF_MAY_NOT);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_lists_by_index),
		cmocka_unit_test(test_hits_are_bounded),
		cmocka_unit_test(test_last_admin),
	};

	return (cmocka_run_group_tests(tests, setup, people_teardown));
}
