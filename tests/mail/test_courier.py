"""latchkey-courier, as a process: real mail servers, a real folder, several
couriers, and what is there when one of the parts fails."""

import os
import signal
import subprocess
import time

import pytest

from lib.base import (clean_env, end, free_port, remove, spawn, temp_dir,
                      wait_until)
from lib.mail import Mailbox
from mail.smtp_server import PASSWORD, USER, SmtpServer, make_certificate

STAFF = "0189dddd-0000-7000-8000-000000000001"


class Post:
    """A database with one member of staff, and couriers on it."""

    def __init__(self, cluster):
        self.cluster, self.dir = cluster, temp_dir("post")
        self.database = cluster.database("demo")
        self.folder = self.dir / "mail"
        self.folder.mkdir()
        self.box = Mailbox(self.folder)
        self.settings = cluster.settings(self.database)
        self.settings.update({
            "LATCHKEY_DATABASE_URL": cluster.url("latchkey_courier",
                                                 self.database),
            "LATCHKEY_SMTP_URL": f"maildir:{self.folder}",
            "LATCHKEY_MAIL_FROM": "Latchkey <no-reply@portal.example>"})
        self.couriers, self.servers = [], []
        self.sql("INSERT INTO account (id, kind, staff_role, password_hash)"
                 " VALUES (%s, 'staff', 'staff', 'x')", STAFF)
        self.sql("INSERT INTO person (account_id, email, email_folded,"
                 " email_domain, name) VALUES (%s, 'tom@revio.example',"
                 " 'tom@revio.example', 'revio.example', 'Tom Ökafor')", STAFF)

    def sql(self, query, *params):
        return self.cluster.sql(self.database, query, params or None)

    def queue(self, count=1, kind="account_exists"):
        return [row[0] for row in self.sql(
            "SELECT mail_queue(%s, %s, NULL) FROM generate_series(1, %s)",
            kind, STAFF, count)]

    def rows(self):
        return self.sql("SELECT state, tries, last_error FROM outbox"
                        " WHERE kind <> 'mail_failed' ORDER BY created_at, id")

    def count(self, state):
        return self.sql("SELECT count(*) FROM outbox WHERE state = %s",
                        state)[0][0]

    def wait_sent(self, count, timeout_s=20):
        wait_until(lambda: self.count("sent") == count, timeout_s,
                   f"{count} sent mails; the log:\n{self.log()}")

    def wait_tried(self, tries=1):
        """A try has ended, and the row waits for the next."""
        wait_until(lambda: self.sql(
            "SELECT count(*) FROM outbox WHERE tries >= %s AND claimed_by"
            " IS NULL AND last_error <> ''", tries)[0][0] > 0, 30,
            f"a failed try; the log:\n{self.log()}")

    def due_now(self):
        self.sql("UPDATE outbox SET next_at = now() WHERE state = 'queued'")
        self.sql("NOTIFY outbox")

    def server(self, **kwargs):
        self.servers.append(SmtpServer(**kwargs))
        return self.servers[-1]

    def courier(self, *prefix, **settings):
        env = clean_env(**{**self.settings, **{
            f"LATCHKEY_{name}": str(value)
            for name, value in settings.items()}})
        with open(self.dir / "courier.log", "ab") as log:
            process = spawn([*prefix, self.cluster.build / "latchkey-courier"],
                            stdout=log, stderr=log, env=env)
        self.couriers.append(process)
        return process

    def log(self):
        path = self.dir / "courier.log"
        return path.read_text() if path.exists() else ""

    def close(self):
        statuses = [end(one) for one in self.couriers]
        for one in self.servers:
            one.close()
        log = self.log()
        if self.cluster.process:
            self.cluster.drop(self.database)
        remove(self.dir)
        # Log lines name nobody, and hold no token and no password.
        for secret in ("tom@", "Tom", "/verify/", PASSWORD):
            assert secret not in log
        assert "ERROR: AddressSanitizer" not in log
        assert "runtime error:" not in log
        assert set(statuses) <= {0}, f"{statuses}\n{log}"


@pytest.fixture
def post(cluster):
    one = Post(cluster)
    yield one
    one.close()


@pytest.fixture
def own_post(own_cluster):
    one = Post(own_cluster)
    yield one
    one.close()


@pytest.fixture(scope="module")
def certificate():
    folder = temp_dir("tls")
    yield make_certificate(folder)
    remove(folder)


def smtp_url(server, host="localhost", user=""):
    return f"smtp://{user}{host}:{server.port}"


