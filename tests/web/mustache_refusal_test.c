/*
 * What templates refuse, at load and when rendering: malformed sources,
 * unknown names, everything that has a maximum, and folders.
 */
#include "mustache_cases.h"

#include <sys/stat.h>
#include <unistd.h>

static const struct mustache_options	strict = { .strict = true };

static void
test_load_errors(void **state)
{
	static const struct {
		const char	*sources[5];
		const char	*expected;
	} cases[] = {
		{ { "main", "a\n{{{name}}}" }, "main:2: Text is always escaped:"
		    " there is no {{{name}}} and {{&name}}." },
		{ { "main", "{{&name}}" }, "main:1: Text is always escaped:"
		    " there is no {{{name}}} and {{&name}}." },
		{ { "main", "\n\n{{name" }, "main:3: A tag is not closed by "
		    "}}." },
		{ { "main", "{{! x" }, "main:1: A tag is not closed by }}." },
		{ { "main", "{{=<% %>=}}<%={{ }}%>" }, "main:1: A tag is not "
		    "closed by =%>." },
		{ { "main", "{{#a}}\n{{#b}}\n{{/a}}" }, "main:3: {{/a}} stands "
		    "where {{/b}} must, for line 2." },
		{ { "main", "{{#a}}\n" }, "main:1: What {{#a}} opens is not "
		    "closed." },
		{ { "main", "{{$a}}" }, "main:1: What {{$a}} opens is not "
		    "closed." },
		{ { "main", "{{<a}}" }, "main:1: What {{<a}} opens is not "
		    "closed." },
		{ { "main", "{{/a}}" }, "main:1: {{/a}} closes nothing." },
		{ { "main", "x\n{{>gone}}" }, "main:2: There is no template "
		    "named gone." },
		{ { "main", "{{<gone}}{{/gone}}" }, "main:1: There is no "
		    "template named gone." },
		{ { "main", "{{>a b}}" }, "main:1: \"a b\" is no template's "
		    "name: letters, digits, _ - . and /." },
		{ { "main", "{{>}}" }, "main:1: \"\" is no template's name: "
		    "letters, digits, _ - . and /." },
		{ { "main", "{{<main}}{{name}}{{/main}}" }, "main:1: Only "
		    "blocks may stand directly in a parent." },
		{ { "main", "{{<main}}{{$a}}{{/a}}\n{{$a}}{{/a}}{{/main}}" },
		    "main:2: The block a is given twice." },
		{ { "main", "{{$a.b}}{{/a.b}}" }, "main:1: A block's name has "
		    "no dots." },
		{ { "main", "{{$.}}{{/.}}" }, "main:1: A block's name has no "
		    "dots." },
		{ { "main", "{{= a =}}" }, "main:1: Delimiters are two words "
		    "of at most 16 bytes without an equals sign." },
		{ { "main", "{{=a b c=}}" }, "main:1: Delimiters are two words "
		    "of at most 16 bytes without an equals sign." },
		{ { "main", "{{=a 12345678901234567=}}" }, "main:1: Delimiters "
		    "are two words of at most 16 bytes without an equals "
		    "sign." },
		{ { "main", "ok\nbad \xc0\xaf" }, "main:2: It is not "
		    "well-formed UTF-8 text." },
		{ { "main", "", "main", "" }, "main:0: There are two templates "
		    "named main." },
	};
	static const char *const	names[] = { "", " ", "a b", "a..b",
		".a", "a.", "..", "a|b", "*a", "%a", "\xc3\xa9",
		"a.b.c.d.e.f.g.h.i" };
	const char	*sources[3] = { "main", NULL, NULL };
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		load_fails(&plain, cases[i].sources, cases[i].expected);
	for (i = 0; i < COUNT(names); i++) {
		sources[1] = arena_fmt(arena, "\n{{%s}}", names[i]);
		load_fails(&plain, sources, "main:2: ");
		assert_non_null(strstr(load_error, "is no name"));
	}
}

