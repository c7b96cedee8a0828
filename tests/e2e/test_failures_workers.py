"""What a visitor sees when a worker of the portal is killed or hangs.  Each
test strikes with the signal that its name tells of."""

import os
import signal
import time

import pytest

from lib import flows
from lib.base import wait_until
from lib.server import Background

pytestmark = pytest.mark.alone


@pytest.fixture
def portal(make_server):
    return make_server(workers=2)


def serving(portal):
    """The worker that answers a new connection, by its line in the log."""
    before = len(portal.log())
    with portal.raw() as raw:
        raw.send("GET /livez HTTP/1.1\nHost: localhost\n\n")
        assert raw.answer().status == 200

    def line():
        return [e["pid"] for e in portal.log()[before:]
                if e.get("route") == "/livez"]
    return wait_until(line, 5, "the line of /livez")[0]


def visits(portal, answers):
    """New visitors, one after the other, until told to stop."""
    def visit(_number, stop):
        while not stop.is_set():
            client = portal.client(timeout_s=5)
            began = time.monotonic()
            try:
                status = client.get("/signin").status
            except ConnectionError:
                status = 0      # it was being served by the one that died
            answers.append((status, time.monotonic() - began))
            client.close()
    return Background(visit, threads=2)


@pytest.mark.parametrize("times", [1, 5])
def test_kill_9_of_a_worker_under_load(portal, times):
    """The others serve meanwhile and it comes back."""
    answers = []
    load = visits(portal, answers)
    try:
        for _ in range(times):
            before = portal.workers()
            victim = serving(portal)
            os.kill(victim, signal.SIGKILL)
            after = wait_until(
                lambda: len(portal.workers()) == len(before)
                and victim not in portal.workers() and portal.workers(),
                5, "another worker in its place")
            fresh = (set(after) - set(before)).pop()
            # Served at once, by whomever, and by the new one before long.
            wait_until(lambda: serving(portal) == fresh, 10,
                       "an answer of the new worker")
    finally:
        load.join()
    assert portal.portal.poll() is None
    cut = [a for a in answers if a[0] == 0]
    bad = [a for a in answers if a[0] not in (0, 200)]
    # Each of the two threads can have been with the one that died.
    assert len(cut) <= 2 * times, f"{len(cut)} connections were cut"
    assert not bad, f"not answered well: {bad[:5]}"
    assert len(answers) > 20
    assert max(seconds for _, seconds in answers) < 2


def test_kill_9_of_all_workers(portal):
    before = set(portal.workers())
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(portal.workers()) == len(before)
               and not before & set(portal.workers()), 5, "new workers")
    portal.wait_ready(5)
    flows.sign_up(portal, flows.address())


def test_stop_of_a_worker_that_then_hangs(portal):
    """Whose turn it is to accept must not matter: Kore gives turns."""
    stopped = serving(portal)
    os.kill(stopped, signal.SIGSTOP)
    try:
        for _ in range(5):
            assert serving(portal) != stopped
    finally:
        os.kill(stopped, signal.SIGCONT)
    wait_until(lambda: serving(portal) == stopped, 10, "it serves again")


def test_kill_9_while_a_password_is_hashed(portal):
    """The one who signs in is cut off, and signs in again."""
    email = flows.address("staff.example")
    portal.ctl("staff", "add", email, "--name", "Sam Keeper", "--role",
               "staff", stdin=flows.PASSWORD + "\n")
    browser = portal.client()
    form = browser.get("/signin").expect(200)
    fields = form.form("/signin").fields | {"email": email,
                                            "password": flows.PASSWORD}
    cut = []

    def enter(_number, _stop):
        client = portal.client(timeout_s=10)
        client.cookies = dict(browser.cookies)
        try:
            client.post("/signin", fields)
        except ConnectionError:
            cut.append(1)
    many = Background(enter, threads=8)
    wait_until(lambda: busy_threads(portal), 5, "a hash at work")
    for pid in portal.workers():
        os.kill(pid, signal.SIGKILL)
    many.join()
    assert cut, "nobody was cut off: it struck too late"
    portal.wait_ready(5)

    # What was cut off counts as a try, so it may take a moment (429).
    def signs_in():
        answer = browser.submit(browser.get("/signin").expect(200),
                                {"email": email, "password": flows.PASSWORD},
                                "/signin")
        assert answer.status in (303, 429), answer
        return answer.status == 303
    wait_until(signs_in, 30, "a sign-in")


def busy_threads(portal):
    """Hash threads (they have a low priority) that are running now."""
    found = 0
    for pid in portal.workers():
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            # state, and nice in field 19 of proc(5), 17 behind the name
            found += fields[0] == "R" and int(fields[16]) > 0
    return found


def test_term_answers_what_runs_and_leaves_nobody(portal):
    """SIGTERM while people are coming: the parent ends with 0, quickly."""
    answers = []
    load = visits(portal, answers)
    wait_until(lambda: len(answers) > 5, 5, "visitors")
    load.stop.set()
    began = time.monotonic()
    assert portal.stop_portal() == 0
    load.join()
    assert time.monotonic() - began < 10
