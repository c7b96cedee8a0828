/*
 * Buffers, escaping, Unicode, numbers and encodings.
 */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include <utf8proc.h>

static struct arena	*a;

static int
setup(void **state)
{
	(void)state;
	a = arena_new(8u << 20, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(a);
	return (0);
}

static void
test_buf(void **state)
{
	struct buf	b;
	size_t		i;

	(void)state;
	buf_init(&b, a, 100000);
	assert_string_equal(buf_text(&b), "");
	for (i = 0; i < 10000; i++)
		buf_fmt(&b, "%05zu", i);
	buf_chr(&b, '.');
	assert_false(b.full);
	assert_int_equal(b.n, 50001);
	assert_memory_equal(buf_text(&b) + 5 * 1234, "01234", 5);
	assert_string_equal(buf_text(&b) + 49995, "09999.");
	buf_add(&b, "a\0b", 3);
	assert_memory_equal(b.p + 50001, "a\0b", 4);
}

static void
test_buf_full(void **state)
{
	struct buf	b;
	char		memory[9];

	(void)state;
	buf_init(&b, a, 8);
	buf_str(&b, "12345678");
	assert_false(b.full);
	assert_string_equal(buf_text(&b), "12345678");
	buf_str(&b, "");
	assert_false(b.full);
	buf_chr(&b, '9');
	assert_true(b.full);
	assert_string_equal(buf_text(&b), "");
	buf_str(&b, "");
	assert_true(b.full);

	buf_init(&b, a, 8);
	buf_fmt(&b, "%d", 123456789);
	assert_true(b.full);

	memset(memory, 'x', sizeof(memory));
	buf_fixed(&b, memory, 8);
	assert_string_equal(buf_text(&b), "");
	buf_str(&b, "1234567");
	assert_false(b.full);
	assert_string_equal(memory, "1234567");
	buf_chr(&b, '8');
	assert_true(b.full);
	assert_int_equal(memory[8], 'x');
}

static const char *
with(void (*fn)(struct buf *, const char *), const char *s)
{
	struct buf	b;

	buf_init(&b, a, 10000);
	fn(&b, s);
	assert_false(b.full);
	return (buf_text(&b));
}

static void
test_escape(void **state)
{
	(void)state;
	assert_string_equal(with(buf_html, "<a b=\"c\" d='e'>&amp;"),
	    "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;");
	assert_string_equal(with(buf_html, "Łódź"), "Łódź");
	assert_string_equal(with(buf_html, ""), "");
	assert_string_equal(with(buf_json, "a\"b\\c\n\t\x01\x7f/é"),
	    "a\\\"b\\\\c\\n\\u0009\\u0001\\u007f/é");
	assert_string_equal(with(buf_json, "\xe2\x80\xa8"), "\\u2028");
	assert_string_equal(with(buf_json, "a\xff\xc3"),
	    "a\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(with(buf_url, "a-Z_0.9~/?&é %"),
	    "a-Z_0.9~%2F%3F%26%C3%A9%20%25");
}

static void
test_compare(void **state)
{
	(void)state;
	assert_true(str_eq("a", "a"));
	assert_false(str_eq("a", "A"));
	assert_true(str_eq_nocase("Content-Type", "content-TYPE"));
	assert_false(str_eq_nocase("Content", "Content-"));
	assert_false(str_eq_nocase("Content-", "Content"));
	assert_false(str_eq_nocase("@", "`"));
	assert_true(str_eq_nocase("", ""));
	assert_true(str_starts("subscription-key", "subscription"));
	assert_false(str_starts("sub", "subscription"));
	assert_true(str_ends("Altaworx-KEY", "-KEY"));
	assert_true(str_ends("-KEY", "-KEY"));
	assert_false(str_ends("KEY", "-KEY"));
	assert_false(str_ends("Altaworx-key", "-KEY"));
}

static void
test_blank_and_squeeze(void **state)
{
	(void)state;
	assert_true(str_blank(NULL));
	assert_true(str_blank(""));
	assert_true(str_blank(" \t\r\n\xc2\xa0\xe3\x80\x80"));
	assert_false(str_blank("  x"));
	assert_false(str_blank("\xff"));
	assert_string_equal(str_squeeze(a, "  Ada \t\n Lovelace  "),
	    "Ada Lovelace");
	assert_string_equal(str_squeeze(a, "Ada\xc2\xa0\xe2\x80\x89 L"),
	    "Ada L");
	assert_string_equal(str_squeeze(a, "   "), "");
	assert_string_equal(str_squeeze(a, "a"), "a");
	assert_string_equal(str_squeeze(a, "\xff \xff"), "\xff \xff");
}

static void
test_utf8(void **state)
{
	static const char	*const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80",
		"\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3\x28",
	};
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		assert_false(str_utf8(bad[i], strlen(bad[i])));
		assert_null(str_nfc(a, bad[i]));
		assert_null(str_fold(a, bad[i]));
	}
	assert_true(str_utf8("", 0));
	assert_true(str_utf8("a\0b", 3));
	assert_true(str_utf8("é€😀\xf4\x8f\xbf\xbf", 13));
	/* The length counts, not the NUL. */
	assert_false(str_utf8("é", 1));

	assert_int_equal(str_chars("Zażółć"), 6);
	assert_int_equal(str_chars("😀"), 1);
	assert_int_equal(str_chars(""), 0);
}