static void
test_strict(void **state)
{
	static const struct {
		const char	*sources[5];
		const char	*expected;
	} cases[] = {
		{ { "main", "a\n{{nobody}}" },
		    "main:2: The view has no \"nobody\"." },
		{ { "main", "{{#nobody}}{{/nobody}}" },
		    "main:1: The view has no \"nobody\"." },
		{ { "main", "{{^nobody}}{{/nobody}}" },
		    "main:1: The view has no \"nobody\"." },
		{ { "main", "{{person.nobody}}" },
		    "main:1: The view has no \"person.nobody\"." },
		{ { "main", "{{name.first}}" },
		    "main:1: The view has no \"name.first\"." },
		{ { "main", "{{>part}}", "part", "\n{{x}}" },
		    "part:2: The view has no \"x\"." },
		{ { "main", "{{rows}}" },
		    "main:1: \"rows\" is a list, not text." },
		{ { "main", "{{#person}}{{.}}{{/person}}" },
		    "main:1: \".\" is a map, not text." },
	};
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_null(render_with(&strict, cases[i].sources));
		assert_string_equal(error, cases[i].expected);
		assert_non_null(render_with(&plain, cases[i].sources));
	}
	/* What is not shown needs no value. */
	assert_string_equal(render_with(&strict, (const char *[]){ "main",
	    "{{#no}}{{nobody}}{{/no}}{{<p}}{{$a}}{{name}}{{/a}}{{/p}}",
	    "p", "{{$a}}{{nobody}}{{/a}}", NULL }), "Ada");
}

static char *
repeat(const char *s, size_t times)
{
	size_t	 n = strlen(s);
	char	*all = arena_alloc(arena, n * times + 1);
	size_t	 i;

	for (i = 0; i < times; i++)
		memcpy(all + i * n, s, n);
	return (all);
}

/* Each maximum: at it all is well, above it there is an error. */
static void
test_limits(void **state)
{
	const char	*s[] = { "main", NULL, NULL };

	(void)state;
	s[1] = repeat("x", 65536);
	assert_int_equal(strlen(render_with(&plain, s)), 65536);
	s[1] = arena_fmt(arena, "%s{{#rows}}%s{{/rows}}", repeat("x", 60000),
	    repeat("x", 30000));
	assert_null(render_with(&plain, s));
	assert_string_equal(error, "main:0: What it renders is larger than "
	    "100000 bytes.");
	s[1] = repeat("x", 256 * 1024 + 1);
	load_fails(&plain, s, "main:0: It is larger than 262144 bytes.");

	s[1] = arena_fmt(arena, "{{%sname}}", repeat(" ", 252));
	assert_string_equal(render_with(&plain, s), "Ada");
	s[1] = arena_fmt(arena, "{{%sname}}", repeat(" ", 253));
	load_fails(&plain, s, "main:1: A tag is longer than 256 bytes.");

	s[1] = arena_fmt(arena, "%sx%s", repeat("{{#yes}}", 32),
	    repeat("{{/yes}}", 32));
	assert_string_equal(render_with(&plain, s), "x");
	s[1] = arena_fmt(arena, "%sx%s", repeat("{{#yes}}", 33),
	    repeat("{{/yes}}", 33));
	load_fails(&plain, s, "main:1: Sections and blocks nest deeper than "
	    "32.");

	s[1] = "{{=1234567890123456 ab=}}1234567890123456nameab";
	assert_string_equal(render_with(&plain, s), "Ada");
}

static void
test_recursion(void **state)
{
	static const struct {
		const char	*sources[10];
		const char	*expected;
	} cases[] = {
		{ { "main", "{{>main}}" },
		    "main:1: Partials nest deeper than 32." },
		{ { "main", "{{>b}}", "b", "\n{{<main}}{{/main}}" },
		    "main:1: Partials nest deeper than 32." },
		{ { "main", "{{#yes}}{{#yes}}{{#yes}}{{>main}}{{/yes}}{{/yes}}"
		    "{{/yes}}" }, "main:1: Sections, blocks and partials nest "
		    "deeper than 64." },
		{ { "main", "{{<p}}{{$a}}{{<main}}{{/main}}{{/a}}{{/p}}",
		    "p", "{{$a}}{{/a}}" }, "main:1: Partials nest deeper than "
		    "32." },
		{ { "main", "{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}",
		    "b", "{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}",
		    "c", "{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}",
		    "d", "{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}",
		    "e", "{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}" },
		    "f:1: The page takes more than 1048576 steps." },
		{ { "main", "                                                 "
		    "                {{>main}}\n" },
		    "main:1: It is indented by more than 256 bytes." },
	};
	const char	*sources[13] = { NULL };
	size_t		 i, n;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		for (n = 0; n < 10 && cases[i].sources[n] != NULL; n++)
			sources[n] = cases[i].sources[n];
		sources[n] = NULL;
		/* 8 * 8 * 8 * 8 * 8 * 64 steps that write nothing. */
		if (n == 10) {
			sources[10] = "f";
			sources[11] = repeat("{{empty}}", 64);
			sources[12] = NULL;
		}
		assert_null(render_with(&plain, sources));
		assert_string_equal(error, cases[i].expected);
	}
}

