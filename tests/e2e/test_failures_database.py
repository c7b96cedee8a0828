"""The database goes away under load: stopped, restarted, killed.  While it is
away every page says so at once; it heals by itself; what was acknowledged is
there, once."""

import os
import signal
import time

import pytest

from lib import flows
from lib.base import wait_until
from lib.server import Background

pytestmark = pytest.mark.alone

# The promise is 2 s.  The machine may be busy with other things.
HEALED_S = 5


class Load:
    """Readers of the profile; contacts who ask and withdraw, again and again;
    a member of staff who approves one after the other.  Remembers all that
    was answered."""

    def __init__(self, portal, writers=3, approvals=12):
        self.portal = portal
        self.reads, self.writes = [], []
        self.contacts = [flows.contact(portal, client=f"Writer {i}")
                         for i in range(writers)]
        self.keeper = flows.staff(portal)
        self.asked = []
        for i in range(approvals):
            browser = flows.contact(portal, client=f"Client {i}")
            flows.request_key(browser, f"Client {i}-KEY")
            self.asked.append((browser.email, i))
        self.paths = flows.requests_in_queue(self.keeper)
        self.threads = []

    def start(self):
        self.threads = [Background(self.read, 2),
                        Background(self.write, len(self.contacts)),
                        Background(self.approve)]

    def read(self, _number, stop):
        browser = self.portal.client(timeout_s=10)
        browser.cookies = dict(self.contacts[0].cookies)
        while not stop.is_set():
            began = time.monotonic()
            answer = browser.get("/profile")
            self.reads.append((began, time.monotonic() - began, answer))

    def write(self, number, stop):
        browser = self.contacts[number]
        name = f"Writer {number}-KEY"
        while not stop.is_set():
            page = browser.get("/profile")
            if page.status != 200:
                continue
            if page.has_form("/withdraw$"):
                verb, action, fields = "withdraw", "/withdraw$", {}
            else:
                action = "/products/revio-api/subscribe"
                page = browser.get(action)
                if page.status != 200 or not page.has_form(action):
                    continue
                verb, fields = "subscribe", {"name": name}
            began = time.monotonic()
            answer = browser.submit(page, fields, action)
            self.writes.append((browser.email, verb, answer.status,
                                time.monotonic() - began))

    def approve(self, _number, stop):
        for i, path in enumerate(self.paths):
            done = False
            while not done:
                if stop.is_set():
                    return
                page = self.keeper.get(path)
                if page.status != 200:
                    continue
                if not page.has_form("/approve$"):
                    break       # it was done, and its answer was lost
                began = time.monotonic()
                answer = self.keeper.submit(
                    page, {"code": f"CLIENT{i}", "client": f"Client {i}"},
                    "/approve$")
                self.writes.append((path, "approve", answer.status,
                                    time.monotonic() - began))
                done = answer.status == 303

    def join(self):
        for thread in self.threads:
            thread.stop.set()
        for thread in self.threads:
            thread.join()

    def acknowledged(self, who, verb):
        return sum(1 for w in self.writes
                   if w[:3] == (who, verb, 303))

    def unknown(self, who, verb):
        return sum(1 for w in self.writes
                   if w[:2] == (who, verb) and w[2] != 303)

    def check(self):
        odd = {w[2] for w in self.writes} - {303, 503}
        odd |= {r[2].status for r in self.reads} - {200, 503}
        assert not odd, odd
        slow = [w for w in self.writes if w[3] > 4] + [
            r for r in self.reads if r[1] > 4]
        assert not slow, f"hung: {slow[:3]}"
        for browser in self.contacts:
            self.check_contact(browser.email)
        for path in self.paths:
            self.check_approval(path)
        assert any(self.acknowledged(p, "approve") for p in self.paths)
        bugs = [e for e in self.portal.log()
                if e["event"] in ("db_bug", "template")]
        assert not bugs, bugs[:3]

    def check_contact(self, email):
        made, withdrawn, said, told = self.portal.sql("""
            SELECT count(*), count(*) FILTER (WHERE state = 'withdrawn'),
                (SELECT count(*) FROM audit WHERE actor_id = p.account_id
                 AND action = 'request.submitted'),
                (SELECT count(*) FROM outbox WHERE account_id = p.account_id
                 AND kind = 'request_submitted')
            FROM person p LEFT JOIN request r ON r.account_id = p.account_id
            WHERE p.email = %s GROUP BY p.account_id""", [email])[0]
        sure = self.acknowledged(email, "subscribe")
        assert sure > 0
        assert sure <= made <= sure + self.unknown(email, "subscribe")
        assert made == said == told, "half of a change"
        sure = self.acknowledged(email, "withdraw")
        assert sure <= withdrawn <= sure + self.unknown(email, "withdraw")

    def check_approval(self, path):
        done = whole(self.portal, path.rsplit("/", 1)[1])
        assert done or not self.acknowledged(path, "approve"), \
            f"{path} was acknowledged and is not there"
        assert self.acknowledged(path, "approve") <= 1


