#!/usr/bin/python3
"""format.py [--check] FILE...: clang-format by .clang-format, but for what it
can't do.  KNF sets names of declarations and values of #defines in columns
with tabs, and folds prototypes by 20 columns: white space inside of a line and
the folding of prototypes (headers, and a file's head before its first body)
stay as they are."""

import difflib
import re
import subprocess
import sys


def key(line):
    """The indentation, and the words without the space between them."""
    indent = re.match(r"\s*", line).group()
    return indent, re.sub(r"\s+", "", line)


def words(lines):
    return re.sub(r"\s+", "", "".join(lines))


def merge(ours, formatted):
    """The formatted lines, and ours where only inner white space differs."""
    a, b = ours.splitlines(True), formatted.splitlines(True)
    matcher = difflib.SequenceMatcher(None, [key(x) for x in a],
                                      [key(x) for x in b], autojunk=False)
    bodies = next((i for i, line in enumerate(a) if line == "{\n"), len(a))
    merged = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        prototype = i2 < bodies and words(a[i1:i2]) == words(b[j1:j2])
        merged += a[i1:i2] if kind == "equal" or prototype else b[j1:j2]
    return "".join(merged)


def main(arguments):
    check = "--check" in arguments
    differ = 0
    for name in arguments:
        if name.startswith("--"):
            continue
        with open(name, encoding="utf-8") as f:
            ours = f.read()
        formatted = subprocess.run(["clang-format", name], check=True,
                                   stdout=subprocess.PIPE, text=True).stdout
        merged = merge(ours, formatted)
        if merged == ours:
            continue
        differ += 1
        if check:
            sys.stdout.writelines(difflib.unified_diff(
                ours.splitlines(True), merged.splitlines(True), name, name,
                n=0))
        else:
            with open(name, "w", encoding="utf-8") as f:
                f.write(merged)
            print(name)
    return 1 if check and differ else 0


sys.exit(main(sys.argv[1:]))
