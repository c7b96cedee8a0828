"""Runs the suites and counts what they say of themselves: cmocka's and
pytest's XML, one result for each lint.  A program that dies, says nothing or
ends with a status that does not fit its report counts as a failure, and so
does a suite that ran nothing.  Called by tests/run.sh."""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from lib import base
from lib.cluster import Cluster

ROOT = base.ROOT
TESTS = ROOT / "tests"
PYTHON = "/usr/bin/python3"
UNIT_TIMEOUT_S = 300        # one test program; under ASan 5 times slower
# All of a Python suite.  The longest, e2e with its pictures of every page in four
# looks, takes about a quarter of an hour on two cores.
PYTEST_TIMEOUT_S = 2400


class Results:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def ok(self, count=1):
        self.passed += count

    def fail(self, name, text):
        self.failed += 1
        self.failures.append(name)
        print(f"\nFAILED {name}\n" + "\n".join(
            f"    {line}" for line in text.strip().splitlines()), flush=True)

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped {name}: {why}", flush=True)

    def total(self):
        return self.passed + self.failed


def suite_lint(results, _build):
    """Each tests/lint/*.py without `test_` is a program that is silent and
    returns 0, or prints findings; test_*.py plant faults for them."""
    for program in sorted((TESTS / "lint").glob("[!_]*.py")):
        if program.name.startswith("test_"):
            continue
        done = subprocess.run([PYTHON, "-B", program], text=True, cwd=ROOT,
                              capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            results.ok()
        else:
            results.fail(f"lint/{program.stem}", done.stdout + done.stderr)
    run_pytest(results, "lint")


def suite_unit(results, build):
    """Every C test; those that ask for a database get a migrated one each."""
    programs = [(source, build / "tests" / source.relative_to(
        TESTS).with_suffix("")) for source in sorted(
            TESTS.glob("*/*_test.c"))]
    # Each fuzzer's corpus is replayed.
    programs += [(source, build / "tests/fuzz" / source.name.replace(
        "_fuzz.c", "_replay")) for source in sorted(
            TESTS.glob("fuzz/*_fuzz.c"))]
    programs += [(source, build / "tests/fuzz" / source.stem.replace(
        "_fuzz", "_replay")) for source in sorted(
            TESTS.glob("fuzz/*_fuzz.c"))]
    cluster = why = None
    if any(wants_database(source) for source, _ in programs):
        try:
            cluster = Cluster(build)
            cluster.template("bare")
        except Exception as error:  # each of them then fails with it
            why = str(error)
    try:
        for source, program in programs:
            name = str(source.relative_to(TESTS).with_suffix(""))
            if not program.exists():
                results.fail(name, f"{program} was not built")
            elif wants_database(source) and why:
                results.fail(name, f"no database: {why}")
            else:
                run_cmocka(results, name, program,
                           cluster if wants_database(source) else None)
    finally:
        if cluster:
            cluster.close()


def wants_database(source):
    """Asks for it by itself, or by a header that it shares with others."""
    texts = [source.read_text()]
    texts += [header.read_text() for header in TESTS.glob("*/*.h")
              if f'"{header.relative_to(TESTS)}"' in texts[0]]
    return any(re.search(r"LATCHKEY_TEST_(DATABASE|COURIER|OWNER)_URL", text)
               for text in texts)


def run_cmocka(results, name, program, cluster):
    folder = base.temp_dir("unit")
    env = base.clean_env(CMOCKA_MESSAGE_OUTPUT="xml",
                         CMOCKA_XML_FILE=str(folder / "out-%g.xml"),
                         LATCHKEY_TEST_TMP=str(folder))
    database = None
    if cluster:
        database = cluster.database("bare")
        env["LATCHKEY_TEST_DATABASE_URL"] = cluster.url("latchkey_app",
                                                        database)
        env["LATCHKEY_TEST_COURIER_URL"] = cluster.url("latchkey_courier",
                                                       database)
        env["LATCHKEY_TEST_OWNER_URL"] = cluster.url("latchkey_owner",
                                                     database)
    try:
        done = subprocess.run([program], cwd=ROOT, env=env, timeout=
                              UNIT_TIMEOUT_S, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        output, status = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as error:
        output, status = (error.stdout or b"").decode(errors="replace"), None
    failed_before, total_before = results.failed, results.total()
    reports = [p.read_text() for p in sorted(folder.glob("out-*.xml"))]
    # A group whose name is no file name reports on standard output.
    inline = r"<\?xml.*?</testsuites>\n?"
    reports += re.findall(inline, output, re.S)
    output = re.sub(inline, "", output, flags=re.S)
    for report in reports:
        try:
            count_junit(results, name, ET.fromstring(report))
        except ET.ParseError as error:
            results.fail(name, f"its report can't be read: {error}")
    base.remove(folder)
    if database:
        cluster.drop(database)
    if status is None:
        results.fail(name, f"still running after {UNIT_TIMEOUT_S} s\n{output}")
    elif results.total() == total_before:
        results.fail(name, f"ran no test, status {status}\n{output}")
    elif status != 0 and results.failed == failed_before:
        results.fail(name, f"status {status}\n{output[-4000:]}")
    elif results.failed > failed_before and output.strip():
        print(f"    output of {name}:\n{output[-2000:]}")


def count_junit(results, name, tree):
    for case in tree.iter("testcase"):
        where = case.get("classname", "").removeprefix("tests.")
        full = f"{name}: {where + '.' if where else ''}{case.get('name')}"
        bad = [e for e in case if e.tag in ("failure", "error")]
        skipped = case.find("skipped")
        if bad:
            results.fail(full, "\n".join(
                e.text or e.get("message") or "no reason given" for e in bad))
        elif skipped is not None:
            results.skip(full, skipped.get("message") or "says not why")
        else:
            results.ok()


def run_pytest(results, suite):
    folder = base.temp_dir("pytest")
    report, failed, total = folder / "out.xml", results.failed, results.total()
    command = [PYTHON, "-B", "-m", "pytest", "-q", "--no-header",
               "--no-summary", f"--junitxml={report}", TESTS / suite]
    process = subprocess.Popen(command, cwd=TESTS, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=PYTEST_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        output, _ = process.communicate()
        results.fail(suite, f"still running after {PYTEST_TIMEOUT_S} s")
    if report.exists():
        count_junit(results, suite, ET.parse(report))
    # 0 all passed, 1 some failed, 5 none found (which the caller counts).
    status = process.returncode
    if status not in (0, 1, 5) or (
            status == 1 and results.failed == failed) or not report.exists():
        results.fail(suite, f"pytest ended with {status}\n{output[-6000:]}")
    elif results.failed > failed and results.total() - total == 0:
        print(output[-3000:])
    base.remove(folder)


def python_suites():
    return sorted({p.parent.name for p in TESTS.glob("*/test_*.py")}
                  - {"lint", "lib"})


def main(argv):
    if not argv:
        print("usage: tests/run.sh BUILD [SUITE...]", file=sys.stderr)
        return 2
    # Python suites and their servers find the build by this.
    build = Path(argv[0]).resolve()
    os.environ["LATCHKEY_BUILD"] = os.environ["O"] = str(build)
    known = ["lint", "unit", *python_suites()]
    wanted = argv[1:] or known
    results, empty = Results(), []
    for suite in wanted:
        if suite not in known:
            print(f"no suite {suite}; there are: {' '.join(known)}",
                  file=sys.stderr)
            return 2
    for suite in wanted:
        start = time.monotonic()
        passed, failed = results.passed, results.failed
        if suite == "lint":
            suite_lint(results, build)
        elif suite == "unit":
            suite_unit(results, build)
        else:
            run_pytest(results, suite)
        passed, failed = results.passed - passed, results.failed - failed
        if passed + failed == 0:
            empty.append(suite)
        print(f"{suite}: {passed} passed, {failed} failed "
              f"({time.monotonic() - start:.1f} s)", flush=True)
    for suite in empty:
        results.fail(suite, "this suite ran nothing")
    if results.failures:
        print("\nfailed:\n" + "\n".join(f"  {n}" for n in results.failures))
    if results.skipped:
        print(f"{results.skipped} skipped")
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
