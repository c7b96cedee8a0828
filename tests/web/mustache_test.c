/*
 * Templates: inheritance, indentation, what is refused at load and when
 * rendering, escaping, assets, folders, and hostile input.  The core modules
 * have the public suite: test_mustache_spec.py.
 *
 * Every case renders the template "main" of its set with the same view.
 */
#include "web/mustache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_MAX	100000u

struct render_case {
	const char	*why;
	const char	*sources[10];	/* pairs; the first is "main" */
	const char	*expected;
};

static struct arena	*arena;
static const char	*error;		/* of the last failure */
static char		*load_error;

static const char	*render_with(const struct mustache_options *,
			    const char *const *);
static void		 cases_run(const struct mustache_options *,
			    const struct render_case *, size_t);
static void		 load_fails(const struct mustache_options *,
			    const char *const *, const char *);
static const char	*asset_find(const char *);

static const struct mustache_options	plain;
static const struct mustache_options	strict = { .strict = true };
static const struct mustache_options	assets = { .asset = asset_find };

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(16u << 20, NULL, NULL);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	free(load_error);
	load_error = NULL;
	return (0);
}

static struct view *
view_make(void)
{
	struct view	*v = view_new(arena), *map, *row;

	view_text(v, "name", "Ada");
	view_text(v, "empty", "");
	view_text(v, "evil", "<a href=\"'x'\">&amp;</a>");
	view_text(v, "lines", "1\n2\n");
	view_text(v, "tag", "{{name}}");
	view_int(v, "zero", 0);
	view_int(v, "many", -42);
	view_bool(v, "yes", true);
	view_bool(v, "no", false);
	view_list(v, "none");
	map = view_map(v, "person");
	view_text(map, "name", "Grace");
	view_text(view_map(map, "firm"), "name", "Navy");
	row = view_row(v, "rows");
	view_text(row, "id", "a");
	row = view_row(v, "rows");
	view_text(row, "id", "b");
	view_text(row, "name", "Row");
	view_row_text(v, "words", "x");
	view_row_text(v, "words", "<y>");
	return (v);
}

static void
test_values(void **state)
{
	static const struct render_case	cases[] = {
		{ "text in HTML is escaped",
		    { "main", "{{evil}}" },
		    "&lt;a href=&quot;&#39;x&#39;&quot;&gt;&amp;amp;&lt;/a&gt;" },
		{ "text in a .txt template is not",
		    { "main", "{{>mail.txt}}", "mail.txt", "{{evil}}" },
		    "<a href=\"'x'\">&amp;</a>" },
		{ "a value is no template", { "main", "{{tag}}" },
		    "{{name}}" },
		{ "numbers and truth", { "main", "{{many}} {{yes}} {{no}}" },
		    "-42 true false" },
		{ "false are 0, \"\", false and no rows",
		    { "main", "{{#zero}}0{{/zero}}{{#empty}}e{{/empty}}"
		    "{{#no}}n{{/no}}{{#none}}r{{/none}}{{^zero}}0{{/zero}}"
		    "{{^empty}}e{{/empty}}{{^no}}n{{/no}}{{^none}}r{{/none}}" },
		    "0enr" },
		{ "true are the others",
		    { "main", "{{#many}}{{.}}{{/many}}{{#name}}({{.}}){{/name}}"
		    "{{^yes}}no{{/yes}}{{^person}}no{{/person}}"
		    "{{^rows}}no{{/rows}}" }, "-42(Ada)" },
		{ "rows see what is around",
		    { "main", "{{#rows}}{{id}}={{name}};{{/rows}}" },
		    "a=Ada;b=Row;" },
		{ "texts in a list", { "main", "{{#words}}[{{.}}]{{/words}}" },
		    "[x][&lt;y&gt;]" },
		{ "dots", { "main", "{{person.firm.name}} {{person.name}}"
		    "{{#person.firm}} {{name}}{{/person.firm}}"
		    "{{name.x}}{{person.nobody.name}}" }, "Navy Grace Navy" },
		{ "tags may have spaces and lines in them",
		    { "main", "{{ name }}{{\n name\n}}" }, "AdaAda" },
		{ "braces that are no tags",
		    { "main", "{ {a} }} {x{ " }, "{ {a} }} {x{ " },
		{ "nothing", { "main", "" }, "" },
		{ "a comment may be long and hold names",
		    { "main", "{{!\n a {b} c\n}}\nx" }, "x" },
	};

	(void)state;
	cases_run(&plain, cases, COUNT(cases));
}

