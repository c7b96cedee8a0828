/*
 * Templates: values, inheritance, lines and their indent, assets.  What is
 * refused is in mustache_refusal_test.c; the core modules of the specification
 * have the public suite, test_mustache_spec.py.
 */
#include "mustache_cases.h"

struct render_case {
	const char	*why;
	const char	*sources[10];	/* pairs; the first is "main" */
	const char	*expected;
};

static void		 cases_run(const struct mustache_options *,
			    const struct render_case *, size_t);
static const char	*asset_find(const char *);

static const struct mustache_options	assets = { .asset = asset_find };

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
	const struct CMUnitTest	tests[] = {
		TEST(test_values), TEST(test_inheritance), TEST(test_lines),
		TEST(test_assets), TEST(test_own_templates),
		TEST(test_prefixes),
	};

	return (cmocka_run_group_tests_name("web/mustache", tests, NULL,
	    NULL));
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

static const char *
asset_find(const char *name)
{
	if (str_eq(name, "app.css"))
		return ("app.0123.css");
	if (str_eq(name, "icons.svg"))
		return ("icons.4.svg");
	return (NULL);
}
