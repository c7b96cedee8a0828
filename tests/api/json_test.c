/*
 * JSON in and out: what is read, what every reader would not understand alike
 * and is refused, and that what is written is read back as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "api/json.h"
#include "crypto/token.h"

#define TEXT_MAX	200000u

static struct arena	*arena;

static int
begin(void **state)
{
	(void)state;
	crypto_init();
	api_json_setup();
	arena = arena_new(64u * 1024 * 1024, NULL, NULL);
	return (0);
}

static int
end(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

/* From memory of just that size, so that a sanitizer sees a step over it. */
static const struct api_json *
read_bytes(const void *bytes, size_t n, const char **ret_why)
{
	char			*own = malloc(n == 0 ? 1 : n);
	const struct api_json	*json;

	assert_non_null(own);
	memcpy(own, bytes, n);
	json = api_json_read(arena, own, n, ret_why);
	free(own);
	return (json);
}

static const struct api_json *
read_text(const char *text)
{
	const char		*why = NULL;
	const struct api_json	*json = read_bytes(text, strlen(text), &why);

	if (json == NULL)
		fail_msg("%s: %s", text, why);
	return (json);
}

static void
refused(const char *text, const char *why_has)
{
	const char	*why = NULL;

	if (read_bytes(text, strlen(text), &why) != NULL)
		fail_msg("taken: %.60s", text);
	assert_non_null(why);
	if (strstr(why, why_has) == NULL)
		fail_msg("%.60s: %s", text, why);
}

/* n times the piece. */
static char *
many(const char *piece, size_t n)
{
	struct buf	b;

	buf_init(&b, arena, TEXT_MAX);
	while (n-- > 0)
		buf_str(&b, piece);
	assert_false(b.full);
	return (arena_strdup(arena, buf_text(&b)));
}

static void
test_all_types(void **state)
{
	const struct api_json	*json;

	(void)state;
	json = read_text(" {\"a\":null,\"b\":true,\"c\":false,\"d\":-7,"
	    "\"e\":\"x\",\"f\":[],\"g\":[1,\"y\"],\"h\":{\"i\":{}}}\n");
	assert_int_equal(json->type, JSON_IS_OBJECT);
	assert_null(json->name);
	assert_int_equal(json->n, 8);
	assert_int_equal(json->list[0].type, JSON_IS_NULL);
	assert_string_equal(json->list[0].name, "a");
	assert_int_equal(json->list[1].type, JSON_IS_BOOL);
	assert_int_equal(json->list[1].number, 1);
	assert_int_equal(json->list[2].type, JSON_IS_BOOL);
	assert_int_equal(json->list[2].number, 0);
	assert_int_equal(json->list[3].type, JSON_IS_NUMBER);
	assert_int_equal(json->list[3].number, -7);
	assert_string_equal(json->list[4].text, "x");
	assert_int_equal(json->list[5].type, JSON_IS_ARRAY);
	assert_int_equal(json->list[5].n, 0);
	assert_int_equal(json->list[6].n, 2);
	assert_null(json->list[6].list[0].name);
	assert_int_equal(json->list[6].list[0].number, 1);
	assert_string_equal(json->list[6].list[1].text, "y");
	assert_string_equal(json->list[7].list[0].name, "i");
	assert_int_equal(json->list[7].list[0].type, JSON_IS_OBJECT);
	assert_int_equal(json->list[7].list[0].n, 0);
}

static void
test_numbers(void **state)
{
	(void)state;
	assert_true(read_text("9223372036854775807")->number == INT64_MAX);
	assert_true(read_text("-9223372036854775808")->number == INT64_MIN);
	assert_int_equal(read_text("-0")->number, 0);
	refused("9223372036854775808", "no JSON");
	refused("-9223372036854775809", "no JSON");
	refused(many("9", 5000), "no JSON");
	refused("1.5", "whole numbers");
	refused("1.0", "whole numbers");
	refused("1e2", "whole numbers");
	refused("1e999999", "no JSON");
	refused("01", "no JSON");
	refused("+1", "no JSON");
	refused("0x10", "no JSON");
	refused("NaN", "no JSON");
	refused("Infinity", "no JSON");
	refused("--1", "no JSON");
}

