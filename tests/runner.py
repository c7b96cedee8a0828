"""Runs the suites and counts what they say of themselves: cmocka's and
pytest's XML, one result for each lint.  A program that dies, says nothing or
ends with a status that does not fit its report counts as a failure, and so
does a suite that ran nothing.  Called by tests/run.sh.

Suites run in two lanes: each is a process, whose output is printed whole when it
ends.  C tests are two of them.  Tests that are marked `alone` (they measure time, or
strike a failure and expect an answer soon) run at the end, one at a time."""

import json
import os
import re
import resource
import signal
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
SHOWN_MAX = 4000            # of the end of what a program said
LANES = 2
UNIT_PARTS = 2
# Longest first, so that no lane is left with a long one at the end; others follow.
LONGEST = ("e2e", "run", "web", "accounts", "people", "mail", "races", "db",
           "unit 1", "unit 2", "audit", "apiusers", "gateway", "products")


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

    def add(self, part):
        """What another process counted, and printed already."""
        self.passed += part["passed"]
        self.failed += part["failed"]
        self.skipped += part["skipped"]
        self.failures += part["failures"]


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


def suite_unit(results, build, part):
    """Every C test; those that ask for a database get a migrated one each.  Of
    UNIT_PARTS parts, this is the one with that number."""
    programs = [(source, build / "tests" / source.relative_to(
        TESTS).with_suffix("")) for source in sorted(
            TESTS.glob("*/*_test.c"))]
    # Each fuzzer's corpus is replayed.
    programs += [(source, build / "tests/fuzz" / source.stem.replace(
        "_fuzz", "_replay")) for source in sorted(
            TESTS.glob("fuzz/*_fuzz.c"))]
    # Those with a database take the longest: each part gets as many.
    programs.sort(key=lambda p: (not wants_database(p[0]), p))
    programs = programs[part - 1::UNIT_PARTS]
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
        process = base.spawn([program], sig="KILL", cwd=ROOT, env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, status = process.communicate(timeout=UNIT_TIMEOUT_S)[0], \
            process.returncode
    except subprocess.TimeoutExpired:
        base.end(process, signal.SIGKILL)   # and its children with it
        output, status = process.communicate()[0], None
    output = output.decode(errors="replace")
    failed_before, total_before = results.failed, results.total()
    reports = [p.read_text() for p in sorted(folder.glob("out-*.xml"))]
    # A group whose name is no file name reports on standard output.
    inline = r"<\?xml.*?</testsuites>\n?"
    reports += re.findall(inline, output, re.S)
    output = re.sub(inline, "", output, flags=re.S)
    # cmocka's report has no place for it: each says it before skip().
    reasons = iter(re.findall(r"^skipped: (.+)", output, re.M))
    for report in reports:
        try:
            count_junit(results, name, ET.fromstring(report), reasons)
        except ET.ParseError as error:
            results.fail(name, f"its report can't be read: {error}")
    base.remove(folder)
    if database:
        cluster.drop(database)
    if status is None:
        results.fail(name, f"still running after {UNIT_TIMEOUT_S} s\n"
                     f"{output[-SHOWN_MAX:]}")
    elif results.total() == total_before:
        results.fail(name, f"ran no test, status {status}\n"
                     f"{output[-SHOWN_MAX:]}")
    elif status != 0 and results.failed == failed_before:
        results.fail(name, f"status {status}\n{output[-SHOWN_MAX:]}")
    elif results.failed > failed_before and output.strip():
        print(f"    output of {name}:\n{output[-SHOWN_MAX:]}")


def count_junit(results, name, tree, reasons=iter(())):
    for case in tree.iter("testcase"):
        where = case.get("classname", "").removeprefix("tests.")
        full = f"{name}: {where + '.' if where else ''}{case.get('name')}"
        bad = [e for e in case if e.tag in ("failure", "error")]
        skipped = case.find("skipped")
        if bad:
            results.fail(full, "\n".join(
                e.text or e.get("message") or "no reason given" for e in bad))
        elif skipped is not None:
            results.skip(full, skipped.get("message")
                         or next(reasons, "says not why"))
        else:
            results.ok()


def run_pytest(results, suite, alone=False):
    folder = base.temp_dir("pytest")
    report, failed, total = folder / "out.xml", results.failed, results.total()
    command = [PYTHON, "-B", "-m", "pytest", "-q", "--no-header",
               "--no-summary", f"--junitxml={report}", "-m",
               "alone" if alone else "not alone", TESTS / suite]
    process = base.spawn(command, cwd=TESTS, stdout=subprocess.PIPE, text=True,
                         stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=PYTEST_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        # pytest ends its servers by itself.
        process.send_signal(signal.SIGINT)
        try:
            output, _ = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            base.end(process, signal.SIGKILL)
            output, _ = process.communicate()
        results.fail(suite, f"still running after {PYTEST_TIMEOUT_S} s\n"
                     f"{output[-SHOWN_MAX:]}")
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


def has_alone(suite):
    return any("mark.alone" in path.read_text()
               for path in (TESTS / suite).glob("test_*.py"))


def parts_of(wanted):
    """The processes to run beside each other, and those for the end: names that
    run_part() takes."""
    beside, alone = [], []
    for suite in wanted:
        if suite == "unit":
            beside += [f"unit {n + 1}" for n in range(UNIT_PARTS)]
        else:
            beside.append(suite)
            if has_alone(suite):
                alone.append(f"{suite} alone")
    beside.sort(key=lambda part: LONGEST.index(part) if part in LONGEST
                else len(LONGEST))
    return beside, alone


def end_on_signals():
    """As Ctrl-C would; also when started in the background, where a shell has
    SIGINT ignored, and children with it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def run_part(name, build, report):
    """In a process of its own: runs it, and leaves what it counted."""
    # Told to end, it cleans up behind itself, too.
    end_on_signals()
    results, start = Results(), time.monotonic()
    suite, _, which = name.partition(" ")
    if suite == "lint":
        suite_lint(results, build)
    elif suite == "unit":
        suite_unit(results, build, int(which))
    else:
        run_pytest(results, suite, which == "alone")
    # A suite whose tests are all alone has none beside others.
    if results.total() + results.skipped == 0 and not (
            which == "" and suite not in ("lint", "unit")
            and has_alone(suite)):
        results.fail(name, "this suite ran nothing")
    used = [resource.getrusage(who) for who in
            (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    print(f"{name}: {results.passed} passed, {results.failed} failed "
          f"({time.monotonic() - start:.1f} s, of the processor "
          f"{sum(u.ru_utime + u.ru_stime for u in used):.1f} s)", flush=True)
    report.write_text(json.dumps({
        "passed": results.passed, "failed": results.failed,
        "skipped": results.skipped, "failures": results.failures}))


class Part:
    """One that runs, with the file that it writes to."""

    def __init__(self, name, build):
        self.name = name
        self.folder = base.temp_dir("part")
        self.report, self.said = self.folder / "report", self.folder / "said"
        with open(self.said, "wb") as said:
            self.process = base.spawn(
                [PYTHON, "-B", TESTS / "runner.py", "--part", name, build,
                 self.report], cwd=ROOT, stdout=said, stderr=said)

    def ended(self, results):
        """True once it has, and is printed and counted."""
        status = self.process.poll()
        if status is None:
            return False
        base.end(self.process)      # what it may have left of its group
        sys.stdout.write(self.said.read_text(errors="replace"))
        sys.stdout.flush()
        try:
            results.add(json.loads(self.report.read_text()))
        except (OSError, ValueError):
            results.fail(self.name, f"ended with {status}")
        base.remove(self.folder)
        return True


def make_model(build):
    """What all clusters of the suites are copied from: see lib/cluster.py.  If it
    can't be made, each of them says why."""
    try:
        model = Cluster(build)
    except Exception as error:
        print(f"no cluster: {error}", flush=True)
        return None
    try:
        model.template("demo")
        model.stop()
        os.environ["LATCHKEY_TEST_MODEL"] = str(model.dir)
    except Exception as error:
        print(f"no template: {error}", flush=True)
    except BaseException:
        model.close()
        raise
    return model


def run_lanes(results, names, lanes, build):
    waiting, running = list(names), []
    try:
        while waiting or running:
            running = [part for part in running if not part.ended(results)]
            while waiting and len(running) < lanes:
                running.append(Part(waiting.pop(0), build))
            time.sleep(0.05)
    finally:
        for part in running:
            base.end(part.process, signal.SIGINT, 60)
            base.remove(part.folder)


def main(argv):
    if not argv:
        print("usage: tests/run.sh BUILD [SUITE...]", file=sys.stderr)
        return 2
    if argv[0] == "--part":
        name, build, report = argv[1], Path(argv[2]), Path(argv[3])
        run_part(name, build, report)
        return 0
    # Python suites and their servers find the build by this.
    build = Path(argv[0]).resolve()
    os.environ["LATCHKEY_BUILD"] = os.environ["O"] = str(build)
    known = ["lint", "unit", *python_suites()]
    wanted = argv[1:] or known
    for suite in wanted:
        if suite not in known:
            print(f"no suite {suite}; there are: {' '.join(known)}",
                  file=sys.stderr)
            return 2
    end_on_signals()
    results = Results()
    beside, alone = parts_of(wanted)
    model = make_model(build) if wanted != ["lint"] else None
    try:
        run_lanes(results, beside, LANES, build)
        run_lanes(results, alone, 1, build)
    finally:
        if model:
            model.close()
    if results.failures:
        print("\nfailed:\n" + "\n".join(f"  {n}" for n in results.failures))
    if results.skipped:
        print(f"{results.skipped} skipped")
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
