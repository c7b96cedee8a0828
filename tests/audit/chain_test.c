/*
 * Chains without a database: what is hashed, and lines of a log.
 */
#include "audit/chain.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LANE	"0189aaaa-0000-7000-8000-00000000000a"
#define ZEROS	"0000000000000000000000000000000000000000000000000000000000000000"

static struct arena	*arena;

static int
setup(void **state)
{
	(void)state;
	crypto_init();
	arena = arena_new(1u << 20, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

static struct chain_row
row(void)
{
	return ((struct chain_row){ .lane = LANE, .n = "7", .id = "19",
	    .at_us = "1795341600000000", .tenant = LANE,
	    .actor_kind = "system", .action = "key.shown",
	    .subject_kind = "subscription", .subject = LANE,
	    .detail = "{}" });
}

static void
every_field_counts(void **state)
{
	struct chain_row	 one = row(), other;
	const char		**fields[] = { &other.n, &other.id,
				    &other.at_us, &other.tenant,
				    &other.actor_kind, &other.actor,
				    &other.action, &other.subject_kind,
				    &other.subject, &other.detail,
				    &other.lane };
	char			 hash[HASH_TEXT], changed[HASH_TEXT];
	size_t			 i;

	(void)state;
	chain_hash(arena, &one, ZEROS, hash);
	for (i = 0; i < COUNT(fields); i++) {
		other = one;
		*fields[i] = "x";
		chain_hash(arena, &other, ZEROS, changed);
		assert_string_not_equal(hash, changed);
	}
	chain_hash(arena, &one, "", changed);
	assert_string_not_equal(hash, changed);
	chain_hash(arena, &one, ZEROS, changed);
	assert_string_equal(hash, changed);
}

static void
lanes(void **state)
{
	struct chain_row	 one = row();
	char			 lane[UUID_TEXT];

	(void)state;
	chain_lane(&one, lane);
	assert_string_equal(lane, LANE);
	one.tenant = NULL;
	one.id = "31";
	chain_lane(&one, lane);
	assert_string_equal(lane, "00000000-0000-0000-0000-000000000010");
	one.id = "32";
	chain_lane(&one, lane);
	assert_string_equal(lane, "00000000-0000-0000-0000-000000000001");
}

static void
lines_of_a_log(void **state)
{
	static const char	*const none[] = { "", "{", "{\"event\":\"start\"}",
		"{\"event\":\"audit_heads\"}",
		"{\"event\":\"audit_heads\",\"number\":\"x\",\"lanes\":\"1\","
		"\"rows\":\"1\",\"heads\":\"\",\"previous\":\"\","
		"\"digest\":\"\"}",
		"{\"event\":\"audit_heads\",\"number\":\"1\",\"lanes\":\"1\"" };
	struct anchor_line	 line;
	struct head		 head;
	const char		*at, *text;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(none); i++)
		assert_false(anchor_read(arena, none[i], &line));
	/* Behind what a log's keeper puts before it. */
	text = "Nov 21 host courier[7]: {\"event\":\"audit_heads\","
	    "\"number\":\"3\",\"lanes\":\"1\",\"rows\":\"12\","
	    "\"heads\":\"" LANE ":12:" ZEROS " " LANE ":13:" ZEROS
	    "\",\"previous\":\"\",\"digest\":\"ab\"}\n";
	assert_true(anchor_read(arena, text, &line));
	assert_int_equal(line.number, 3);
	assert_int_equal(line.rows, 12);
	at = line.heads;
	assert_true(anchor_head(arena, &at, &head));
	assert_int_equal(head.n, 12);
	assert_true(anchor_head(arena, &at, &head));
	assert_int_equal(head.n, 13);
	assert_string_equal(head.lane, LANE);
	assert_false(anchor_head(arena, &at, &head));
}

static void
heads_that_are_none(void **state)
{
	static const char	*const bad[] = { "", " ", ":", "::", LANE,
		LANE ":", LANE ":1", LANE ":1:", LANE ":0:" ZEROS,
		LANE ":-1:" ZEROS, LANE ":1:" ZEROS "0", "x" LANE ":1:" ZEROS,
		"zzzzzzzz-0000-7000-8000-00000000000a:1:" ZEROS };
	struct head		 head;
	const char		*at;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		at = bad[i];
		assert_false(anchor_head(arena, &at, &head));
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(every_field_counts),
		cmocka_unit_test(lanes),
		cmocka_unit_test(lines_of_a_log),
		cmocka_unit_test(heads_that_are_none),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