static void
test_texts(void **state)
{
	(void)state;
	assert_string_equal(read_text("\"\"")->text, "");
	assert_string_equal(read_text("\"\\u0041\\n\\/\\\\\\\"\"")->text,
	    "A\n/\\\"");
	/* Two units of UTF-16, one character. */
	assert_string_equal(read_text("\"\\ud83d\\ude00\"")->text,
	    "\xf0\x9f\x98\x80");
	/* e and a mark become one character: NFC. */
	assert_string_equal(read_text("\"e\xcc\x81\"")->text, "\xc3\xa9");
	assert_string_equal(read_text("\"e\\u0301\"")->text, "\xc3\xa9");
	refused("\"\\ud83d\"", "no JSON");
	refused("\"\\ude00\\ud83d\"", "no JSON");
	refused("\"\\u0000\"", "no JSON");
	refused("{\"\\u0000\":1}", "no JSON");
	refused("\"\\x41\"", "no JSON");
	refused("\"a\nb\"", "no JSON");
	refused("\"a", "no JSON");
	refused("\"a\\", "no JSON");
	refused("\"a\\\"", "no JSON");
	refused("'a'", "no JSON");
	refused("\"\xff\"", "no JSON");
	refused("\"\xc0\xaf\"", "no JSON");		/* too long a "/" */
	refused("\"\xed\xa0\x80\"", "no JSON");		/* half of a pair */
	refused("\"\xf4\x90\x80\x80\"", "no JSON");	/* beyond U+10FFFF */
	refused("\"\xe2\x82\"", "no JSON");
}

static void
test_no_json(void **state)
{
	static const char	 nul[] = "{\"a\":1}\0";
	const char		*why = NULL;

	(void)state;
	refused("", "no JSON");
	refused(" \n", "no JSON");
	refused("{", "no JSON");
	refused("]", "no JSON");
	refused("}}}}}{{{{{", "no JSON");
	refused("[1,]", "no JSON");
	refused("[1 2]", "no JSON");
	refused("{\"a\":1,}", "no JSON");
	refused("{a:1}", "no JSON");
	refused("{\"a\"}", "no JSON");
	refused("{1:1}", "no JSON");
	refused("{} {}", "no JSON");
	refused("{}x", "no JSON");
	refused("/**/{}", "no JSON");
	refused("\xef\xbb\xbf{}", "no JSON");
	refused("True", "no JSON");
	/* A byte of zero behind it is a part of what was sent. */
	assert_null(read_bytes(nul, sizeof(nul), &why));
	assert_non_null(strstr(why, "no JSON"));
	/* Where it is wrong stands in it. */
	refused("{\n\"a\": x}", "line 2");
}

static void
test_a_name_twice(void **state)
{
	(void)state;
	refused("{\"a\":1,\"a\":1}", "twice");
	refused("[{\"b\":{\"a\":1,\"c\":2,\"a\":3}}]", "twice");
	/* The same name, written in another way. */
	refused("{\"a\":1,\"\\u0061\":1}", "twice");
	assert_int_equal(read_text("[{\"a\":1},{\"a\":1}]")->n, 2);
}

static void
test_depth(void **state)
{
	char	*text;

	(void)state;
	assert_int_equal(read_text("[[[[1]]]]")->n, 1);
	assert_int_equal(read_text("[[],[],[],[],[],[]]")->n, 6);
	refused("[[[[[1]]]]]", "brackets within");
	refused("{\"a\":[{\"a\":[{}]}]}", "brackets within");
	refused(many("[", TEXT_MAX - 1), "brackets within");
	refused(many("{\"a\":", TEXT_MAX / 5 - 1), "brackets within");
	/* Closing more than was opened earns no depth. */
	text = arena_fmt(arena, "%s%s", many("]", 1000), many("[", 1000));
	refused(text, "no JSON");
	/* In a text they are letters, behind a quote that isn't its end, too. */
	assert_string_equal(read_text("\"[[[[[[\"")->text, "[[[[[[");
	assert_string_equal(read_text("\"\\\"[[[[[[\"")->text, "\"[[[[[[");
	refused("\"\\\\\"[[[[[", "brackets within");
}

static void
test_how_many(void **state)
{
	struct buf	b;
	int		i;

	(void)state;
	assert_int_equal(read_text(arena_fmt(arena, "[%s1]",
	    many("1,", JSON_NAMES_MAX - 1)))->n, JSON_NAMES_MAX);
	refused(arena_fmt(arena, "[%s1]", many("1,", JSON_NAMES_MAX)), "512");
	buf_init(&b, arena, TEXT_MAX);
	for (i = 0; i <= (int)JSON_NAMES_MAX; i++)
		buf_fmt(&b, "%s\"n%d\":%d", i == 0 ? "{" : ",", i, i);
	buf_chr(&b, '}');
	refused(buf_text(&b), "512");
	/* Within another one as well. */
	refused(arena_fmt(arena, "{\"a\":[[%s1]]}",
	    many("1,", JSON_NAMES_MAX)), "512");
	assert_int_equal(strlen(read_text(arena_fmt(arena, "\"%s\"",
	    many("x", 100000)))->text), 100000);
}