def whole(portal, request_id):
    """Was the request approved?  All of it, or nothing.  (No courier runs:
    what is sent says no more whom it went to.)"""
    facts = portal.sql("""
        SELECT r.state = 'approved',
            r.subscription_id IS NOT NULL,
            (SELECT count(*) FROM subscription s WHERE s.name = r.name),
            (SELECT count(*) FROM subscription_key k JOIN subscription s
                ON s.id = k.subscription_id WHERE s.name = r.name),
            (SELECT count(*) FROM membership m
                WHERE m.account_id = r.account_id),
            (SELECT count(*) FROM audit a WHERE a.subject_id = r.id
                AND a.action = 'request.approved'),
            (SELECT count(*) FROM audit a JOIN subscription s
                ON s.id = a.subject_id WHERE s.name = r.name
                AND a.action = 'subscription.created'),
            (SELECT count(*) FROM outbox o WHERE o.kind = 'request_approved'
                AND o.params->>'request_id' = r.id::text)
        FROM request r WHERE r.id = %s""", [request_id])[0]
    assert facts in ((True, True, 1, 2, 1, 1, 1, 1),
                     (False, False, 0, 0, 0, 0, 0, 0)), f"half: {facts}"
    return facts[0]


def check_away(portal, load):
    """What a visitor sees: an own page, at once; the process is well."""
    mark = time.monotonic()
    wait_until(lambda: sum(r[0] > mark for r in load.reads) > 20, 10,
               "answers while the database is away")
    away = [r for r in load.reads if r[0] > mark]
    for _, seconds, answer in away:
        answer.expect(503)
        assert answer.headers["Retry-After"] == "2"
        assert "<h1" in answer.text and "x-request-id" in answer.headers
        assert seconds < 1
    for _ in range(4):      # both workers
        client = portal.client()
        assert client.get("/livez").status == 200
        assert client.get("/readyz").status == 503
        client.close()


def stop(portal, load):
    """pg_ctl stop -m fast, away for a while."""
    portal.cluster.stop()
    check_away(portal, load)
    portal.cluster.start()


def restart(portal, _load):
    """Stopped fast and started at once."""
    portal.cluster.stop()
    portal.cluster.start()


def kill_server(portal, load):
    """kill -9 of the postmaster; its children see it and leave."""
    portal.cluster.kill()
    check_away(portal, load)
    portal.cluster.start()


def kill_backends(portal, load):
    """kill -9 of the portal's own sessions: the server recovers by itself."""
    for (pid,) in portal.sql("SELECT pid FROM pg_stat_activity WHERE "
                             "application_name = 'latchkey'", role="postgres"):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: any(r[2].status == 503 for r in load.reads[-50:]), 10,
               "the loss to be seen")
    wait_until(portal.cluster.is_up, 20, "recovery of the server")


