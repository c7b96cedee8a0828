/*
 * Who the client is, behind proxies that are trusted and proxies that lie.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include "web/address.h"

static struct arena	*a;

static int
up(void **state)
{
	(void)state;
	a = arena_new(1u << 16, NULL, NULL);
	return (0);
}

static int
down(void **state)
{
	(void)state;
	arena_free(a);
	return (0);
}

static struct networks
nets(const char *text)
{
	struct networks	n;

	assert_true(networks_parse(text, &n));
	return (n);
}

static void
networks(void **state)
{
	static const char *const bad[] = { "10.0.0.0/33", "x", "1.2.3",
		"::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x" };
	struct networks	 n = nets("10.0.0.0/9, 192.0.2.7 2001:db8::/33");
	size_t		 i;

	(void)state;
	assert_int_equal(n.n, 3);
	assert_true(networks_hold(&n, "10.127.255.255"));
	assert_false(networks_hold(&n, "10.128.0.0"));
	assert_true(networks_hold(&n, "192.0.2.7"));
	assert_false(networks_hold(&n, "192.0.2.8"));
	assert_true(networks_hold(&n, "::ffff:192.0.2.7"));
	assert_true(networks_hold(&n, "2001:db8:7fff::1"));
	assert_false(networks_hold(&n, "2001:db8:8000::1"));
	assert_false(networks_hold(&n, "unix"));
	for (i = 0; i < COUNT(bad); i++)
		assert_false(networks_parse(bad[i], &n));
	assert_int_equal(nets("").n, 0);
}

static void
client(void **state)
{
	struct networks	n = nets("127.0.0.1 10.0.0.0/8"), none = nets("");

	(void)state;
	/* Nobody is trusted: the header is a stranger's claim. */
	assert_string_equal(client_address(a, &none, "127.0.0.1", "1.1.1.1"),
	    "127.0.0.1");
	assert_string_equal(client_address(a, &n, "203.0.113.9", "1.1.1.1"),
	    "203.0.113.9");
	/* The rightmost that no proxy of ours is. */
	assert_string_equal(client_address(a, &n, "127.0.0.1",
	    "6.6.6.6, 198.51.100.7, 10.1.1.1"), "198.51.100.7");
	assert_string_equal(client_address(a, &n, "unix", "198.51.100.7"),
	    "198.51.100.7");
	assert_string_equal(client_address(a, &n, "127.0.0.1", "2001:db8::5"),
	    "2001:db8::5");
	/* Rubbish ends the search. */
	assert_string_equal(client_address(a, &n, "127.0.0.1",
	    "6.6.6.6, <script>, 10.1.1.1"), "10.1.1.1");
	assert_string_equal(client_address(a, &n, "127.0.0.1", ""),
	    "127.0.0.1");
	assert_string_equal(client_address(a, &n, "127.0.0.1", NULL),
	    "127.0.0.1");
	assert_string_equal(client_address(a, &n, "127.0.0.1", ",,,"),
	    "127.0.0.1");
}

static void
network_of_a_client(void **state)
{
	(void)state;
	assert_string_equal(client_network(a, "198.51.100.7"), "198.51.100.7");
	assert_string_equal(client_network(a, "2001:db8:1:2:3:4:5:6"),
	    "2001:db8:1:2::");
	assert_string_equal(client_network(a, "unix"), "unix");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(networks, up, down),
		cmocka_unit_test_setup_teardown(client, up, down),
		cmocka_unit_test_setup_teardown(network_of_a_client, up, down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