/* The inheritance module: what a block shows, and who decides it. */
static void
test_inheritance(void **state)
{
	static const struct render_case	cases[] = {
		{ "a block alone shows its default",
		    { "main", "<{{$title}}Of {{name}}{{/title}}>" },
		    "<Of Ada>" },
		{ "defaults may hold sections",
		    { "main", "{{$a}}{{#person}}{{name}}{{/person}}"
		    "{{^no}}!{{/no}}{{/a}}" }, "Grace!" },
		{ "an argument replaces the default",
		    { "main", "{{<base}}{{$title}}mine{{/title}}{{/base}}",
		    "base", "({{$title}}default{{/title}})" }, "(mine)" },
		{ "without it the default stays",
		    { "main", "{{<base}}{{$b}}B{{/b}}{{/base}}",
		    "base", "{{$a}}1{{/a}}, {{$b}}2{{/b}}" }, "1, B" },
		{ "an argument may be empty",
		    { "main", "{{<base}}{{$a}}{{/a}}{{/base}}",
		    "base", "[{{$a}}1{{/a}}]" }, "[]" },
		{ "text between the blocks is ignored",
		    { "main", "{{<base}} so {{$a}}A{{/a}} what {{! x }}"
		    "{{/base}}", "base", "[{{$a}}1{{/a}}]" }, "[A]" },
		{ "names of blocks are no names of the view",
		    { "main", "{{<base}}{{$name}}block{{/name}}{{/base}}",
		    "base", "{{$name}}{{/name}} {{name}}" }, "block Ada" },
		{ "the same block in several places",
		    { "main", "{{<base}}{{$t}}T{{/t}}{{/base}}",
		    "base", "{{$t}}{{/t}}-{{$t}}d{{/t}}" }, "T-T" },
		{ "a parent several times, differently",
		    { "main", "{{<p}}{{$s}}1{{/s}}{{/p}} {{<p}}{{$s}}2{{/s}}"
		    "{{/p}} {{<p}}{{/p}}", "p", "|{{$s}}d{{/s}}|" },
		    "|1| |2| |d|" },
		{ "the outermost argument wins",
		    { "main", "{{<b}}{{$a}}main{{/a}}{{/b}}",
		    "b", "{{<c}}{{$a}}b{{/a}}{{/c}}",
		    "c", "{{<d}}{{$a}}c{{/a}}{{/d}}",
		    "d", "{{$a}}d{{/a}}" }, "main" },
		{ "or the next one that is given",
		    { "main", "{{<b}}{{/b}}",
		    "b", "{{<c}}{{$a}}b{{/a}}{{/c}}",
		    "c", "{{<d}}{{$a}}c{{/a}}{{/d}}",
		    "d", "{{$a}}d{{/a}}" }, "b" },
		{ "arguments reach through parents in defaults, which end",
		    { "main", "{{<p}}{{$x}}over{{/x}}{{/p}}",
		    "p", "{{$x}}p{{/x}} {{$y}}{{<q}}{{/q}}{{/y}}",
		    "q", "{{$x}}q{{/x}} {{<p}}{{$y}}stop{{/y}}{{/p}}" },
		    "over over over stop" },
		{ "and through partials",
		    { "main", "{{<p}}{{$x}}over{{/x}}{{/p}}", "p", "{{>q}}",
		    "q", "{{$x}}q{{/x}}" }, "over" },
		{ "an argument has the data of the block's place",
		    { "main", "{{<p}}{{$x}}I am {{name}}.{{/x}}{{/p}}",
		    "p", "{{#person}}{{$x}}{{/x}}{{/person}}" },
		    "I am Grace." },
		{ "a block in an argument is a parameter of its template",
		    { "main", "{{<mid}}{{$inner}}deep{{/inner}}{{/mid}}",
		    "mid", "{{<base}}{{$body}}<{{$inner}}d{{/inner}}>{{/body}}"
		    "{{/base}}", "base", "[{{$body}}{{/body}}]" },
		    "[<deep>]" },
		{ "a parent in an argument may have a block of the same name",
		    { "main", "{{<page}}{{$body}}({{<card}}{{$body}}x{{/body}}"
		    "{{/card}}){{/body}}{{/page}}",
		    "page", "p{{$body}}{{/body}}p",
		    "card", "c{{$body}}{{/body}}c" }, "p(cxc)p" },
		{ "delimiters hold for one template",
		    { "main", "{{=<% %>=}}<%<base%><%$a%><%name%><%/a%>"
		    "<%/base%>", "base", "{{$a}}{{/a}}<%name%>" },
		    "Ada<%name%>" },
	};

	(void)state;
	cases_run(&plain, cases, COUNT(cases));
}

