/*
 * Markdown: what it makes of prose, what it never lets through, that headings
 * fit into a page, and that a text that was made to hurt doesn't, on a stack
 * of a coroutine's size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/co.h"
#include "web/markdown.h"
#include "web/mustache.h"

static struct arena	*arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(64u * 1024 * 1024, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

/* What a page shows of it. */
static const char *
shown(const char *text, int level)
{
	static const struct mustache_options	 strict = { .strict = true };
	static struct mustache_set		*set;
	struct view				*v = view_new(arena);
	const char				*why = "";
	struct buf				 b;
	char					*error;

	if (set == NULL)
		set = mustache_load_text((const char *const[]){ "t",
		    "{{text_html}}", NULL }, &strict, &error);
	view_html(v, "text_html", markdown_html(arena, text, level));
	buf_init(&b, arena, 16u * 1024 * 1024);
	assert_true(mustache_render(set, "t", v, &b, &why));
	return (buf_text(&b));
}

static void
test_prose(void **state)
{
	static const struct {
		const char	*text, *html;
	} cases[] = {
		{ "", "" },
		{ "a & b < c \"d\"", "<p>a &amp; b &lt; c &quot;d&quot;</p>\n" },
		{ "*a* **b** `c<`", "<p><em>a</em> <strong>b</strong> "
		    "<code>c&lt;</code></p>\n" },
		{ "- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n" },
		{ "3. a", "<ol start=\"3\">\n<li>a</li>\n</ol>\n" },
		{ "> a", "<blockquote>\n<p>a</p>\n</blockquote>\n" },
		{ "```sh\na < b\n```", "<pre><code class=\"language-sh\">"
		    "a &lt; b\n</code></pre>\n" },
		{ "[a](https://b.example/?c=1&d=2)", "<p><a href=\""
		    "https://b.example/?c=1&amp;d=2\">a</a></p>\n" },
		{ "[a](/terms) <mailto:b@c.example>", "<p><a href=\"/terms\">a"
		    "</a> <a href=\"mailto:b@c.example\">mailto:b@c.example</a>"
		    "</p>\n" },
		{ "[a](/b \"c \\\" d\")", "<p><a href=\"/b\" title=\"c &quot; "
		    "d\">a</a></p>\n" },
	};
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_string_equal(shown(cases[i].text, 2), cases[i].html);
}

static void
test_refused(void **state)
{
	static const struct {
		const char	*text, *html;
	} cases[] = {
		{ "<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)"
		    "&lt;/script&gt;\n</p>\n" },
		{ "a <b onclick=x>c</b>", "<p>a &lt;b onclick=x&gt;c&lt;/b&gt;"
		    "</p>\n" },
		{ "<!-- a -->", "<p>&lt;!-- a --&gt;\n</p>\n" },
		{ "- <div>", "<ul>\n<li>&lt;div&gt;\n</li>\n</ul>\n" },
		{ "[a](javascript:alert(1))", "<p>a</p>\n" },
		{ "[a](JaVaScRiPt:alert(1))", "<p>a</p>\n" },
		{ "[a](&#106;avascript:alert(1))", "<p>a</p>\n" },
		{ "[a](java&#10;script:alert(1))", "<p>a</p>\n" },
		{ "[a](vbscript:x) [b](data:text/html,x) [c](file:///etc)",
		    "<p>a b c</p>\n" },
		{ "[a](//evil.example) [b](/\\\\evil.example) [c](d)",
		    "<p>a b c</p>\n" },
		{ "[a]()", "<p>a</p>\n" },
		{ "<javascript:alert(1)>", "<p>javascript:alert(1)</p>\n" },
		{ "![a *b*](https://evil.example/p.png)",
		    "<p>a <em>b</em></p>\n" },
		{ "[![a](/p.png)](javascript:x)", "<p>a</p>\n" },
		{ "[![a](/p.png)](/q)", "<p><a href=\"/q\">a</a></p>\n" },
		{ "[a](https://b.example/\"onclick=\"x)", "<p><a href=\""
		    "https://b.example/%22onclick=%22x\">a</a></p>\n" },
		{ "```a\" onclick=\"b\nc\n```", "<pre><code class=\"language-a"
		    "&quot;\">c\n</code></pre>\n" },
	};
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_string_equal(shown(cases[i].text, 2), cases[i].html);
}

