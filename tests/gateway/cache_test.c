/*
 * The cache alone: what is good, stale, absent, in grace, and who goes.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "gateway/cache.h"

#define MAX	64u
#define LATER	INT64_MAX	/* asked after everything was read */

static const struct plan	 plan = { .minute = 200 };
static const char	 matrix[] = "/a GET=all\n/b\n";
static unsigned char	 tenants[2][CACHE_UUID];
static char		 ids[2][UUID_TEXT];

static int
begin(void **state)
{
	size_t	 i;

	(void)state;
	crypto_init();
	for (i = 0; i < COUNT(tenants); i++) {
		uuid_make(ids[i]);
		assert_true(uuid_read(tenants[i], ids[i]));
	}
	cache_setup(MAX);
	cache_hears();
	return (0);
}

static int
end(void **state)
{
	(void)state;
	cache_end();
	assert_int_equal(cache_count().sets, 0);
	return (0);
}

static struct shared_product *
product(const unsigned char *id, bool needs_user, const char *environment,
    const char *scopes)
{
	struct shared_product	 p;

	memset(&p, 0, sizeof(p));
	memcpy(p.id, id, CACHE_UUID);
	(void)snprintf(p.slug, sizeof(p.slug), "revio-api");
	(void)snprintf(p.environment, sizeof(p.environment), "%s",
	    environment);
	p.needs_user = needs_user;
	p.plan = plan;
	p.scopes = (char *)(uintptr_t)scopes;
	return (cache_product(&p));
}

static const unsigned char *
mac_of(unsigned number)
{
	static unsigned char	 mac[SHA256_BYTES];

	sha256(mac, &number, sizeof(number));
	return (mac);
}

static struct key_entry *
put(unsigned number, unsigned tenant)
{
	return (cache_put_key(mac_of(number), tenants[tenant],
	    cache_begin()));
}

static bool
good(unsigned number)
{
	struct key_entry	*k = cache_key(mac_of(number));

	return (k != NULL && cache_good(&k->entry, LATER));
}

static void
test_uuid(void **state)
{
	char	 text[UUID_TEXT];

	(void)state;
	uuid_write(text, tenants[0]);
	assert_string_equal(text, ids[0]);
	assert_false(uuid_read(tenants[0], "*"));
}

static void
test_told(void **state)
{
	uint64_t	 number;

	(void)state;
	assert_null(cache_key(mac_of(1)));
	(void)put(1, 0);
	(void)put(2, 1);
	assert_true(good(1) && good(2));
	cache_told(ids[0]);
	assert_false(good(1));
	assert_true(good(2));
	/* Read again it is good again. */
	(void)put(1, 0);
	assert_true(good(1));
	cache_told("*");
	assert_false(good(1) || good(2));
	/* Told while it is being read: only for who asked before. */
	number = cache_begin();
	cache_told(ids[0]);
	(void)cache_put_key(mac_of(3), tenants[0], number);
	assert_false(good(3));
	assert_true(cache_good(&cache_key(mac_of(3))->entry, 0));
	/* Not of anybody who is here. */
	cache_drop_key(mac_of(3));
	cache_drop_key(mac_of(3));
	assert_null(cache_key(mac_of(3)));
}

/* Clients whose ids only count up, as an import's may, hardly share places: of
 * 1,000 that is 15 on average, were they random. */
static void
test_places(void **state)
{
	unsigned char	 tenant[CACHE_UUID] = { 1 };
	char		 text[UUID_TEXT];
	unsigned	 i, stale = 0;

	(void)state;
	cache_end();
	cache_setup(1000);
	cache_hears();
	for (i = 0; i < 1000; i++) {
		tenant[14] = (unsigned char)(i >> 8);
		tenant[15] = (unsigned char)i;
		(void)cache_put_key(mac_of(i), tenant, cache_begin());
	}
	uuid_write(text, tenant);
	cache_told(text);
	for (i = 0; i < 1000; i++)
		stale += !good(i);
	assert_false(good(999));
	assert_true(stale <= 2);
}

