"""SQL stands in the slices' *_db.c only, as literal text of a DB_QUERY, so
that nothing typed by a person can become part of a statement.  What a write
refuses is looked at, or is for db_must() to tell of."""

import re

from _source import line_of, main, sources, without_comments

STATEMENT = re.compile(
    r'"\s*(SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|WITH|TRUNCATE|ALTER|'
    r'CREATE|DROP|GRANT)\s+[A-Za-z0-9_("$*]')
QUERY = re.compile(r"\bDB_QUERY\s*\(\s*\w+\s*,(.*?)\)\s*;", re.S)
# Asks the registry of migrations, which is no slice's.
NO_SLICE = ("app/health.c",)
# A write, up to the end of its function or to the next one.
WRITE = re.compile(r"\bdb_write\s*\((?:(?!\bdb_write\b|\n\}).)*", re.S)
LOOKS = re.compile(r"\bdb_must\s*\(|->outcome\b|\bresult_of\s*\(")
# No look: it would end the worker.
ASSERT = re.compile(r"\bassert\s*\([^;]*;")
LITERAL = re.compile(r'"(?:\\.|[^"\\])*"')
# What may stand between literals: macros, which are constants of our own.
MACROS = re.compile(r"(\b[A-Z][A-Z0-9_]*\b|[\s(),])*")


def check(root):
    for path, text in sources(root, "app/**/*.c"):
        code = without_comments(text)
        if path.startswith("app/db/") or path in NO_SLICE:
            continue
        if not path.endswith("_db.c"):
            for match in STATEMENT.finditer(code):
                yield (path, line_of(code, match.start()),
                       "SQL is only for *_db.c")
            for match in re.finditer(r"\bDB_QUERY\b", code):
                yield (path, line_of(code, match.start()),
                       "DB_QUERY is only for *_db.c")
            continue
        for match in WRITE.finditer(code):
            line = code[code.rfind("\n", 0, match.start()):match.end()]
            if not LOOKS.search(ASSERT.sub("", line)):
                yield (path, line_of(code, match.start()),
                       "what this write refuses is not looked at: db_must()")
        inside = [m.span() for m in QUERY.finditer(code)]
        for match in QUERY.finditer(code):
            if not MACROS.fullmatch(LITERAL.sub(" ", match.group(1))):
                yield (path, line_of(code, match.start()),
                       "a query is literal text and constants")
        for match in STATEMENT.finditer(code):
            before = code[:match.start()].rstrip()
            if not any(a <= match.start() < b for a, b in inside) \
                    and not re.search(r"#define[ \t]+\w+[^\n]*(\\\n[^\n]*)*$",
                                      before):
                yield (path, line_of(code, match.start()),
                       "a statement stands in a DB_QUERY")


if __name__ == "__main__":
    main(check)
