"""A portal and its courier under test: real processes on free ports, with a
database, mail folder and log files of their own."""

import json
import os
import shutil
import signal
import subprocess
import threading
from http.client import HTTPConnection

from lib import http
from lib.base import (clean_env, end, free_port, remove, spawn, tail, temp_dir,
                      wait_until)
from lib.mail import Mailbox


class Server:
    """`settings` are LATCHKEY_* without the prefix; None takes one away.
    `template` is what the database starts with (Cluster.database); `user` is
    whom the portal runs as when root starts it."""

    def __init__(self, cluster, template="demo", workers=1, courier=True,
                 tls=None, settings=None, wait=True, user=None):
        self.cluster = cluster
        self.build = cluster.build
        self.worker_count = workers
        self.dir = temp_dir("portal")
        self.visits = set()         # of settle(), their ids
        self.maildir = self.dir / "mail"
        self.maildir.mkdir(mode=0o700)
        self.mail = Mailbox(self.maildir)
        self.portal = self.courier = None
        self.user = user
        self.database = cluster.database(template)
        self.port, self.gateway_port = free_port(), free_port()
        if user and os.getuid() == 0:
            for path in (self.dir, self.maildir, *(tls or ())):
                shutil.chown(path, user)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://localhost:{self.port}"
        self.master_key = self.dir / "master.key"
        if cluster.master_key.exists():
            cluster.copy_master_key(self.master_key)
            if user and os.getuid() == 0:
                shutil.chown(self.master_key, user)
        wanted = {
            "PUBLIC_URL": self.url,
            "LISTEN": f"127.0.0.1:{self.port}",
            "GATEWAY_LISTEN": f"127.0.0.1:{self.gateway_port}",
            "SMTP_URL": f"maildir:{self.maildir}",
            "MASTER_KEY_FILE": str(self.master_key),
            "WORKERS": str(workers),
            # All tests call from one address.
            "GATEWAY_FAILURES": "1000000",
        }
        if tls:
            wanted["TLS_CERT"], wanted["TLS_KEY"] = map(str, tls)
        wanted.update(settings or {})
        self.settings = cluster.settings(self.database)
        for name, value in wanted.items():
            self.settings.pop(f"LATCHKEY_{name}", None)
            if value is not None:
                self.settings[f"LATCHKEY_{name}"] = str(value)
        try:
            if courier:
                self.start_courier()
            self.start_portal(wait)
        except BaseException:
            self.close(check=False)
            raise

    # -- processes

    def start_portal(self, wait=True):
        with open(self.dir / "portal.log", "ab") as log:
            self.portal = spawn([self.build / "latchkey"], stdout=log,
                                stderr=log, user=self.user,
                                env=clean_env(**self.settings))
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout_s=20):
        wait_until(self.is_ready, timeout_s,
                   f"/readyz of the portal:\n{tail(self.dir / 'portal.log')}")

    def is_ready(self):
        if self.portal.poll() is not None:
            raise AssertionError(
                f"the portal ended with {self.portal.returncode}:\n"
                + tail(self.dir / "portal.log"))
        # Each worker opens its keys by itself; a new connection goes to one
        # that is idle, so a few in a row reach them all.
        asks = 1 if self.worker_count == 1 else 8 * self.worker_count
        try:
            return all(self.client().get("/readyz").status == 200
                       for _ in range(asks))
        except OSError:
            return False

    def start_courier(self):
        env = clean_env(**self.settings)
        env["LATCHKEY_DATABASE_URL"] = self.cluster.url("latchkey_courier",
                                                        self.database)
        with open(self.dir / "courier.log", "ab") as log:
            self.courier = spawn([self.build / "latchkey-courier"], stdout=log,
                                 stderr=log, env=env)

    def stop_portal(self, sig=signal.SIGTERM):
        process, self.portal = self.portal, None
        return end(process, sig) if process else None

    def stop_courier(self, sig=signal.SIGTERM):
        process, self.courier = self.courier, None
        return end(process, sig) if process else None

    def workers(self):
        """Process ids of the portal's children."""
        done = subprocess.run(["pgrep", "-P", str(self.portal.pid)], text=True,
                              capture_output=True)
        return [int(line) for line in done.stdout.split()]

    def close(self, check=True):
        statuses = {"portal": self.stop_portal(),
                    "courier": self.stop_courier()}
        reports = [f"{name}: {line}" for name in statuses
                   for line in self.raw_log(name).splitlines()
                   if "AddressSanitizer" in line or "runtime error:" in line]
        log = tail(self.dir / "portal.log")
        remove(self.dir)
        if self.cluster.process:
            self.cluster.drop(self.database)
        if check:
            assert not reports, "\n".join(reports)
            bad = {n: s for n, s in statuses.items() if s not in (None, 0)}
            assert not bad, f"ended with {bad}\n{log}"

    # -- what tests ask

    def client(self, **kwargs):
        return http.Client(self.url, **kwargs)

    def raw(self, **kwargs):
        return http.Raw("127.0.0.1", self.port, **kwargs)

    def sql(self, query, params=None, role="latchkey_owner"):
        return self.cluster.sql(self.database, query, params, role)

    def ctl(self, *args, stdin="", check=True):
        """latchkeyctl as an operator would call it."""
        done = subprocess.run(
            [self.build / "latchkeyctl", *args], text=True, input=stdin,
            capture_output=True, env=clean_env(**self.settings), timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"latchkeyctl {' '.join(args)}: "
                                 f"{done.returncode}\n{done.stdout}"
                                 f"{done.stderr}")
        return done

    def raw_log(self, name="portal"):
        try:
            return (self.dir / f"{name}.log").read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def log(self, name="portal"):
        """The JSON lines of a log; a line that is none is an error.  What is
        behind the last line break is still being written."""
        whole, _, _ = self.raw_log(name).rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()
                if line.startswith("{")]

    def settle(self, visitor=None):
        """Waits until the portal's log has all lines of what was answered
        before: workers gather them for a moment, in order.  So each is asked
        for something, until its line is there."""
        workers, ours = set(self.workers()), set()

        def told():
            answer = (visitor or self.client)().get("/livez")
            ours.add(answer.headers["X-Request-Id"])
            return workers <= {line["pid"] for line in self.log()
                               if line.get("id") in ours}
        wait_until(told, 10, "the log of every worker")
        self.visits |= ours

    def settled_log(self):
        """raw_log() after settle()."""
        self.settle()
        return self.raw_log()

    def requests(self, visitor=None):
        """The lines of all requests that were answered until now, without
        those of settle()."""
        self.settle(visitor)
        return [line for line in self.log() if line.get("event") == "request"
                and line["id"] not in self.visits]