static void
test_deaf(void **state)
{
	struct key_entry	*k, *stale;

	(void)state;
	(void)put(1, 0);
	(void)put(2, 1);
	cache_told(ids[1]);
	cache_deaf();
	k = cache_key(mac_of(1));
	stale = cache_key(mac_of(2));
	assert_false(cache_good(&k->entry, LATER));
	/* For a while it may serve; what was known to be stale may not. */
	assert_true(cache_grace(&k->entry, 5 * SECOND_US));
	assert_false(cache_grace(&k->entry, -1));
	assert_false(cache_grace(&stale->entry, 5 * SECOND_US));
	/* What is read meanwhile is good for who asked, and no longer. */
	k = put(1, 0);
	assert_false(cache_good(&k->entry, LATER));
	assert_true(cache_good(&k->entry, k->entry.read_at));
	assert_true(cache_grace(&k->entry, 5 * SECOND_US));
	/* Heard again, everything is read again; what can't be, since readers
	 * come back later than the ear, goes on as before. */
	stale = put(2, 1);
	cache_told(ids[1]);
	cache_hears();
	k = cache_key(mac_of(1));
	stale = cache_key(mac_of(2));
	assert_false(good(1));
	assert_true(cache_grace(&k->entry, 5 * SECOND_US));
	assert_false(cache_grace(&k->entry, -1));
	assert_false(cache_grace(&stale->entry, 5 * SECOND_US));
	(void)put(1, 0);
	assert_true(good(1));
}

static void
test_absent(void **state)
{
	(void)state;
	assert_false(cache_absent(mac_of(9), LATER));
	cache_put_absent(mac_of(9), cache_begin());
	assert_true(cache_absent(mac_of(9), LATER));
	assert_false(cache_absent(mac_of(8), LATER));
	/* Whatever changes may have made it. */
	cache_told(ids[0]);
	assert_false(cache_absent(mac_of(9), LATER));
	assert_true(cache_absent(mac_of(9), 0));
	cache_put_absent(mac_of(9), cache_begin());
	cache_deaf();
	assert_false(cache_absent(mac_of(9), LATER));
}

/* Full: who is used stays, and nobody is mixed up. */
static void
test_full(void **state)
{
	struct key_entry	*k;
	unsigned		 i, found = 0;

	(void)state;
	for (i = 0; i < 10 * MAX; i++) {
		k = put(i, i % 2);
		k->key_ends_at = i;
		assert_non_null(cache_key(mac_of(0)));
	}
	assert_int_equal(cache_count().keys, MAX);
	for (i = 0; i < 10 * MAX; i++) {
		k = cache_key(mac_of(i));
		if (k == NULL)
			continue;
		found++;
		assert_int_equal(k->key_ends_at, i);
		assert_memory_equal(k->tenant, tenants[i % 2],
		    CACHE_UUID);
	}
	assert_int_equal(found, MAX);
}

static void
test_users_share_sets(void **state)
{
	const unsigned char	*hash = mac_of(77);
	struct user_key		 key = { .name = "FORTAPI@ALTWORX" };
	struct user_entry	*u;
	unsigned		 i;

	(void)state;
	memcpy(key.tenant, tenants[0], CACHE_UUID);
	assert_null(cache_user(&key));
	for (i = 0; i < 3 * MAX; i++) {
		(void)snprintf(key.name, sizeof(key.name), "USER%u@A", i);
		u = cache_put_user(&key, cache_begin());
		u->set = cache_set(hash, matrix, sizeof(matrix) - 1);
		assert_non_null(u->set);
	}
	assert_int_equal(cache_count().users, MAX);
	assert_int_equal(cache_count().sets, 1);
	u = cache_user(&key);
	assert_int_equal(permission_decide(shared_set(u->set), "GET", 3, "/a",
	    2).verdict, PERMISSION_GRANTED);
	key.tenant[0] ^= 1;
	assert_null(cache_user(&key));
	key.tenant[0] ^= 1;
	cache_drop_user(&key);
	assert_null(cache_user(&key));
	/* One that is not canonical is none. */
	assert_null(cache_set(mac_of(78), "a", 1));
	assert_int_equal(cache_count().sets, 1);
}

/* What is shared goes with the last who has it; an old password with its
 * user. */
static void
test_shared(void **state)
{
	struct user_key		 key = { .name = "FORTAPI@ALTWORX" };
	struct key_entry	*k;
	struct user_entry	*u;
	unsigned		 i;

	(void)state;
	for (i = 0; i < 3 * MAX; i++) {
		k = put(i, 0);
		k->product = product(tenants[i % 2], true, "live", "");
	}
	assert_int_equal(cache_count().products, 2);
	/* Changed: another to whoever reads it from now on. */
	k = put(0, 0);
	k->product = product(tenants[0], false, "live", "");
	assert_int_equal(cache_count().products, 3);
	assert_false(k->product->needs_user);
	assert_true(cache_key(mac_of(3 * MAX - 1))->product->needs_user);
	cache_drop_key(mac_of(0));
	assert_int_equal(cache_count().products, 2);
	u = cache_put_user(&key, cache_begin());
	assert_null(u->old);
	cache_old(u)->ends_at = 7;
	assert_int_equal(cache_user(&key)->old->ends_at, 7);
	assert_null(cache_put_user(&key, cache_begin())->old);
}