static void
test_headings(void **state)
{
	(void)state;
	assert_string_equal(shown("# a\n## b\n# c", 2),
	    "<h2>a</h2>\n<h3>b</h3>\n<h2>c</h2>\n");
	/* None is left out on the way down, whatever it begins with. */
	assert_string_equal(shown("### a\n###### b\n# c", 3),
	    "<h3>a</h3>\n<h4>b</h4>\n<h3>c</h3>\n");
	assert_string_equal(shown("# a\n## b\n### c\n#### d", 4),
	    "<h4>a</h4>\n<h5>b</h5>\n<h6>c</h6>\n<h6>d</h6>\n");
	assert_string_equal(shown("> # a\n\n- ### b", 2),
	    "<blockquote>\n<h2>a</h2>\n</blockquote>\n<ul>\n<li>\n<h3>b</h3>\n"
	    "</li>\n</ul>\n");
}

static void
test_empty(void **state)
{
	(void)state;
	assert_true(markdown_empty(""));
	assert_true(markdown_empty(" \n\t\n"));
	assert_true(markdown_empty("[a]: /b"));
	assert_false(markdown_empty("a"));
	assert_false(markdown_empty("<!-- a -->"));
}

static void
repeated(const char *piece)
{
	size_t		 n = strlen(piece), i;
	int64_t		 began = clock_monotonic();
	struct buf	 b;

	buf_init(&b, arena, MARKDOWN_BYTES + 1);
	for (i = 0; i + n <= MARKDOWN_BYTES; i += n)
		buf_add(&b, piece, n);
	(void)shown(buf_text(&b), 2);
	/* A machine under load and a sanitizer take their part of it. */
	assert_true(clock_monotonic() - began < 5 * SECOND_US);
}

static void
hurt(void *arg)
{
	static const char *const pieces[] = { ">", "> ", "- ", "* a\n", "[",
		"[a](", "![", "*a_", "**x", "`", "<", "<a ", "&", "\\", "a\n",
		"[a]: /\n", "```\n", "<!--", "_ ", "\xc3\xa4", "\"", "1. ",
		"[a](<b", "&#0;" };
	size_t	i;

	for (i = 0; i < COUNT(pieces); i++)
		repeated(pieces[i]);
	*(bool *)arg = true;
}

static void
test_hostile(void **state)
{
	char	*text = arena_alloc(arena, MARKDOWN_BYTES + 2);
	bool	 done = false;

	(void)state;
	assert_true(co_start(hurt, &done));
	assert_true(done);
	/* Too long is shown as it was typed. */
	memset(text, '#', MARKDOWN_BYTES + 1);
	assert_memory_equal(shown(text, 2), "<p>###", 6);
}

static void
test_only_where_html_belongs(void **state)
{
	static const struct mustache_options	 lenient = { .strict = false };
	const char				*why = "", *name;
	struct mustache_set			*set;
	struct view				*v = view_new(arena);
	struct buf				 b;
	char					*error;
	int					 i;

	(void)state;
	set = mustache_load_text((const char *const[]){
	    "a.txt", "{{a_html}}", "b", "{{b}}", "c", "{{a_html}}", NULL },
	    &lenient, &error);
	view_html(v, "a_html", markdown_html(arena, "*x*", 2));
	view_html(v, "b", markdown_html(arena, "*x*", 2));
	for (i = 0; i < 3; i++) {
		name = (const char *const[]){ "a.txt", "b", "c" }[i];
		buf_init(&b, arena, 1024);
		assert_int_equal(mustache_render(set, name, v, &b, &why),
		    i == 2);
	}
	/* Text under such a name is text. */
	view_text(v, "a_html", "<b>");
	buf_init(&b, arena, 1024);
	assert_true(mustache_render(set, "c", v, &b, &why));
	assert_string_equal(buf_text(&b), "&lt;b&gt;");
	mustache_free(set);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_prose),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_headings),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_only_where_html_belongs),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