static void
test_control(void **state)
{
	(void)state;
	assert_false(str_has_control("Zażółć gęślą 😀 ~"));
	assert_true(str_has_control("a\nb"));
	assert_true(str_has_control("a\tb"));
	assert_true(str_has_control("\x7f"));
	assert_true(str_has_control("\xc2\x80"));
	assert_true(str_has_control("\xc2\x9f"));
	assert_false(str_has_control("\xc2\xa0"));
	assert_true(str_has_control("\xe2\x80\xa8"));
	assert_true(str_has_control("\xe2\x80\xa9"));
	assert_false(str_has_control("\xe2\x80\xaa"));
}

static void
test_hidden(void **state)
{
	static const char *const seen[] = { "", "Altaworx", "Žofie Nováková",
	    "北京", "टाटा", "e\u0301", "a\u00a0b" };
	static const char *const hidden[] = { "a\u200b", "\u200e", "\u202e" "b",
	    "\u2066", "\ufeff", "\u00ad", "\u034f", "\u115f", "\u3164",
	    "\uffa0", "\ufe0f", "\u2060", "\U000e0041", "\u061c" };
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(seen); i++)
		assert_false(str_has_hidden(seen[i], false));
	for (i = 0; i < COUNT(hidden); i++)
		assert_true(str_has_hidden(hidden[i], true));
	assert_true(str_has_hidden("a\u200db\u200c", false));
	assert_false(str_has_hidden("a\u200db\u200c", true));
}

static void
test_case(void **state)
{
	(void)state;
	assert_string_equal(str_lower(a, "AbZ[@É"), "abz[@É");
	assert_string_equal(str_upper(a, "aBz{`é"), "ABZ{`é");
}

static void
test_nfc(void **state)
{
	(void)state;
	assert_string_equal(str_nfc(a, "e\xcc\x81"), "\xc3\xa9");
	assert_string_equal(str_nfc(a, "\xc3\xa9"), "\xc3\xa9");
	/* Ångström sign; Hangul; two marks in the wrong order */
	assert_string_equal(str_nfc(a, "\xe2\x84\xab"), "\xc3\x85");
	assert_string_equal(str_nfc(a, "\xe1\x84\x80\xe1\x85\xa1"), "가");
	assert_string_equal(str_nfc(a, "q\xcc\x87\xcc\xa3"),
	    "q\xcc\xa3\xcc\x87");
	/* Compatibility forms stay. */
	assert_string_equal(str_nfc(a, "ﬁ"), "ﬁ");
	assert_string_equal(str_nfc(a, ""), "");
}

/* The order of marks is ours, so it is held against utf8proc's own. */
static void
test_nfc_as_reference(void **state)
{
	/* Letters, marks of several classes and of class 0, and characters
	 * that come apart into several. */
	static const int32_t points[] = { 'a', 'q', 0xe9, 0x300, 0x301, 0x316,
		0x323, 0x327, 0x345, 0x34f, 0x344, 0x5b0, 0x5bc, 0x64b, 0x93c,
		0x958, 0x915, 0x94d, 0x3099, 0x304b, 0x1100, 0x1161, 0x1e69,
		0x1d15f, 0x1d16e, 0x200d };
	unsigned char		 text[4 * 100 + 1], *reference;
	unsigned		 seed = 1, turn, i, n, marks;
	size_t			 bytes;

	(void)state;
	for (turn = 0; turn < 4000; turn++) {
		/* A linear congruential generator: the same text each time. */
		seed = seed * 1664525u + 1013904223u;
		n = (seed >> 16) % 100;
		marks = (seed >> 8) & 1;
		for (i = 0, bytes = 0; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			bytes += (size_t)utf8proc_encode_char(marks ?
				points[3 + (seed >> 16) % 10] :
				points[(seed >> 16) % COUNT(points)],
			    text + bytes);
		}
		text[bytes] = '\0';
		reference = utf8proc_NFC(text);
		assert_non_null(reference);
		assert_string_equal(str_nfc(a, (char *)text), reference);
		free(reference);
	}
}

/* A whole form of marks in the worst order: sorting by neighbours takes
 * seconds, in which nobody else is served. */
static void
test_many_marks(void **state)
{
	enum { MARKS = 32000 };
	char	*text = arena_alloc(a, 2 * MARKS + 1);
	clock_t	 began;
	size_t	 i;

	(void)state;
	for (i = 0; i < MARKS; i++)
		memcpy(text + 2 * i, i < MARKS / 2 ? "\xcc\x80" : "\xcc\x96",
		    2);
	began = clock();
	text = str_nfc(a, text);
	assert_memory_equal(text, "\xcc\x96\xcc\x96", 4);
	assert_string_equal(text + 2 * MARKS - 4, "\xcc\x80\xcc\x80");
	assert_string_equal(str_fold(a, text), "");
	assert_true(clock() - began < CLOCKS_PER_SEC / 2);
}

