/*
 * Addresses of a Redis: what each form becomes, and what is none.
 */
#include "base/redis_url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
test_good(void **state)
{
	static const struct {
		const char	*text, *host, *path, *user, *password, *where;
		unsigned	 port, database;
	} good[] = {
		{ "redis://redis.example", "redis.example", "", "", "",
		    "redis.example:6379", 6379, 0 },
		{ "redis://127.0.0.1:6380/15", "127.0.0.1", "", "", "",
		    "127.0.0.1:6380", 6380, 15 },
		{ "redis://[::1]:6380/", "::1", "", "", "", "[::1]:6380",
		    6380, 0 },
		{ "redis://[2001:db8::7]", "2001:db8::7", "", "", "",
		    "[2001:db8::7]:6379", 6379, 0 },
		{ "redis://:se%3Acret@h", "h", "", "", "se:cret", "h:6379",
		    6379, 0 },
		{ "redis://lk:a%40%2f%25@h/3", "h", "", "lk", "a@/%",
		    "h:6379", 6379, 3 },
		{ "redis://u:a:b@h", "h", "", "u", "a:b", "h:6379", 6379, 0 },
		{ "unix:/run/redis.sock", "", "/run/redis.sock", "", "",
		    "unix:/run/redis.sock", 6379, 0 },
		{ "unix:///run/redis.sock?db=2", "", "/run/redis.sock", "", "",
		    "unix:/run/redis.sock", 6379, 2 },
		{ "unix://u:p@/r.sock", "", "/r.sock", "u", "p",
		    "unix:/r.sock", 6379, 0 },
	};
	struct redis_url	 url;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (redis_url_read(&url, good[i].text) != NULL)
			fail_msg("%s", good[i].text);
		assert_string_equal(url.host, good[i].host);
		assert_string_equal(url.path, good[i].path);
		assert_string_equal(url.user, good[i].user);
		assert_string_equal(url.password, good[i].password);
		assert_string_equal(url.where, good[i].where);
		assert_int_equal(url.port, good[i].port);
		assert_int_equal(url.database, good[i].database);
	}
}

static void
test_bad(void **state)
{
	static const char *const	 bad[] = { "", "redis", "redis://",
		"redis:///1", "redis://h:", "redis://h:0", "redis://h:65536",
		"redis://h:x", "redis://h/x", "redis://h/-1", "redis://h/1/2",
		"redis://h?db=1", "redis://-h", "redis://a b", "redis://[::1",
		"redis://[]", "redis://[::1]6379", "redis://u@h",
		"redis://u:@h", "redis://:%@h", "redis://:%4@h",
		"redis://:%4g@h", "redis://:%00@h", "redis://:a/b@h",
		"rediss://h", "unix:relative", "unix://relative",
		"unix:/a?db=x", "unix:/a?x=1", "http://h", "REDIS://h" };
	struct redis_url	 url;
	char			 text[700];
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		if (redis_url_read(&url, bad[i]) == NULL)
			fail_msg("%s", bad[i]);
	/* What is too long is refused, not cut. */
	(void)snprintf(text, sizeof(text), "redis://%0300d", 1);
	assert_non_null(redis_url_read(&url, text));
	(void)snprintf(text, sizeof(text), "redis://:%0600d@h", 1);
	assert_non_null(redis_url_read(&url, text));
	(void)snprintf(text, sizeof(text), "unix:/%0107d", 1);
	assert_non_null(redis_url_read(&url, text));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