LOGIN = f"{USER}:{PASSWORD.replace('+', '%2B').replace(':', '%3A')}@"


# ---- servers


def test_starttls_and_auth(post, certificate):
    server = post.server(certificate=certificate, auth=True)
    number, = post.queue()
    post.courier(SMTP_URL=smtp_url(server, user=LOGIN),
                 SMTP_CA_FILE=certificate[0])
    post.wait_sent(1)
    assert server.tls == [True] and server.users == [USER]
    message, = server.messages
    assert message.envelope_to == ["tom@revio.example"]
    assert message.envelope_from == "no-reply@portal.example"
    assert message["To"] == "tom@revio.example"
    assert message["From"] == "Latchkey <no-reply@portal.example>"
    assert message["Subject"] == "You have an account already"
    assert message["Message-ID"] == f"<{number}@portal.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "Hello Tom Ökafor," in message.get_body(("plain",)).get_content()
    assert "<bdi>Tom Ökafor</bdi>" in message.get_body(("html",)).get_content()
    assert post.rows() == [("sent", 1, "")]


@pytest.mark.alone
def test_woken_at_once(post):
    """An idle courier sends within a second, and takes no time of the
    processor while it is idle."""
    process = post.courier()
    wait_until(lambda: '"start"' in post.log(), 10)

    def used():
        fields = open(f"/proc/{process.pid}/stat").read().split(")")[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    time.sleep(0.5)
    before = used()
    time.sleep(2)
    assert used() - before < 0.1
    began = time.monotonic()
    post.queue()
    post.wait_sent(1)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("wrong", ["password", "certificate", "starttls"])
def test_settings_keep_the_mail(post, certificate, wrong):
    """What somebody must set right is an alarm in the log, and no mail is
    lost by it."""
    tls = None if wrong == "starttls" else certificate
    # 0.0.0.0 reaches this machine and is no loopback address, so nothing may
    # go there in the clear.
    server = post.server(certificate=tls, auth=wrong == "password",
                         host="0.0.0.0" if wrong == "starttls" else
                         "127.0.0.1")
    post.queue()
    settings = {"SMTP_URL": smtp_url(
        server, "0.0.0.0" if wrong == "starttls" else "localhost",
        user=f"{USER}:other@" if wrong == "password" else "")}
    if wrong != "certificate":
        settings["SMTP_CA_FILE"] = certificate[0]
    post.courier(**settings)
    post.wait_tried()
    assert '"level":"error"' in post.log() and "mail_settings" in post.log()
    assert server.deliveries == 0
    (state, tries, why), = post.rows()
    assert (state, tries) == ("queued", 1) and why


def test_loopback_may_do_without_tls(post):
    server = post.server()
    post.queue()
    post.courier(SMTP_URL=smtp_url(server, "127.0.0.1"))
    post.wait_sent(1)
    assert server.tls == [False]


def test_refused(post):
    """550: the mail has failed, and the staff are told by another one."""
    server = post.server(rcpt=["550 no such user tom@revio.example"])
    post.queue()
    post.courier(SMTP_URL=smtp_url(server))
    post.wait_sent(1)
    (state, tries, why), = post.rows()
    assert (state, tries) == ("failed", 1) and "550" in why
    assert "tom@" not in why
    message, = server.messages
    assert message["Subject"] == "A mail could not be sent"
    text = message.get_body(("plain",)).get_content()
    assert "account_exists" in text and "550" in text
    assert post.sql("SELECT count(*) FROM audit WHERE action = 'mail.failed'"
                    ) == [(1,)]


def test_later(post):
    """451: again in 30 seconds."""
    server = post.server(rcpt=["451 greylisted"])
    number, = post.queue()
    post.courier(SMTP_URL=smtp_url(server))
    post.wait_tried()
    (wait_s,), = post.sql("SELECT extract(epoch FROM next_at - now())::int"
                          " FROM outbox")
    assert 25 <= wait_s <= 30
    assert server.messages == []
    post.due_now()
    post.wait_sent(1)
    assert server.messages[0]["Message-ID"] == f"<{number}@portal.example>"
    assert post.rows() == [("sent", 2, "")]


def test_dies_in_the_middle(post):
    """The server took the message and was gone before it said so: the second
    one is the same, by its Message-ID and to the byte."""
    server = post.server(die=1)
    number, = post.queue()
    post.courier(SMTP_URL=smtp_url(server))
    post.wait_tried()
    assert server.deliveries == 1
    post.due_now()
    post.wait_sent(1)
    assert server.deliveries == 2
    assert server.messages[0]["Message-ID"] == f"<{number}@portal.example>"


def test_server_away(post):
    port = free_port()
    post.queue(3)
    post.courier(SMTP_URL=f"smtp://127.0.0.1:{port}")
    wait_until(lambda: all(row[1] == 1 and row[2] for row in post.rows()), 20)
    assert post.count("queued") == 3
    server = post.server(port=port)
    post.due_now()
    post.wait_sent(3)
    assert len(server.messages) == 3


# ---- several couriers, and their ends


def test_each_mail_once(post):
    """Four couriers, 60 mails, a server that takes its time."""
    server = post.server(slow_s=0.02)
    numbers = post.queue(60)
    for _ in range(4):
        post.courier(SMTP_URL=smtp_url(server))
    post.wait_sent(60, 60)
    sent = sorted(m["Message-ID"] for m in server.messages)
    assert sent == sorted(f"<{n}@portal.example>" for n in numbers)
    assert server.deliveries == 60
    couriers = {line.split('"pid":')[1].split(",")[0]
                for line in post.log().splitlines() if "mail_sent" in line}
    assert len(couriers) > 1, "one courier did it all"


def test_slow_server_and_a_second_courier(post):
    """A mail that is under way is nobody else's."""
    server = post.server(slow_s=3)
    post.queue()
    post.courier(SMTP_URL=smtp_url(server))
    assert server.busy.wait(10)
    post.courier(SMTP_URL=smtp_url(server))
    post.wait_sent(1)
    assert server.deliveries == 1


def test_term_finishes_the_mail(post):
    """SIGTERM while a mail is under way: that one is sent and written down,
    the next is not begun, and the status is 0."""
    server = post.server(slow_s=1)
    post.queue(2)
    process = post.courier(SMTP_URL=smtp_url(server))
    assert server.busy.wait(10)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert server.deliveries == 1
    assert sorted(row[0] for row in post.rows()) == ["queued", "sent"]


@pytest.mark.alone
def test_term_when_idle(post):
    process = post.courier()
    wait_until(lambda: '"start"' in post.log(), 10)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - began < 1.5


def test_killed_courier(post):
    """Its claim runs out, and another one sends the mail."""
    server = post.server(slow_s=2)
    number, = post.queue()
    process = post.courier(SMTP_URL=smtp_url(server))
    assert server.busy.wait(10)
    process.kill()
    process.wait()
    post.couriers.remove(process)
    (left,), = post.sql("SELECT extract(epoch FROM next_at - now())::int"
                        " FROM outbox WHERE state = 'queued'")
    assert 100 <= left <= 120
    post.courier(SMTP_URL=smtp_url(server))
    post.due_now()
    post.wait_sent(1)
    assert {m["Message-ID"] for m in server.messages} == {
        f"<{number}@portal.example>"}


# ---- the folder


def test_folder(post):
    number, = post.queue()
    post.courier()
    post.wait_sent(1)
    message, = post.box.all()
    assert message.path.name.endswith(f"Z-account_exists-{number}.eml")
    assert message.path.stat().st_mode & 0o777 == 0o600
    assert message.raw.count(b"\r\n") == message.raw.count(b"\n")
    assert message.to == ["tom@revio.example"]


def test_folder_missing(post):
    post.queue()
    post.courier(SMTP_URL=f"maildir:{post.dir}/none")
    post.wait_tried()
    assert "No such file" in post.rows()[0][2]
    (post.dir / "none").mkdir()
    post.due_now()
    post.wait_sent(1)


def test_no_room_for_a_file(post):
    """A limit of 2000 bytes a file cuts the message off in the middle:
    nothing of it stays, and the row does."""
    post.queue()
    process = post.courier("prlimit", "--fsize=2000")
    post.wait_tried()
    assert "too large" in post.rows()[0][2]
    assert list(post.folder.iterdir()) == []
    subprocess.run(["prlimit", f"--pid={process.pid}",
                    "--fsize=unlimited"], check=False, capture_output=True)
    end(process)
    post.couriers.remove(process)
    post.courier()
    post.due_now()
    post.wait_sent(1)
    assert len(post.box.all()) == 1


def may_mount():
    """Root in a container may not, nor one in a changed root folder."""
    return subprocess.run(["unshare", "-m", "true"],
                          capture_output=True).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="no right to mount; "
                    "test_no_room_for_a_file does without")
