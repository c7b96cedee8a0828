"""Mail that can't go at the moment, seen from the portal: people go on, the
mail waits in the outbox and goes later, once."""

import os
import subprocess

import pytest

from lib import flows
from lib.base import free_port, wait_until
from mail.smtp_server import SmtpServer


def queued(portal):
    return portal.sql("SELECT count(*) FROM outbox "
                      "WHERE state = 'queued'")[0][0]


def tried(portal):
    return portal.sql("SELECT count(*) FROM outbox WHERE state = 'queued' "
                      "AND last_error <> ''")[0][0]


def due_now(portal):
    """The next try without the wait before it."""
    portal.sql("UPDATE outbox SET next_at = now() WHERE state = 'queued'")
    portal.sql("NOTIFY outbox")


def test_mail_server_away(make_server):
    """Nobody listens on its port while someone signs up and asks for a key;
    then it is there, and everything comes once, under one Message-ID."""
    port = free_port()
    portal = make_server(settings={"SMTP_URL": f"smtp://127.0.0.1:{port}"})
    email, keeper = flows.address(), flows.staff(portal)
    browser = flows.sign_up(portal, email)
    wait_until(lambda: tried(portal) == 1, 15, "a try that failed")
    assert queued(portal) == 1
    server = SmtpServer(port=port)
    try:
        due_now(portal)
        wait_until(lambda: server.messages, 15, "the mail")
        text = server.messages[0].get_body(("plain",)).get_content()
        link = text[text.index("/verify/"):].split()[0]
        browser.submit(browser.get(link).expect(200),
                       {"password": flows.PASSWORD}, "/verify/").expect(303)
    finally:
        server.close()
    # Away again: a request (two mails) and an approval (one).
    flows.request_key(browser)
    wait_until(lambda: tried(portal) == 2, 15, "tries that failed")
    flows.approve(keeper, flows.requests_in_queue(keeper)[0],
                  code="ALTWORX", client="Altaworx").expect(303)
    wait_until(lambda: tried(portal) == 3, 15, "tries that failed")
    due_now(portal)
    wait_until(lambda: portal.sql("SELECT min(tries) FROM outbox "
                                  "WHERE state = 'queued'")[0][0] > 1, 15,
               "a second try of each")
    again = SmtpServer(port=port)
    try:
        due_now(portal)
        wait_until(lambda: queued(portal) == 0, 20, "an empty outbox")
    finally:
        again.close()
    assert (len(server.messages), len(again.messages)) == (1, 3)
    assert [str(m["To"]) for m in again.messages].count(email) == 2
    assert keeper.email in [str(m["To"]) for m in again.messages]
    ids = {m["Message-ID"] for m in server.messages + again.messages}
    assert len(ids) == 4


class FullFolder:
    """The mail folder has no room: a tmpfs of 1 MiB that is full; for whom
    may not mount, a limit of one byte a file for the courier."""

    def __init__(self, portal):
        self.portal, self.folder = portal, portal.maildir
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m",
                               "none", self.folder], capture_output=True)
        self.mounted = done.returncode == 0
        if self.mounted:
            with pytest.raises(OSError), open(self.folder / "full", "wb",
                                              buffering=0) as f:
                while True:
                    f.write(b"x" * 65536)
        else:
            self.limit(1)

    def limit(self, size):
        subprocess.run(["prlimit", f"--pid={self.portal.courier.pid}",
                        f"--fsize={size}:unlimited"], check=True)

    def make_room(self):
        if self.mounted:
            (self.folder / "full").unlink()
        else:
            self.limit("unlimited")

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], check=True)


def test_mail_folder_full(make_server):
    portal = make_server()
    full = FullFolder(portal)
    try:
        email = flows.address()
        browser = flows.sign_up(portal, email)
        wait_until(lambda: tried(portal) == 1, 15, "a try that failed")
        why, = portal.sql("SELECT last_error FROM outbox")[0]
        assert ("No space" if full.mounted else "too large") in why
        assert portal.mail.all() == []
        assert not [n for n in os.listdir(portal.maildir) if n != "full"]
        assert queued(portal) == 1
        full.make_room()
        due_now(portal)
        flows.verify(portal, email, browser)
        assert queued(portal) == 0
        assert len(portal.mail.to(email)) == 1
    finally:
        full.close()


def claimed(portal):
    return portal.sql("SELECT count(*) FROM outbox WHERE state = 'queued' "
                      "AND claimed_by IS NOT NULL")[0][0]


@pytest.mark.parametrize("point", ["between claim and send",
                                   "between send and mark"])
def test_courier_killed(make_server, point):
    """kill -9; the next courier sends it.  Where the first one had sent it
    already the mailbox gets it twice, under the same Message-ID, by which
    mail programs show it once."""
    server = SmtpServer(slow_s=3)
    portal = make_server(settings={
        "SMTP_URL": f"smtp://127.0.0.1:{server.port}"})
    try:
        flows.sign_up(portal, flows.address())
        assert server.busy.wait(10), "the courier talks to the server"
        assert claimed(portal) == 1
        if point == "between send and mark":
            # The mark has to wait for the row.
            locker = portal.cluster.connect(portal.database, "latchkey_owner")
            locker.autocommit = False
            locker.cursor().execute("SELECT FROM outbox FOR UPDATE")
            wait_until(lambda: len(server.messages) == 1, 10, "the mail")
            wait_until(lambda: portal.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type ="
                " 'Lock' AND datname = current_database()",
                role="postgres")[0][0] == 1, 10, "the mark to wait")
        portal.courier.kill()
        portal.courier.wait()
        portal.courier = None
        if point == "between send and mark":
            # The statement that it left may still be under way.
            portal.sql("SELECT pg_terminate_backend(pid) FROM "
                       "pg_stat_activity WHERE application_name = "
                       "'latchkey-courier' AND datname = current_database()",
                       role="postgres")
            locker.rollback()
            locker.close()
        assert queued(portal) == 1, "still in the outbox"
        server.slow_s = 0
        portal.start_courier()
        due_now(portal)
        wait_until(lambda: queued(portal) == 0, 15, "an empty outbox")
    finally:
        server.close()
    if point == "between send and mark":
        assert len(server.messages) == 2
    assert 1 <= len(server.messages) <= 2
    assert len({m["Message-ID"] for m in server.messages}) == 1
