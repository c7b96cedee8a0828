"""Who calls a function marked WAITS is WAITS itself: in its declaration, at
its definition, or because it is a handler (`void f(struct req *)`), which the
dispatcher runs in a coroutine.  The tools have no coroutines: for them WAITS
means to poll."""

import re

from _source import line_of, main, sources, without_strings

EXEMPT = ("app/ctl/", "app/courier/", "app/main.c", "app/db/blocking.c")
# The first function of a coroutine: who starts it goes on.
START = re.compile(r"\bco_start\s*\(\s*(\w+)")
DECLARATION = re.compile(r"[^;{}#]*?\bWAITS\b([^;{]*?)[;{]", re.S)
# KNF: the name at the start of a line, the body from { to } at the start.
DEFINITION = re.compile(
    r"^((?:[A-Za-z_][^\n;{}#]*\n)?)([a-z_][a-z0-9_]*)(\((?:[^;{}]*)\))\n\{\n"
    r"(.*?)^\}", re.S | re.M)
HANDLER = re.compile(r"\(\s*struct req \*\s*\w*\s*\)$")
ATTRIBUTE = {"MUST_CHECK", "FORMAT", "_Noreturn", "__attribute__"}


def declared(code):
    """Names declared or defined with the mark."""
    for match in DECLARATION.finditer(code):
        for name in re.findall(r"\b([A-Za-z_]\w*)\s*\(", match.group(1)):
            if name not in ATTRIBUTE:
                yield name
                break


def strip_macros(code):
    return re.sub(r"^[ \t]*#.*(?:\\\n.*)*$",
                  lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.M)


def check(root):
    headers = {}
    for path, text in sources(root, "app/**/*.h"):
        for name in declared(strip_macros(without_strings(text))):
            headers[name] = path
    for path, text in sources(root, "app/**/*.c"):
        if path.startswith(EXEMPT):
            continue
        code = strip_macros(without_strings(text))
        marked = set(headers) | set(declared(code))
        roots = set(START.findall(code))
        if not marked:
            continue
        call = re.compile(r"(?<![\w.>])(" + "|".join(
            map(re.escape, sorted(marked))) + r")\s*\(")
        for match in DEFINITION.finditer(code):
            before, name, arguments, body = match.groups()
            if name in marked | roots or (HANDLER.search(arguments)
                                  and "static" not in before
                                  and re.search(r"\bvoid\b", before)):
                continue
            for found in call.finditer(body):
                yield (path, line_of(code, match.start(4) + found.start()),
                       f"{name}() calls {found.group(1)}(), which WAITS, and "
                       "is not marked WAITS")


if __name__ == "__main__":
    main(check)