def test_folder_full(post):
    """A tmpfs of 1 MiB, in a mount namespace of the courier's own."""
    script = (f"mount -t tmpfs -o size=1m none {post.folder} && "
              f"{{ head -c 2m /dev/zero >{post.folder}/full 2>/dev/null; "
              'exec "$0"; }')
    process = post.courier("unshare", "-m", "sh", "-c", script)
    inside = f"/proc/{process.pid}/root{post.folder}"
    wait_until(lambda: '"start"' in post.log(), 10)
    post.queue(2)
    wait_until(lambda: all("No space left" in row[2] for row in post.rows()),
               20, f"two failed tries: {post.rows()}\n{post.log()}")
    assert os.listdir(inside) == ["full"]
    assert post.count("queued") == 2
    os.unlink(f"{inside}/full")
    post.due_now()
    post.wait_sent(2)
    assert len([n for n in os.listdir(inside) if n.endswith(".eml")]) == 2


# ---- the database


@pytest.mark.alone
def test_database_restarted(own_post):
    post = own_post
    post.courier()
    post.queue()
    post.wait_sent(1)
    post.cluster.stop()
    wait_until(lambda: "database_lost" in post.log(), 10)
    time.sleep(1)
    post.cluster.start()
    began = time.monotonic()
    post.queue()
    post.wait_sent(2)
    assert time.monotonic() - began < 3
    # And it listens again.
    began = time.monotonic()
    post.queue()
    post.wait_sent(3)
    assert time.monotonic() - began < 1
    assert "database_back" in post.log()
    assert post.log().count("database_lost") == 1


