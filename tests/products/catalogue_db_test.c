/*
 * The lists of products against a real PostgreSQL
 * (LATCHKEY_TEST_DATABASE_URL) with 3000 of them and as many subscriptions:
 * indexes find what is shown, as the plans tell that the portal's own
 * statements get.
 */
#include "accounts/people.h"
#include "db/plan.h"

#include "products/catalogue.h"

static int
setup(void **state)
{
	if (people_setup(state) != 0)
		return (-1);
	(void)people_ask("INSERT INTO product (id, slug, name, state) "
	    "SELECT gen_random_uuid(), 'p-' || n, 'Product ' || md5(n::text), "
	    "CASE WHEN n % 3 = 0 THEN 'published' ELSE 'hidden' END "
	    "FROM generate_series(1, 3000) n");
	(void)people_ask("INSERT INTO tenant (id, code, name, name_folded, "
	    "slug) SELECT gen_random_uuid(), 'PLAN' || n, 'Plan ' || n, "
	    "'plan ' || n, 'plan-' || n FROM generate_series(1, 3000) n");
	(void)people_ask("INSERT INTO subscription (id, tenant_id, product_id, "
	    "one_key, name) SELECT gen_random_uuid(), t.id, p.id, true, "
	    "'A-KEY' FROM (SELECT id, row_number() OVER () AS n FROM tenant "
	    "WHERE code LIKE 'PLAN%') t JOIN (SELECT id, row_number() OVER () "
	    "AS n FROM product WHERE slug LIKE 'p-%') p USING (n)");
	(void)people_ask("ANALYZE product, tenant, subscription");
	return (0);
}

static void
test_lists_by_index(void **state)
{
	struct catalogue_list	 first, second;
	const char		*text;

	(void)state;
	first = catalogue_db_list(db, "");
	assert_int_equal(first.n, CATALOGUE_PAGE_ROWS);
	second = catalogue_db_list(db, first.next_after);
	assert_int_equal(second.n, CATALOGUE_PAGE_ROWS);
	assert_true(strcmp(first.list[CATALOGUE_PAGE_ROWS - 1].p.name,
	    second.list[0].p.name) <= 0);
	assert_int_equal(first.list[0].keys, 1);
	text = plan("ORDER BY lower(p.name)", "(NULL)");
	need(text, "product_order");
	need(text, "subscription_product_live");
	need(text, "request_product_open");
	need_not(text, "Seq Scan");
	need_not(text, "Sort");

	assert_int_equal(product_db_list(db).n, PRODUCTS_MAX);
	text = plan("ORDER BY p.place", "");
	need(text, "product_catalogue");
	need_not(text, "Sort");

	assert_non_null(product_db_find(db, "p-3", NULL));
	assert_null(product_db_find(db, "p-4", NULL));
	need(plan("p.slug = $1", "('p-3', NULL)"), "product_slug");
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_lists_by_index),
	};

	return (cmocka_run_group_tests(tests, setup, people_teardown));
}
