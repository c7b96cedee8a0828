"""What the lints share.  A lint is a program with check(root), which yields
findings as (path, line, text); run alone it prints them and returns 1."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(check):
    findings = sorted(check(ROOT if len(sys.argv) < 2 else Path(sys.argv[1])))
    for path, line, text in findings:
        print(f"{path}:{line}: {text}")
    sys.exit(1 if findings else 0)


def sources(root, *patterns):
    """(path below root, text), without what is built or fetched."""
    for pattern in patterns or ("app/**/*.[ch]",):
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text()


def tracked(root):
    """Every text file of ours; folders of builds and dots are not."""
    skip = re.compile(r"^(build|var|node_modules|\.git)(-|/|$)|__pycache__")
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if skip.search(name) or not path.is_file():
            continue
        try:
            yield name, path.read_text()
        except UnicodeDecodeError:
            continue


def blank(match):
    """White space of the same shape, so that line numbers stay."""
    return re.sub(r"[^\n]", " ", match.group())


C_TOKENS = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"
                      |'(?:\\.|[^'\\\n])*'""", re.S | re.X)


def without_comments(text):
    return C_TOKENS.sub(
        lambda m: blank(m) if m.group()[0] == "/" else m.group(), text)


def without_strings(text):
    """Neither comments nor what stands between quotes."""
    return C_TOKENS.sub(
        lambda m: blank(m) if m.group()[0] == "/"
        else m.group()[0] + blank(m)[1:-1] + m.group()[0], text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1