@pytest.mark.parametrize("strike", [stop, restart, kill_server,
                                    kill_backends])
def test_database_goes_away_under_load(make_server, own_cluster, strike):
    portal = make_portal(make_server, own_cluster, 2)
    load = Load(portal)
    portal.stop_courier()
    pids = set(portal.workers())
    load.start()
    try:
        wait_until(lambda: sum(w[1:3] == ("approve", 303)
                               for w in load.writes) >= 2
                   and len(load.writes) > 10, 30, "load")
        strike(portal, load)
        back = time.monotonic()     # pg_isready says yes

        def healed():
            fresh = [r for r in load.reads if r[0] > back][-20:]
            return len(fresh) == 20 and all(r[2].status == 200
                                            for r in fresh)
        wait_until(healed, 20, "all pages again")
        took = max([r[0] + r[1] for r in load.reads
                    if r[2].status != 200 and r[0] + r[1] > back] + [back])
        print(f"\n{strike.__name__}: healed {took - back:.2f} s after the "
              "server's return")
        assert took - back < HEALED_S
        count = len(load.writes)
        wait_until(lambda: sum(w[2] == 303 for w in load.writes[count:]) > 5,
                   20, "writes again")
        portal.wait_ready(5)
    finally:
        load.join()
    assert set(portal.workers()) == pids, "a worker died of it"
    load.check()


def make_portal(make_server, cluster, workers):
    """The database is a copy of a template, whose sequences have numbers left
    that were logged for the template only: without a checkpoint, which makes
    PostgreSQL log anew, a crash would give them out twice."""
    portal = make_server(workers=workers, on=cluster)
    cluster.sql_super("CHECKPOINT")
    return portal


# -- approvals that are struck while they wait for a row