/* White space around blocks and parents. */
static void
test_lines(void **state)
{
	static const struct render_case	cases[] = {
		{ "a page as pages are written",
		    { "main", "{{<base}}\n{{$title}}T{{/title}}\n{{$main}}\n"
		    "<p>\n  {{name}}\n</p>\n{{/main}}\n{{/base}}\n",
		    "base", "<title>{{$title}}{{/title}}</title>\n<main>\n"
		    "  {{$main}}\n  {{/main}}\n</main>\n" },
		    "<title>T</title>\n<main>\n  <p>\n    Ada\n  </p>\n"
		    "</main>\n" },
		{ "a parent that opens and closes on a line is indented",
		    { "main", "Hi,\n  {{<p}}{{/p}}\nend\n", "p",
		    "one\ntwo\n" }, "Hi,\n  one\n  two\nend\n" },
		{ "one with something behind it is not",
		    { "main", "  {{<p}}{{/p}} end\n", "p", "one\ntwo" },
		    "  one\ntwo end\n" },
		{ "a block's place on a line indents the argument's others",
		    { "main", "{{<p}}{{$b}}\none\ntwo{{/b}}\n{{/p}}\n",
		    "p", "Hi,\n  {{$b}}{{/b}}\n" }, "Hi,\n  one\n  two\n" },
		{ "the margin of an argument is taken away",
		    { "main", "{{<p}}\n  {{$b}}\n    one\n      two\n\n"
		    "   three\n  {{/b}}\n{{/p}}\n",
		    "p", "Hi,\n\t{{$b}}\n\t{{/b}}\n" },
		    "Hi,\n\tone\n\t  two\n\n\tthree\n" },
		{ "the default shows the indent where it has lines",
		    { "main", "{{<p}}{{$b}}\none\ntwo\n{{/b}}{{/p}}\n",
		    "p", "Hi,\n{{$b}}\n  default\n{{/b}}\n" },
		    "Hi,\n  one\n  two\n" },
		{ "a block within a line",
		    { "main", "{{<p}}{{$b}}mine{{/b}}{{/p}}",
		    "p", "stop:\n  {{$b}}default{{/b}} x\n" },
		    "stop:\n  mine x\n" },
		{ "newlines that an argument begins and ends with",
		    { "main", "{{<p}}{{$b}}\na\n\n:(\n{{/b}}{{/p}}",
		    "p", "{{$b}}z{{/b}}" }, "a\n\n:(\n" },
		{ "a parent in an argument",
		    { "main", "{{<p}}\n{{$b}}\n  <div>\n    {{<c}}\n"
		    "    {{$d}}\n    deep\n    {{/d}}\n    {{/c}}\n  </div>\n"
		    "{{/b}}\n{{/p}}\n", "p", "{{$b}}{{/b}}",
		    "c", "<c>\n  {{$d}}\n  {{/d}}\n</c>\n" },
		    "<div>\n  <c>\n    deep\n  </c>\n</div>\n" },
		{ "partials in partials; empty lines and values stay",
		    { "main", " {{>a}}\n", "a", "a\n\n {{>b}}\n{{lines}}x\n",
		    "b", "b\r\n\r\n{{name}}\n" },
		    " a\n\n  b\r\n\r\n  Ada\n 1\n2\nx\n" },
		{ "sections in an indented partial",
		    { "main", "  {{>a}}\n", "a", "{{#rows}}\n{{id}}\n{{/rows}}"
		    "\n{{#rows}}{{id}}{{/rows}}\n" }, "  a\n  b\n  ab\n" },
		{ "CRLF", { "main", "{{<p}}\r\n{{$b}}\r\nx\r\n{{/b}}\r\n{{/p}}"
		    "\r\n", "p", "<\r\n {{$b}}\r\n {{/b}}\r\n>\r\n" },
		    "<\r\n x\r\n>\r\n" },
	};

	(void)state;
	cases_run(&plain, cases, COUNT(cases));
}

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