class Peer:
    """A second portal beside a server's, as another machine would have it:
    with settings of its own."""

    def __init__(self, server, **settings):
        self.server, self.dir = server, server.dir
        self.port, self.gateway_port = free_port(), free_port()
        self.name = f"peer-{self.port}"
        self.settings = {
            **server.settings,
            "LATCHKEY_LISTEN": f"127.0.0.1:{self.port}",
            "LATCHKEY_GATEWAY_LISTEN": f"127.0.0.1:{self.gateway_port}",
            **{f"LATCHKEY_{name}": str(value)
               for name, value in settings.items()}}
        with open(self.dir / f"{self.name}.log", "ab") as log:
            self.process = spawn(
                [server.build / "latchkey"], stdout=log, stderr=log,
                env=clean_env(**self.settings))
        wait_until(self.is_ready, 20, "the peer")

    def is_ready(self):
        """All workers have the database, and hear it."""
        if self.process.poll() is not None:
            raise AssertionError(tail(self.dir / f"{self.name}.log"))
        try:
            link = HTTPConnection("127.0.0.1", self.gateway_port, timeout=10)
            link.request("GET", "/metrics")
            text = link.getresponse().read().decode()
            link.close()
        except OSError:
            return False
        return "\nlatchkey_gateway_hears 1\n" in text

    def log(self):
        return self.server.log(self.name)

    def close(self):
        assert end(self.process, signal.SIGTERM) == 0, tail(
            self.dir / f"{self.name}.log")


class Background:
    """Runs fn in threads while a test goes on; errors come out at join()."""

    def __init__(self, fn, threads=1):
        self.stop = threading.Event()
        self.errors = []
        self.threads = [threading.Thread(target=self._run, args=(fn, i))
                        for i in range(threads)]
        for thread in self.threads:
            thread.start()

    def _run(self, fn, number):
        try:
            fn(number, self.stop)
        except BaseException as error:  # pylint: disable=broad-except
            self.errors.append(error)

    def join(self, timeout_s=30):
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout_s)
            assert not thread.is_alive(), "a background thread hangs"
        if self.errors:
            raise self.errors[0]