class Approval:
    """The raw bytes of one approval, and a lock on its row."""

    def __init__(self, portal):
        self.portal = portal
        self.keeper = flows.staff(portal)
        browser = flows.contact(portal, client="Altaworx")
        flows.request_key(browser, "Altaworx-KEY")
        self.path = flows.requests_in_queue(self.keeper)[0]
        self.id = self.path.rsplit("/", 1)[1]
        self.locker = None

    def lock(self):
        self.locker = self.portal.cluster.connect(self.portal.database,
                                                  "latchkey_owner")
        self.locker.autocommit = False
        self.locker.cursor().execute(
            "SELECT FROM request WHERE id = %s FOR UPDATE", [self.id])

    def unlock(self):
        self.locker.rollback()
        self.locker.close()

    def data(self):
        page = self.keeper.get(self.path).expect(200)
        form = page.form("/approve$")
        body = "&".join(f"{k}={v}" for k, v in {
            **form.fields, "code": "ALTWORX", "client": "Altaworx",
            "reason": ""}.items())
        cookies = "; ".join(f"{k}={v}"
                            for k, v in self.keeper.cookies.items())
        return (f"POST {form.action} HTTP/1.1\r\n"
                f"Host: localhost:{self.portal.port}\r\n"
                f"Origin: {self.keeper.origin}\r\nCookie: {cookies}\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    def waits(self):
        """The session of the portal that waits for the row."""
        rows = self.portal.sql(
            "SELECT pid FROM pg_stat_activity WHERE "
            "application_name = 'latchkey' AND datname = current_database() "
            "AND wait_event_type = 'Lock'", role="postgres")
        return rows and rows[0][0]

    def answered(self):
        """The line of the approval in the log."""
        return [e for e in self.portal.log()
                if e.get("route") == "/staff/requests/:id/approve"]

    def approve_again(self):
        """As if nothing had happened."""
        page = self.keeper.get(self.path).expect(200)
        self.keeper.submit(page, {"code": "ALTWORX", "client": "Altaworx"},
                           "/approve$").expect(303)
        assert whole(self.portal, self.id)


@pytest.fixture
def approval(make_server, own_cluster):
    portal = make_portal(make_server, own_cluster, 1)
    one = Approval(portal)
    wait_until(lambda: portal.sql(
        "SELECT count(*) FROM outbox WHERE state = 'queued'")[0][0] == 0, 10,
        "mails from before")
    portal.stop_courier()
    return one


def test_client_gone_with_half_of_the_form(approval):
    raw = approval.portal.raw()
    raw.send(approval.data()[:-20])
    raw.close()
    approval.keeper.get("/staff/queue").expect(200)
    assert not whole(approval.portal, approval.id)
    approval.approve_again()


def test_client_gone_right_after_sending(approval):
    raw = approval.portal.raw()
    raw.send(approval.data())
    raw.close()
    # Read after the end of the connection was seen, it is dropped whole.
    try:
        wait_until(lambda: whole(approval.portal, approval.id)
                   or approval.answered(), 3)
        wait_until(approval.answered, 5, "its line in the log")
    except AssertionError:
        assert not whole(approval.portal, approval.id)
    if not whole(approval.portal, approval.id):
        approval.approve_again()


def test_client_gone_while_the_approval_waits(approval):
    """A statement that was sent completes; only its answer is dropped."""
    approval.lock()
    raw = approval.portal.raw()
    raw.send(approval.data())
    wait_until(approval.waits, 5, "the approval to wait for the row")
    raw.close()
    assert approval.keeper.get("/staff/queue").status == 200
    assert approval.waits()
    approval.unlock()
    wait_until(lambda: whole(approval.portal, approval.id), 5, "it is done")
    wait_until(approval.answered, 5, "its line in the log")
    assert approval.answered()[0]["status"] == "303"


def test_client_gone_and_the_row_stays_locked(approval):
    """lock_timeout, 2 s: not done, and somebody may do it later."""
    approval.lock()
    raw = approval.portal.raw()
    raw.send(approval.data())
    wait_until(approval.waits, 5, "the approval to wait for the row")
    raw.close()
    wait_until(approval.answered, 6, "its line in the log")
    assert approval.answered()[0]["why"] == "db_busy"
    approval.unlock()
    assert not whole(approval.portal, approval.id)
    approval.approve_again()


def test_locked_row_is_503_and_holds_up_nobody(approval):
    approval.lock()
    with approval.portal.raw() as raw:
        began = time.monotonic()
        raw.send(approval.data())
        wait_until(approval.waits, 5, "the approval to wait for the row")
        for _ in range(5):
            approval.keeper.get("/staff/queue").expect(200)
        answer = raw.answer().expect(503)
        assert 1.5 < time.monotonic() - began < 5
        assert answer.headers["Retry-After"]
    approval.unlock()
    approval.approve_again()


@pytest.mark.parametrize("how", ["terminated", "killed"])
def test_answer_of_a_write_is_lost(approval, how):
    """Strikes while the approval waits for a row: nobody knows whether it was
    done, so the page says that, and it is not sent again."""
    portal = approval.portal
    approval.lock()
    with portal.raw() as raw:
        raw.send(approval.data())
        pid = wait_until(approval.waits, 5, "the approval to wait")
        if how == "terminated":
            portal.sql("SELECT pg_terminate_backend(%s)", [pid],
                       role="postgres")
        else:
            os.kill(pid, signal.SIGKILL)
        answer = raw.answer().expect(503)
    assert answer.title.startswith("Look whether it was done")
    assert 'href="/staff/queue"' in answer.text
    assert answer.headers["Retry-After"] == "2"
    wait_until(portal.cluster.is_up, 20, "the server")
    if how == "terminated":
        approval.unlock()
    portal.wait_ready(5)
    approval.keeper.get("/staff/queue").expect(200)
    assert not approval.waits()
    assert not whole(portal, approval.id), "it was sent again"
    assert [e["event"] for e in portal.log()].count("db_unknown") == 1
    approval.approve_again()
