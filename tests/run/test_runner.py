"""What the runner of the suites promises: what hangs ends with all that it
started and is told in few words, what dies is counted, and tests that are marked
`alone` get a part of their own at the end."""

import os
import subprocess
import sys

import pytest

from lib import base, cluster

sys.path.insert(0, str(base.ROOT / "tests"))
import runner  # noqa: E402


@pytest.fixture
def results():
    return runner.Results()


def test_a_program_that_hangs(results, folder, capsys, monkeypatch):
    program = folder / "hangs"
    child = folder / "child"
    program.write_text("#!/bin/sh\nhead -c 9000 /dev/zero | tr '\\0' x\n"
                       "sleep 1000 & echo $! >" + str(child) + "\nwait\n")
    program.chmod(0o755)
    monkeypatch.setattr(runner, "UNIT_TIMEOUT_S", 1)
    runner.run_cmocka(results, "hangs", program, None)
    assert (results.passed, results.failures) == (0, ["hangs"])
    said = capsys.readouterr().out
    assert "still running after 1 s" in said
    assert runner.SHOWN_MAX - 100 < len(said) < runner.SHOWN_MAX + 200
    pid = int(child.read_text())

    def gone():
        try:
            state = open(f"/proc/{pid}/stat").read().split(") ")[1][0]
        except FileNotFoundError:
            return True
        return state == "Z"     # nobody's child but init's
    base.wait_until(gone, 5)


def test_a_program_that_dies(results, folder, capsys):
    program = folder / "dies"
    program.write_text("#!/bin/sh\necho last words\nkill -SEGV $$\n")
    program.chmod(0o755)
    runner.run_cmocka(results, "dies", program, None)
    assert results.failures == ["dies"]
    assert "last words" in capsys.readouterr().out


def test_a_skip_says_why(results, folder, capsys):
    program = folder / "skips"
    report = ('<?xml version="1.0"?><testsuites><testsuite name="a b">'
              '<testcase name="one"><skipped/></testcase>'
              '<testcase name="two"/><testcase name="three"><skipped/>'
              '</testcase></testsuite></testsuites>')
    program.write_text("#!/bin/sh\necho 'skipped: too small'\n"
                       f"echo '{report}'\n")
    program.chmod(0o755)
    runner.run_cmocka(results, "skips", program, None)
    assert (results.passed, results.failed, results.skipped) == (1, 0, 2)
    said = capsys.readouterr().out
    assert "skipped skips: one: too small" in said
    assert "skipped skips: three: says not why" in said


def test_lanes_count_what_dies(results, build, capfd):
    """Two at once: each is told of, and counts."""
    runner.run_lanes(results, ["no-such-1", "no-such-2"], 2, build)
    assert sorted(results.failures) == ["no-such-1", "no-such-2"]
    said = capfd.readouterr().out
    assert "no-such-1: 0 passed, 1 failed" in said
    assert "no-such-2: 0 passed, 1 failed" in said


def test_parts():
    beside, alone = runner.parts_of(["accounts", "unit", "e2e", "profile"])
    assert beside == ["e2e", "accounts", "unit 1", "unit 2", "profile"]
    assert alone == ["accounts alone", "e2e alone"]
    assert set(runner.LONGEST) <= {"unit 1", "unit 2"} | set(
        runner.python_suites())


def test_told_to_end_it_leaves_nothing(build, folder):
    """In the background, too, where SIGINT is ignored."""
    with open(folder / "said", "wb") as said:
        process = base.spawn(
            ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", runner.PYTHON,
             "-B", base.ROOT / "tests/runner.py", build, "unit"],
            stdout=said, stderr=said)

    def children(of):
        return subprocess.run(["pgrep", "-P", str(of)], text=True,
                              capture_output=True).stdout.split()
    parts = base.wait_until(
        lambda: [pid for pid in children(process.pid)
                 if len(children(pid)) > 0 and "--part" in open(
                     f"/proc/{pid}/cmdline").read()], 180, "its parts")
    own = [path for path in cluster.MEMORY.glob(f"latchkey-pg.{process.pid}-*")]
    own += [path for pid in parts
            for path in cluster.MEMORY.glob(f"latchkey-pg.{pid}-*")]
    process.terminate()
    process.wait(90)
    assert not [pid for pid in parts if os.path.exists(f"/proc/{pid}")]
    assert not [path for path in own if path.exists()]
