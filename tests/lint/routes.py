"""The route table, read as a reviewer would: every row says who may, a fresh
sign-in is of somebody, and a POST without CSRF is for machines below a path
that says so."""

import re

from _source import line_of, main, sources, without_comments

ROW = re.compile(r"\{\s*(?:METHOD_)?([A-Z]+)\s*,\s*\"([^\"]*)\"\s*,"
                 r"\s*(\w+)\s*,\s*([^}]*?)\s*,?\s*\}", re.S)
GUARDS = {"ANYONE", "CONTACT", "STAFF", "ADMIN", "ACCOUNT", "FRESH",
          "MACHINE", "NODB", "SETUP", "API"}
WHO = {"ANYONE", "CONTACT", "STAFF", "ADMIN", "ACCOUNT", "MACHINE"}
SOMEBODY = {"CONTACT", "STAFF", "ADMIN", "ACCOUNT"}
# The last: mail programs, by a token of its own (RFC 8058).
MACHINE_PATHS = ("/check", "/unsubscribe/")


def check(root):
    for path, text in sources(root, "app/routes.c"):
        code = without_comments(text)
        rows = list(ROW.finditer(code))
        # Whatever looks like the start of a row must be one that was read.
        starts = len(re.findall(r"\{\s*(?:METHOD_)?(?:GET|POST|PUT|DELETE|"
                                r"PATCH|HEAD|OPTIONS)\s*,", code))
        if starts != len(rows) or not rows:
            yield path, 1, (f"{starts} rows, of which {len(rows)} can be read:"
                            " { METHOD, \"path\", handler, GUARD }")
        seen = set()
        for row in rows:
            method, pattern, _, guard = row.groups()
            where = path, line_of(code, row.start())
            for text_of in judge(method, pattern, guard):
                yield *where, f"{method} {pattern}: {text_of}"
            shape = method, re.sub(r":\w+", ":", pattern)
            if shape in seen:
                yield *where, f"{method} {pattern}: stands there twice"
            seen.add(shape)


def judge(method, pattern, guard):
    names = {n.strip() for n in guard.split("|")}
    scopes = {n for n in names if n.startswith("SCOPE_")}
    names -= scopes
    unknown = names - GUARDS
    if unknown:
        yield f"no such guard: {guard or 'none'}"
        return
    if not names & WHO:
        yield "says not who may"
    if "ANYONE" in names and names & SOMEBODY:
        yield "both anyone and somebody"
    if "FRESH" in names and not names & SOMEBODY:
        yield "FRESH of nobody"
    if "NODB" in names and names & (SOMEBODY | {"FRESH"}):
        yield "without database nobody is signed in"
    if "MACHINE" in names and not pattern.startswith(MACHINE_PATHS):
        yield "no CSRF check outside of " + " ".join(MACHINE_PATHS)
    if ("API" in names) != pattern.startswith("/api/"):
        yield "API is for /api/, and all there is API"
    if scopes and "API" not in names:
        yield "a scope of a page"
    if "API" in names and names & SOMEBODY - {"ACCOUNT"} and len(scopes) != 1:
        yield "no scope, or more than one"
    if "API" in names and "FRESH" in names:
        yield "a script can't sign in afresh: its scope says so"
    if pattern.startswith(("/staff", "/api/v1/staff")) and not names & {"STAFF", "ADMIN"}:
        yield "a staff page for others"
    if not pattern.startswith("/"):
        yield "begins with a /"
    if method not in ("GET", "POST") and not names & {"MACHINE", "API"}:
        yield "pages have GET and POST"


if __name__ == "__main__":
    main(check)