/* Each byte of a text changed to any other, and each beginning of it: it is
 * read or refused with a sentence, and nothing else happens. */
static void
test_mutations(void **state)
{
	static const char	 good[] = "{\"a\\u00e9\":[1,-20,true,null,"
				    "{\"b\":\"x\\\"y\xc3\xa9\"}]}";
	char			 text[sizeof(good)];
	const char		*why;
	size_t			 i, taken = 0, not = 0;
	int			 byte;

	(void)state;
	for (i = 0; i < sizeof(good) - 1; i++) {
		why = NULL;
		assert_null(read_bytes(good, i, &why));
		assert_non_null(why);
		for (byte = 0; byte < 256; byte++) {
			memcpy(text, good, sizeof(good));
			text[i] = (char)byte;
			why = NULL;
			if (read_bytes(text, sizeof(good) - 1, &why) != NULL) {
				taken++;
				continue;
			}
			not++;
			assert_non_null(why);
		}
	}
	assert_int_equal(taken + not, 256 * (sizeof(good) - 1));
	assert_true(taken > 500 && not > 5000);
}

static void
test_written(void **state)
{
	struct out	 out;

	(void)state;
	out_begin(&out, arena);
	out_open(&out, NULL, '{');
	out_open(&out, "items", '[');
	out_number(&out, NULL, INT64_MIN);
	out_open(&out, NULL, '{');
	out_close(&out, '}');
	out_bool(&out, NULL, false);
	out_text(&out, NULL, "[");
	out_text(&out, NULL, "{");
	out_close(&out, ']');
	out_text(&out, "none", NULL);
	out_text(&out, "empty", "");
	out_some(&out, "some", "");
	out_some(&out, "other", NULL);
	out_some(&out, "it", "x");
	out_time(&out, "never", 0);
	out_time(&out, "at", INT64_C(1) * 1000000);
	out_split(&out, "words", ", b,,c d, ", ",");
	out_split(&out, "nothing", NULL, ",");
	out_close(&out, '}');
	assert_string_equal(buf_text(&out.b), "{\"items\":["
	    "-9223372036854775808,{},false,\"[\",\"{\"],\"none\":null,"
	    "\"empty\":\"\",\"some\":null,\"other\":null,\"it\":\"x\","
	    "\"never\":null,\"at\":\"1970-01-01T00:00:01Z\","
	    "\"words\":[\"b\",\"c d\"],\"nothing\":[]}");
}

/* Every character, in a text and in a name, is read back as it was written. */
static void
test_read_back(void **state)
{
	const struct api_json	*json;
	struct out		 out;
	char			 text[3] = { 0 };
	int			 c;

	(void)state;
	for (c = 1; c < 256; c++) {
		memset(text, 0, sizeof(text));
		if (c < 128) {
			text[0] = (char)c;
		} else {
			text[0] = (char)(0xc0 | (c >> 6));
			text[1] = (char)(0x80 | (c & 0x3f));
		}
		out_begin(&out, arena);
		out_open(&out, NULL, '{');
		out_text(&out, text, text);
		out_close(&out, '}');
		json = read_text(buf_text(&out.b));
		assert_int_equal(json->n, 1);
		assert_string_equal(json->list[0].name, text);
		assert_string_equal(json->list[0].text, text);
	}
	/* What is no UTF-8 doesn't make the answer unreadable. */
	out_begin(&out, arena);
	out_text(&out, NULL, "a\xff" "b");
	assert_string_equal(read_text(buf_text(&out.b))->text,
	    "a\xef\xbf\xbd" "b");
}

static void
test_answer_is_full(void **state)
{
	struct out	 out;
	const char	*piece;
	size_t		 i;

	(void)state;
	piece = many("x", 100000);
	out_begin(&out, arena);
	out_open(&out, NULL, '[');
	for (i = 0; i <= JSON_OUT_MAX / 100000; i++)
		out_text(&out, NULL, piece);
	out_close(&out, ']');
	assert_true(out.b.full);
	assert_true(out.b.n <= JSON_OUT_MAX);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_all_types),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_no_json),
		cmocka_unit_test(test_a_name_twice),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_how_many),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_answer_is_full),
	};

	return (cmocka_run_group_tests(tests, begin, end));
}