/* 32 partials in each other are well. */
static void
test_partial_depth(void **state)
{
	const char	*sources[33 * 2 + 1] = { "main", "{{>p1}}" };
	size_t		 i;

	(void)state;
	for (i = 1; i <= 32; i++) {
		sources[i * 2] = arena_fmt(arena, "p%zu", i);
		sources[i * 2 + 1] = i == 32 ? "end" : arena_fmt(arena,
		    "{{>p%zu}}", i + 1);
	}
	sources[33 * 2] = NULL;
	assert_string_equal(render_with(&plain, sources), "end");
	sources[32 * 2 + 1] = "{{>p32}}";
	assert_null(render_with(&plain, sources));
	assert_string_equal(error, "p32:1: Partials nest deeper than 32.");
}

static void
test_no_such_template(void **state)
{
	(void)state;
	assert_null(render_with(&plain, (const char *[]){ "x", "", NULL }));
	assert_string_equal(error, "There is no template named main.");
}

static void
file_write(const char *dir, const char *name, const char *text)
{
	FILE	*f = fopen(arena_fmt(arena, "%s/%s", dir, name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
test_folder(void **state)
{
	char			 dir[] = "/tmp/mustache_test.XXXXXX";
	struct mustache_set	*set;
	struct buf		 out;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mkdir(arena_fmt(arena, "%s/mail", dir), 0700), 0);
	file_write(dir, "page.html", "{{evil}} {{>mail/verify}}");
	file_write(dir, "mail/verify.html", "<{{name}}>");
	file_write(dir, "mail/verify.txt", "{{evil}}");
	file_write(dir, ".hidden.html", "{{");
	file_write(dir, "README", "{{");
	set = mustache_load(dir, &plain, &load_error);
	assert_non_null(set);
	assert_true(mustache_has(set, "page"));
	assert_true(mustache_has(set, "mail/verify"));
	assert_true(mustache_has(set, "mail/verify.txt"));
	assert_false(mustache_has(set, "page.html"));
	assert_false(mustache_has(set, "README"));
	buf_init(&out, arena, OUT_MAX);
	assert_true(mustache_render(set, "mail/verify.txt", view_make(), &out,
	    &error));
	assert_true(mustache_render(set, "page", view_make(), &out, &error));
	assert_string_equal(buf_text(&out), "<a href=\"'x'\">&amp;</a>"
	    "&lt;a href=&quot;&#39;x&#39;&quot;&gt;&amp;amp;&lt;/a&gt; <Ada>");
	mustache_free(set);

	file_write(dir, "mail/broken.html", "\n\n{{#x}}");
	assert_null(mustache_load(dir, &plain, &load_error));
	assert_string_equal(load_error, arena_fmt(arena, "%s/mail/broken.html"
	    ":3: What {{#x}} opens is not closed.", dir));
	assert_int_equal(system(arena_fmt(arena, "rm -r '%s'", dir)), 0);
	free(load_error);
	assert_null(mustache_load(dir, &plain, &load_error));
	assert_string_equal(load_error, arena_fmt(arena, "%s:0: The folder "
	    "can't be read: No such file or directory.", dir));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_load_errors), TEST(test_strict), TEST(test_limits),
		TEST(test_recursion), TEST(test_partial_depth),
		TEST(test_no_such_template), TEST(test_folder),
	};

	return (cmocka_run_group_tests_name("web/mustache_refusal", tests,
	    NULL, NULL));
}
