"""Each lint finds a fault that was planted for it, and finds nothing in the
same place done right.  A lint that can't fail would be worth nothing."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

HEAD = "/*\n * What this is for.\n */\n"


def findings(lint, root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [f"{path}:{line}: {text}" for path, line, text
            in importlib.import_module(lint).check(root)]


def function(body, before="static void\nf(void)"):
    return f"{HEAD}{before}\n{{\n\t{body}\n}}\n"


ROUTES = "const struct route routes[] = {\n\t%s\n\t{ 0, NULL, NULL, 0 }\n};\n"
PAGES = "templates/a/b.html"

FAULTS = [
    # lint, file, wrong, what is found, right
    ("includes", "app/jobs/jobs.c", '#include "keys/key.h"\n',
     "jobs stands to the right", '#include "vault/vault.h"\n'),
    ("includes", "app/db/pool.c", '#include "web/req.h"\n',
     "db stands to the right", '#include "run/co.h"\n'),
    ("includes", "app/keys/key.c", '#include "ctl/ctl.h"\n',
     "nobody includes ctl", '#include "products/product.h"\n'),
    ("includes", "app/stray/a.c", '#include "base/str.h"\n',
     "stands nowhere", "#include <stdio.h>\n"),
    ("includes", "app/keys/key.c", "#include <kore/kore.h>\n",
     "only for app/main.c", "#include <string.h>\n"),
    ("includes", "app/keys/key_db.c", "  #  include <libpq-fe.h>\n",
     "only for app/db", '#include "db/db.h"\n'),
    ("includes", "app/web/form.c", "#include <openssl/sha.h>\n",
     "only for app/crypto", '#include "crypto/token.h"\n'),
    ("includes", "app/vault/vault.c", "#include <sodium.h>\n",
     "only for app/crypto", '#include "crypto/seal.h"\n'),
    ("includes", "app/keys/key.c", "#include <curl/curl.h>\n",
     "only for app/courier", '#include "mail/mail.h"\n'),
    ("includes", "app/keys/key.c", "#include <cmark.h>\n",
     "only for app/web/markdown.c", '#include "web/markdown.h"\n'),
    ("includes", "app/keys/key_pages.c", '#include "web/view_read.h"\n',
     "through web/view.h", '#include "web/view.h"\n'),
    ("includes", "app/keys/key_db.c", '#include "web/req.h"\n',
     "only the _pages.c", '#include "db/db.h"\n'),
    ("sql", "app/keys/key.c", function('x = "SELECT 1 FROM key";'),
     "SQL is only for", function('x = "SELECTED keys";')),
    ("sql", "app/keys/key_pages.c", function('DB_QUERY(q, "TABLE key");'),
     "DB_QUERY is only for", function('key_db_find(db, "x");')),
    ("sql", "app/keys/key_db.c",
     function('DB_QUERY(q, "SELECT 1 FROM " name);'), "literal text",
     function('DB_QUERY(q, "SELECT 1 FROM " NAMES("a") " LIMIT 1");')),
    ("sql", "app/keys/key_db.c",
     function('buf_fmt(b, "DELETE FROM key WHERE id = \'%s\'", id);'),
     "stands in a DB_QUERY",
     function('DB_QUERY(q,\n\t    "DELETE FROM key WHERE id = $1");')),
    ("sql", "app/keys/key_db.c",
     function("rows = db_write(db, &q, DB_NONE);\n\treturn (rows->n);"),
     "not looked at",
     function("rows = db_write(db, &q, DB_NONE);\n\tdb_must(db, rows);")),
    ("sql", "app/keys/key_db.c",
     function("all = db_write(db, &q, DB_NONE);\n\t"
              "assert(all->outcome == DB_OK && all->n == 1);"),
     "not looked at",
     function("all = db_write(db, &q, DB_NONE);\n\t"
              "if (all->outcome == DB_REFUSED)\n\t\treturn (1);\n\t"
              "assert(all->outcome == DB_OK);")),
    ("waits", "app/keys/key.c", function("find(1);"), "f() calls find()",
     function("find(1);", "static WAITS void\nf(void)")),
    ("waits", "app/keys/key.c", function("find(1);", "int\ng(int a,\n"
                                         "    int b)"),
     "g() calls find()", function("find(1);", "void\nf(struct req *rq)")),
    ("waits", "app/keys/key.c",
     function("find(1);", "static void\nf(struct req *rq)"),
     "f() calls find()", function("/* find(1) */ other->find(1);")),
    ("waits", "app/keys/key.c", function("find(1);", "void\nf(void *a)"),
     "f() calls find()", function("find(1);", "void\nf(void *a)")
     + function("co_start(f, NULL);", "void\nh(void)")),
    ("templates", PAGES, "<p>{{{name}}}</p>", "unescaped",
     "<p>{{name}}</p>"),
    ("templates", PAGES, "<p>{{& name}}</p>", "unescaped",
     "{{! {{& }}<p>a &amp; b</p>"),
    ("templates", "templates/mail/a.txt", "{{{name}}}", "unescaped",
     "{{name}}"),
    ("templates", PAGES, "{{=<% %>=}}<p>", "delimiters", "<p>a = b</p>"),
    ("templates", PAGES, '<p title="{{a_html}}">', "content of an element",
     '<div class="a">{{a_html}}</div>'),
    ("templates", PAGES, "<p class={{a}}>", "double quotes",
     '<p class="{{a}}">'),
    ("templates", PAGES, "<p class='a'>", "double quotes",
     '<input{{#x}} checked{{/x}} value="it\'s > 1">'),
    ("templates", PAGES, "<script>a('{{b}}')</script>", "inside <script>",
     '<script src="/assets/a.js" defer></script>'),
    ("templates", PAGES, "<style>p{}</style>", "inside <style>", "<p></p>"),
    ("templates", PAGES, '<p onclick="a()">', "onclick=",
     '<p class="on" data-on="x">'),
    ("templates", PAGES, '<p style="color:red">', "style=", '<p class="a">'),
    ("templates", PAGES, '<a href="{{url}}">', "literal /",
     '<a href="/a/{{id}}">'),
    ("templates", PAGES, '<a href="//evil.example">', "literal /",
     '<a href="/">'),
    ("templates", PAGES, '<a href="/{{other}}">', "literal /",
     '<a href="#{{field}}">'),
    ("templates", PAGES, '<img src="data:x">', "literal /",
     '<img src="/assets/a.svg">'),
    ("templates", PAGES, '<form method="post" action="/a"></form>',
     "without {{>partials/csrf}}",
     '<form method="post" action="/a">{{>partials/csrf}}</form>'),
    ("templates", PAGES, '<form action="/a"></form>', "a form says",
     '<form method="get" action="/a"></form>'),
    ("hosts", "conf/a.sh", "curl https://regis" "try.npm" "js.org/x",
     "names a registry", "npm install x"),
    ("hosts", PAGES, '<img src="https://cdn.evil.net/a.png">',
     "names the host cdn.evil.net", '<svg xmlns="http://www.w3.org/2000/svg">'),
    ("hosts", "assets/a.css", "@import url(//fonts.evil.net/a);",
     "names the host fonts.evil.net", "p { color: red } // not a host"),
    ("hosts", "a/package-lock.json", "{}", "no lock files", None),
    ("hosts", "a.json", '{"resol' 'ved": "x"}', "resolved", "{}"),
    ("lengths", "app/a.c", HEAD + "\n" * 600, "more than 600",
     HEAD + "\n" * 500),
    ("lengths", "app/a.c", "#include <a.h>\n", "without a comment", HEAD),
    ("routes", "app/routes.c", ROUTES % '{ POST, "/a", a_page, 0 },',
     "no such guard", ROUTES % '{ POST, "/a", a_page, ANYONE },'),
    ("routes", "app/routes.c", ROUTES % '{ POST, "/a", a_page },',
     "1 rows, of which 0",
     ROUTES % '{ METHOD_POST, "/a", a_page,\n\t    CONTACT | FRESH },'),
    ("routes", "app/routes.c", ROUTES % '{ GET, "/a", a_page, FRESH },',
     "says not who may", ROUTES % '{ GET, "/a", a_page, STAFF | FRESH },'),
    ("routes", "app/routes.c", ROUTES % '{ POST, "/a", a_page, MACHINE },',
     "no CSRF check", ROUTES % '{ POST, "/check/x", a_page, MACHINE },'),
    ("routes", "app/routes.c", ROUTES % '{ GET, "/api/a", b, CONTACT },',
     "API is for /api/, and all there is API",
     ROUTES % '{ GET, "/api/a", b, CONTACT | API | SCOPE_READ },'),
    ("routes", "app/routes.c", ROUTES % '{ GET, "/a", b, CONTACT | API },',
     "API is for /api/, and all there is API",
     ROUTES % '{ PUT, "/api/a", b, CONTACT | API | SCOPE_READ },'),
    ("routes", "app/routes.c", ROUTES % '{ GET, "/api/a", b, STAFF | API },',
     "no scope, or more than one",
     ROUTES % '{ GET, "/api/a", b, ACCOUNT | API },'),
    ("routes", "app/routes.c", ROUTES % '{ GET, "/staff/a", b, CONTACT },',
     "staff page for others", ROUTES % '{ GET, "/staff/a", b, ADMIN },'),
    ("routes", "app/routes.c", ROUTES % '{ GET, "/a/:x", b, ANYONE },\n\t'
     '{ GET, "/a/:y", c, ANYONE },', "twice",
     ROUTES % '{ GET, "/a/:x", b, ANYONE },\n\t{ POST, "/a/:x", c, ANYONE },'),
    ("words", "a.md", "TO" "DO: more", "unfinished work", "to do: more"),
    ("words", "app/a.c", "// a = b;\n", "commented out",
     "/* a = b; would be wrong */\n"),
    ("words", "app/a.c", "#if 0\n", "commented out", "#ifdef X\n"),
    ("words", "a.md", "<<<<" "<<< HEAD\n", "conflict", "a <<< b\n"),
]


@pytest.mark.parametrize("lint,name,wrong,found,right", FAULTS, ids=[
    f"{f[0]}-{number}" for number, f in enumerate(FAULTS)])
def test_a_planted_fault_is_found(tmp_path, lint, name, wrong, found, right):
    around = {}
    if lint == "waits":
        around["app/keys/key.h"] = (
            "WAITS MUST_CHECK struct key *find(int,\n\t    void (*)(void));\n")
    got = findings(lint, tmp_path / "wrong", {**around, name: wrong})
    assert len(got) >= 1
    assert all(name in line for line in got)
    assert any(found in line for line in got), got
    if right is not None:
        assert findings(lint, tmp_path / "right",
                        {**around, name: right}) == []


def lints():
    return sorted(p.stem for p in HERE.glob("[!_]*.py")
                  if not p.name.startswith("test_"))


def test_every_lint_has_a_fault():
    assert {fault[0] for fault in FAULTS} == set(lints())


@pytest.mark.parametrize("lint", lints())
def test_a_lint_says_by_its_status_what_it_found(tmp_path, lint):
    _, name, wrong, found, _ = next(f for f in FAULTS if f[0] == lint)
    if lint == "waits":
        findings(lint, tmp_path, {"app/keys/key.h": "WAITS int find(int);\n"})
    findings(lint, tmp_path, {name: wrong})
    done = subprocess.run(["/usr/bin/python3", "-B", HERE / f"{lint}.py",
                           tmp_path], text=True, capture_output=True)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{name}:") and found in done.stdout
