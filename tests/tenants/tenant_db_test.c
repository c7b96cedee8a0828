/*
 * Clients against a real PostgreSQL (LATCHKEY_TEST_DATABASE_URL), 10 000 of
 * them: that the list and its search are found by indexes, as the plans tell
 * that the portal's own statements get.
 */
#include "accounts/people.h"
#include "db/plan.h"

#include "tenants/tenant.h"

#define BATCHES	20		/* of 500: each well within statement_timeout */

static int
setup(void **state)
{
	int	i;

	if (people_setup(state) != 0)
		return (-1);
	for (i = 0; i < BATCHES; i++)
		(void)people_ask(arena_fmt(arena, "WITH t AS (INSERT INTO "
		    "tenant (id, code, name, name_folded, slug) SELECT "
		    "gen_random_uuid(), 'CODE' || n, 'Client ' || "
		    "md5(n::text), 'client' || md5(n::text), 'client-' || n "
		    "FROM generate_series(%d, %d) n RETURNING id, code) "
		    "INSERT INTO tenant_domain SELECT id, lower(code) || "
		    "'.example' FROM t", 500 * i, 500 * i + 499));
	(void)people_ask("ANALYZE tenant, tenant_domain");
	return (0);
}

static void
test_list_by_index(void **state)
{
	struct tenant_list	 first, second;
	const char		*text;

	(void)state;
	first = tenant_db_list(db, "", "");
	assert_int_equal(first.n, TENANT_PAGE_ROWS);
	assert_int_equal(first.total, TENANT_TOTAL_MAX + 1);
	second = tenant_db_list(db, "", first.next_after);
	assert_int_equal(second.n, TENANT_PAGE_ROWS);
	assert_true(strcmp(first.list[TENANT_PAGE_ROWS - 1].code,
	    second.list[0].code) < 0);
	text = plan("WHERE t.state <> 'merged'", "('')");
	need(text, "tenant_code");
	need_not(text, "Seq Scan");
	need_not(text, "Sort  ");
}

static void
test_search_by_index(void **state)
{
	const char	*text;

	(void)state;
	assert_int_equal(tenant_db_list(db, "co", "").n, TENANT_PAGE_ROWS);
	assert_int_equal(tenant_db_list(db, "zz", "").n, 0);
	text = plan("U&'", "('', 'co')");
	need(text, "tenant_beginning");
	need(text, "Index Cond: (((lower(code))");
	need(text, "tenant_domain_beginning");
	need_not(text, "Seq Scan");

	assert_int_equal(tenant_db_list(db, "code9999", "").n, 1);
	assert_int_equal(tenant_db_list(db, "ODE9999.EX", "").n, 1);
	assert_int_equal(tenant_db_list(db, "ode999_", "").n, 0);
	assert_int_equal(tenant_db_list(db, "%%%", "").n, 0);
	text = plan("$3::text", "('', 'code9999', NULL)");
	need(text, "tenant_name_part");
	need(text, "tenant_code_part");
	need(text, "tenant_folded_part");
	need(text, "tenant_domain_part");
	need_not(text, "Seq Scan");
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_list_by_index),
		cmocka_unit_test(test_search_by_index),
	};

	return (cmocka_run_group_tests(tests, setup, people_teardown));
}