static void
test_fold(void **state)
{
	(void)state;
	assert_string_equal(str_fold(a, "Sønner"), "sonner");
	assert_string_equal(str_fold(a, "SØNNER"), "sonner");
	assert_string_equal(str_fold(a, "Café"), "cafe");
	assert_string_equal(str_fold(a, "CAFE\xcc\x81"), "cafe");
	assert_string_equal(str_fold(a, "Straße"), "strasse");
	assert_string_equal(str_fold(a, "STRAẞE"), "strasse");
	assert_string_equal(str_fold(a, "Łódź Đurđević"), "lodz durdevic");
	assert_string_equal(str_fold(a, "ÆØÅ Þór Œuvre"), "aeoa thor oeuvre");
	assert_string_equal(str_fold(a, "İstanbul ılık"), "istanbul ilik");
	assert_string_equal(str_fold(a, "ﬁ Ａｌｔａ №"), "fi alta no");
	assert_string_equal(str_fold(a, "O’Neil – Söhne"), "o'neil - sohne");
	/* A soft hyphen is nothing. */
	assert_string_equal(str_fold(a, "Alta\xc2\xadworx"), "altaworx");
	assert_string_equal(str_fold(a, "ΣΊΣΥΦΟΣ"), str_fold(a, "Σίσυφος"));
	assert_string_equal(str_fold(a, "Ёлка"), "елка");
	assert_string_equal(str_fold(a, ""), "");
	/* Other letters, not accents: ki and ka, ga and ka. */
	assert_string_not_equal(str_fold(a, "कि"), str_fold(a, "क"));
	assert_string_not_equal(str_fold(a, "ガ"), str_fold(a, "カ"));
	assert_string_not_equal(str_fold(a, "กุ"), str_fold(a, "ก"));
}

static void
test_numbers(void **state)
{
	static const char	*const bad[] = { "", "-", "+1", " 1", "1 ",
		"1.0", "0x1", "1e3", "--1", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999" };
	int64_t			 n = 42;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_false(str_to_int(bad[i], INT64_MIN, INT64_MAX, &n));
	assert_int_equal(n, 42);
	assert_true(str_to_int("9223372036854775807", 0, INT64_MAX, &n));
	assert_true(n == INT64_MAX);
	assert_true(str_to_int("-9223372036854775808", INT64_MIN, 0, &n));
	assert_true(n == INT64_MIN);
	assert_true(str_to_int("0", 0, 0, &n));
	assert_true(n == 0);
	assert_true(str_to_int("65535", 1, 65535, &n));
	assert_false(str_to_int("65536", 1, 65535, &n));
	assert_false(str_to_int("0", 1, 65535, &n));
	assert_true(n == 65535);
}

static void
test_hex(void **state)
{
	unsigned char	bytes[4];
	char		text[9];

	(void)state;
	hex_encode(text, "\x00\x7f\xab\xff", 4);
	assert_string_equal(text, "007fabff");
	assert_true(hex_decode(bytes, 4, "007FabfF"));
	assert_memory_equal(bytes, "\x00\x7f\xab\xff", 4);
	assert_false(hex_decode(bytes, 4, "007fabf"));
	assert_false(hex_decode(bytes, 4, "007fabff0"));
	assert_false(hex_decode(bytes, 4, "007fabfg"));
	assert_false(hex_decode(bytes, 4, "007fabf "));
	hex_encode(text, "", 0);
	assert_string_equal(text, "");
}

/* RFC 4648 section 10, without the padding. */
static void
test_base64url(void **state)
{
	static const char	*const plain[] = { "", "f", "fo", "foo",
		"foob", "fooba", "foobar" };
	static const char	*const coded[] = { "", "Zg", "Zm8", "Zm9v",
		"Zm9vYg", "Zm9vYmE", "Zm9vYmFy" };
	unsigned char		 back[8];
	char			 text[16];
	size_t			 i, n;

	(void)state;
	for (i = 0; i < COUNT(plain); i++) {
		n = strlen(plain[i]);
		base64url_encode(text, plain[i], n);
		assert_string_equal(text, coded[i]);
		assert_true(base64url_decode(back, n, coded[i]));
		assert_memory_equal(back, plain[i], n);
		assert_false(base64url_decode(back, n + 1, coded[i]));
	}
	base64url_encode(text, "\xfb\xff\xfe", 3);
	assert_string_equal(text, "-__-");
	assert_false(base64url_decode(back, 3, "+//+"));
	/* "Zh" decodes to "f" too, if one drops the bits behind. */
	assert_false(base64url_decode(back, 1, "Zh"));
	assert_false(base64url_decode(back, 2, "Zm9"));
	assert_false(base64url_decode(back, 1, "Zg=="));
	assert_false(base64url_decode(back, 1, "Z\xe9"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_full),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_blank_and_squeeze),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_case),
		cmocka_unit_test(test_nfc),
		cmocka_unit_test(test_nfc_as_reference),
		cmocka_unit_test(test_many_marks),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64url),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
