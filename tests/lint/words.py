"""What is not done is not in the tree: no marks of unfinished work, no code
that was commented out."""

import re

from _source import line_of, main, tracked

# Written in pieces, so that this file is clean, too.
MARKS = re.compile(r"\b(" + "|".join(
    a + b for a, b in (("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK"),
                       ("T", "BD"), ("WI", "P"))) + r")\b")
DEAD = re.compile(r"^[ \t]*//[ \t]*[\w>.\[\]()*-]+.*;[ \t]*$|^#if 0\b", re.M)
CONFLICT = re.compile(r"^(<{7}|>{7}) ", re.M)
BINARY = (".png", ".gz", ".ico")


def check(root):
    for path, text in tracked(root):
        if path.endswith(BINARY):
            continue
        for match in MARKS.finditer(text):
            yield (path, line_of(text, match.start()),
                   f"a mark of unfinished work: {match.group()}")
        for match in CONFLICT.finditer(text):
            yield path, line_of(text, match.start()), "a conflict of a merge"
        if path.endswith((".c", ".h")):
            for match in DEAD.finditer(text):
                yield (path, line_of(text, match.start()),
                       "code that was commented out")


if __name__ == "__main__":
    main(check)