static void
test_assets(void **state)
{
	static const struct render_case	cases[] = {
		{ "in text",
		    { "main", "<link href=\"/assets/app.css\"><use href=\""
		    "/assets/icons.svg#x\"/>" }, "<link href=\""
		    "/assets/app.0123.css\"><use href=\"/assets/icons.4.svg#x"
		    "\"/>" },
		{ "at both ends, twice", { "main",
		    "/assets/app.css /assets/app.css" },
		    "/assets/app.0123.css /assets/app.0123.css" },
		{ "in an argument with a margin", { "main", "{{<p}}{{$a}}\n"
		    "  /assets/app.css\n  /assets/icons.svg\n{{/a}}{{/p}}",
		    "p", "{{$a}}{{/a}}" },
		    "/assets/app.0123.css\n/assets/icons.4.svg\n" },
		{ "not of others, not in names",
		    { "main", "https://example.com/assets/app.css /assetsx/"
		    "{{name}}" },
		    "https://example.com/assets/app.css /assetsx/Ada" },
	};

	(void)state;
	cases_run(&assets, cases, COUNT(cases));
	load_fails(&assets, (const char *[]){ "main",
	    "{{name}}\n\n/assets/gone.css", NULL },
	    "main:3: There is no asset named gone.css.");
	load_fails(&assets, (const char *[]){ "main", "/assets/{{name}}",
	    NULL }, "main:1: After /assets/ an asset's name must follow, of "
	    "at most 255 bytes.");
	assert_string_equal(render_with(&plain, (const char *[]){ "main",
	    "/assets/gone.css", NULL }), "/assets/gone.css");
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

/* Every template of the portal is well-formed, and its partials are there. */
static void
test_own_templates(void **state)
{
	static const struct mustache_options	any = { .strict = true };
	struct mustache_set			*set;

	(void)state;
	set = mustache_load("templates", &any, &load_error);
	if (set == NULL)
		fail_msg("%s", load_error);
	assert_true(mustache_has(set, "partials/frame"));
	mustache_free(set);
}

/* Every prefix of a template that has everything loads or is refused. */
static void
test_prefixes(void **state)
{
	static const char	all[] = "{{! c }}\n  {{<p}}\n {{$a}}\n x {{name}}"
	    "\n {{/a}}\n{{/p}}\n{{#rows}}{{id}}{{^none}}-{{/none}}{{/rows}}"
	    "{{=<% %>=}}<%person.name%> <%>p%>\n/assets/app.css <%={{ }}=%>"
	    "{{{name}}}{{&name}}";
	const struct mustache_options	raw = { .asset = asset_find,
	    .raw = true };
	const char	*s[] = { "main", NULL, "p", " {{$a}}\n d\n {{/a}}\n",
	    NULL };
	size_t		 i, refused = 0;

	(void)state;
	for (i = 0; i < sizeof(all); i++) {
		s[1] = arena_strndup(arena, all, i);
		if (render_with(&raw, s) == NULL)
			refused++;
	}
	/* Most of them leave something open. */
	assert_in_range(refused, 100, sizeof(all) - 20);
	assert_string_equal(render_with(&raw, s), "   x Ada\na-b-Grace "
	    " d\n\n/assets/app.0123.css AdaAda");
}

int
main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest	tests[] = {
		TEST(test_values), TEST(test_inheritance), TEST(test_lines),
		TEST(test_load_errors), TEST(test_strict), TEST(test_assets),
		TEST(test_limits), TEST(test_recursion), TEST(test_partial_depth),
		TEST(test_no_such_template),
		TEST(test_folder), TEST(test_own_templates), TEST(test_prefixes),
	};

	return (cmocka_run_group_tests_name("web/mustache", tests, NULL,
	    NULL));
}

/* NULL, with `error` set, when it does not load or render. */
static const char *
render_with(const struct mustache_options *options, const char *const *sources)
{
	struct mustache_set	*set;
	struct buf		 out;
	const char		*text = NULL;

	free(load_error);
	load_error = NULL;
	error = NULL;
	set = mustache_load_text(sources, options, &load_error);
	if (set == NULL) {
		error = load_error;
		return (NULL);
	}
	buf_init(&out, arena, OUT_MAX);
	if (mustache_render(set, "main", view_make(), &out, &error))
		text = buf_text(&out);
	mustache_free(set);
	return (text);
}

static void
cases_run(const struct mustache_options *options,
    const struct render_case *cases, size_t n)
{
	const char	*text;
	size_t		 i;

	for (i = 0; i < n; i++) {
		text = render_with(options, cases[i].sources);
		if (text == NULL)
			fail_msg("%s: %s", cases[i].why, error);
		else if (strcmp(text, cases[i].expected) != 0)
			fail_msg("%s: got \"%s\", not \"%s\"", cases[i].why,
			    text, cases[i].expected);
	}
}

/* The expected message, or its beginning if it ends with a space. */
static void
load_fails(const struct mustache_options *options, const char *const *sources,
    const char *expected)
{
	if (render_with(options, sources) != NULL || load_error == NULL)
		fail_msg("loads, for all of \"%s\"", expected);
	if (str_ends(expected, " "))
		assert_true(str_starts(load_error, expected));
	else
		assert_string_equal(load_error, expected);
}

static const char *
asset_find(const char *name)
{
	if (str_eq(name, "app.css"))
		return ("app.0123.css");
	if (str_eq(name, "icons.svg"))
		return ("icons.4.svg");
	return (NULL);
}
