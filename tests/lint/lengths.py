"""Files stay readable: 600 lines is a smell, and a smell is an error.  Every C
file opens with a comment for newcomers."""

import re

from _source import main, sources, tracked

LINES_MAX = 600
KINDS = (".c", ".h", ".py", ".sh", ".sql", ".js", ".html")


def check(root):
    for path, text in tracked(root):
        lines = text.count("\n")
        if path.endswith(KINDS) and lines > LINES_MAX:
            yield path, lines, f"{lines} lines, more than {LINES_MAX}"
    for path, text in sources(root, "app/**/*.[ch]", "tests/**/*.[ch]"):
        if not re.match(r"/\*\n(?: \*[^\n]*\n)+? \*/\n", text):
            yield path, 1, "opens without a comment for newcomers"


if __name__ == "__main__":
    main(check)