def test_a_refusal_that_nobody_expects(post):
    """A rule that the program doesn't know is no loss of the database: it is
    told once, by the word that the portal has for it, and the mail goes when
    the rule is gone."""
    post.courier()
    wait_until(lambda: '"start"' in post.log(), 10)
    post.sql("ALTER TABLE outbox ADD CONSTRAINT later_rule CHECK "
             "(claimed_by IS NULL) NOT VALID")
    post.queue()
    refused = "not expected: later_rule"
    wait_until(lambda: refused in post.log(), 10)
    seen = set()    # it connects anew for each try

    def tries():
        seen.update(post.sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = "
            "current_database() AND application_name = 'latchkey-courier'"))
        return len(seen)
    wait_until(lambda: tries() > 3, 20, "further tries")
    post.sql("ALTER TABLE outbox DROP CONSTRAINT later_rule")
    post.wait_sent(1)
    wait_until(lambda: '"went_on"' in post.log(), 10)
    assert post.log().count('"db_bug"') == 1 == post.log().count(refused)
    assert "database_lost" not in post.log()
    assert "database_back" not in post.log()


def test_database_killed_while_a_mail_is_under_way(own_post):
    """It was sent, and could not be written down: that is done when the
    database is back, and the mail does not go a second time."""
    post = own_post
    server = post.server(slow_s=1.5)
    post.queue()
    post.courier(SMTP_URL=smtp_url(server))
    assert server.busy.wait(10)
    post.cluster.kill()
    wait_until(lambda: "mail_sent" in post.log(), 10)
    time.sleep(0.5)
    post.cluster.start()
    post.wait_sent(1)
    assert server.deliveries == 1
    assert post.rows() == [("sent", 1, "")]


def test_started_before_the_database(own_post):
    post = own_post
    post.queue()
    post.cluster.stop()
    post.courier()
    wait_until(lambda: "database_lost" in post.log(), 10)
    post.cluster.start()
    post.wait_sent(1)


# ---- the start


def refused(post, **settings):
    env = clean_env(**{**post.settings, **settings})
    done = subprocess.run([post.cluster.build / "latchkey-courier"], env=env,
                          capture_output=True, text=True, timeout=20)
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_what_it_needs(post):
    assert "LATCHKEY_SMTP_URL" in refused(post, LATCHKEY_SMTP_URL="")
    assert "LATCHKEY_MAIL_FROM" in refused(post, LATCHKEY_MAIL_FROM="a@b..c")
    assert "master.key" in refused(
        post, LATCHKEY_MASTER_KEY_FILE=str(post.dir / "master.key"))
    empty = post.dir / "templates"
    empty.mkdir()
    (empty / "bad.html").write_text("{{#open}}")
    assert "bad.html:1" in refused(post, LATCHKEY_TEMPLATES=str(empty))


def test_jobs_run_at_the_start(post):
    post.sql("INSERT INTO throttle (bucket, key, tat)"
             " VALUES ('a', 'b', now() - interval '1 hour')")
    post.courier()
    wait_until(lambda: '"throttle_prune"' in post.log(), 10)
    assert post.sql("SELECT count(*) FROM throttle") == [(0,)]