/* What only issued keys have goes with them; environment and scopes are of the
 * product. */
static void
test_issued(void **state)
{
	static char		 scopes[] = "/a GET read:a\n";
	struct key_entry	*k;

	(void)state;
	k = put(1, 0);
	assert_null(k->issued);
	k->product = product(tenants[0], false, "live", scopes);
	cache_issued(k, "one two", "read:a")->calls_a_minute = 200;
	k->issued->set = cache_set(mac_of(5), matrix, sizeof(matrix) - 1);
	scopes[1] = 'b';
	assert_string_equal(k->product->scopes, "/a GET read:a\n");
	assert_string_equal(k->issued->tenants, "one two");
	assert_string_equal(k->issued->words, "read:a");
	put(2, 0)->product = product(tenants[0], false, "test", scopes);
	assert_int_equal(cache_count().products, 2);
	put(3, 0)->product = product(tenants[0], false, "test", "");
	assert_int_equal(cache_count().products, 3);
	assert_int_equal(cache_count().sets, 1);
	k = put(1, 0);
	assert_null(k->issued);
	assert_int_equal(cache_count().sets, 0);
	assert_int_equal(cache_count().products, 2);
}

/* A token's part of its key's words, in their order, and a set of its own. */
static void
test_narrow(void **state)
{
	struct key_entry	*k;

	(void)state;
	k = put(1, 0);
	k->product = product(tenants[0], false, "live", "");
	cache_issued(k, "one", "read:a write:a read:b");
	k->issued->set = cache_set(mac_of(5), matrix, sizeof(matrix) - 1);
	cache_narrow(k->issued, "read:b nothing:b read:a", "");
	assert_string_equal(k->issued->words, "read:a read:b");
	assert_string_equal(k->issued->tenants, "one");
	assert_non_null(k->issued->set);
	assert_int_equal(cache_count().sets, 1);
	cache_narrow(k->issued, "write:a", matrix);
	assert_string_equal(k->issued->words, "");
	assert_int_equal(cache_count().sets, 1);
	(void)put(1, 0);
	assert_int_equal(cache_count().sets, 0);
}

static size_t
allocated(void)
{
	struct mallinfo2	 all = mallinfo2();

	return (all.uordblks + all.hblkhd);
}

/* A hundred thousand keys, each with an API user: a set for every hundred, a
 * product for every twenty thousand, an old password for every hundredth. */
static void
test_memory(void **state)
{
	static const unsigned	 many = 100000;
	struct user_key		 key = { .name = "" };
	struct key_entry	*k;
	struct user_entry	*u;
	unsigned		 i, group;
	size_t			 before;
	double			 each;

	(void)state;
	cache_end();
	before = allocated();
	cache_setup(many);
	cache_hears();
	for (i = 0; i < many; i++) {
		k = put(i, i % 2);
		group = i / 20000;
		k->product = product(mac_of(group), true, "live", "");
		memcpy(key.tenant, mac_of(i) + 4, CACHE_UUID);
		(void)snprintf(key.name, sizeof(key.name), "FORTAPI@C%u", i);
		u = cache_put_user(&key, cache_begin());
		group = i / 100;
		u->set = cache_set(mac_of(group), matrix, sizeof(matrix) - 1);
		if (i % 100 == 0)
			cache_old(u)->ends_at = 1;
	}
	assert_int_equal(cache_count().keys, many);
	assert_int_equal(cache_count().users, many);
	assert_int_equal(cache_count().sets, many / 100);
	assert_int_equal(cache_count().products, many / 20000);
#ifdef __SANITIZE_ADDRESS__
	print_message("skipped: AddressSanitizer's allocator pads what it "
	    "gives and is not counted by mallinfo2()\n");
	skip();
#endif
	each = (double)(allocated() - before) / many;
	print_message("%.0f bytes a key with its API user\n", each);
	assert_true(each > SHA256_BYTES && each <= CACHE_PAIR_MAX);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, begin, end)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		TEST(test_uuid),
		TEST(test_told),
		TEST(test_places),
		TEST(test_deaf),
		TEST(test_absent),
		TEST(test_full),
		TEST(test_users_share_sets),
		TEST(test_shared),
		TEST(test_issued),
		TEST(test_narrow),
		TEST(test_memory),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
