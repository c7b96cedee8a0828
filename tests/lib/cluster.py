"""A private PostgreSQL cluster: made by conf/dev/pgctl.sh, as `make run` makes
its own.  A database is migrated once, as a template, and every test server
gets a copy of it, which takes 0.1 s.  runner.py makes one cluster with both
templates, and those of all suites begin as a copy of that one's folder
(LATCHKEY_TEST_MODEL), which saves each of them some five seconds."""

import itertools
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg2

from lib.base import (ROOT, clean_env, end, remove, server_user, spawn, tail,
                      temp_dir, wait_until)

PGCTL = ROOT / "conf/dev/pgctl.sh"
# The disk may be slow, and no test pulls the plug: kill -9 loses nothing that
# was handed to the kernel.  Notices of TRUNCATE fill pages and tell nothing.
FAST = ("fsync = off\nfull_page_writes = off\nlog_min_messages = warning\n"
        "client_min_messages = warning")
# In memory a test takes a third of the processor's time that it takes on a disk:
# tests make, truncate and drop thousands of files.  A cluster has up to 200 MB.
MEMORY = Path("/dev/shm")
MEMORY_FREE_MIN = 2 * 2**30
MEMORY_CONF = "\nmax_wal_size = 64MB\nmin_wal_size = 32MB"


def has_room(folder):
    """Whether clusters may be made in it, which is memory."""
    try:
        there = os.statvfs(folder)
        [free] = [int(line.split()[1]) * 1024 for line in Path(
            "/proc/meminfo").read_text().splitlines()
                  if line.startswith("MemAvailable:")]
    except (OSError, ValueError):
        return False
    return min(there.f_bavail * there.f_frsize, free) >= MEMORY_FREE_MIN


def remove_orphans(folder):
    """Clusters in memory whose maker was killed."""
    for path in folder.glob("latchkey-pg.*-*"):
        maker = path.name.split(".")[1].split("-")[0]
        if not Path("/proc", maker).exists():
            remove(path)


class Cluster:
    """`extra` are further lines for postgresql.conf."""

    def __init__(self, build, in_memory=True, extra=""):
        self.build, self.extra = build, extra
        self.in_memory = in_memory and has_room(MEMORY)
        if self.in_memory:
            remove_orphans(MEMORY)
            self.dir = temp_dir(f"pg.{os.getpid()}", MEMORY)
        else:
            self.dir = temp_dir("pg")
        self.process = None
        self.numbers = itertools.count(1)
        self.templates = set()
        self.master_key = self.dir / "master.key"
        model = os.environ.get("LATCHKEY_TEST_MODEL")
        try:
            if model:
                self.copy(Path(model))
            self.pgctl("init")
            self.socket = self.pgctl("socket").strip()
            self.start()
        except BaseException:
            self.close()
            raise

    def copy(self, model):
        """The folder of a cluster that is stopped, and has both templates."""
        subprocess.run(["cp", "-a", model / "data", model / "master.key",
                        self.dir], check=True, stdin=subprocess.DEVNULL)
        self.templates |= {"template_bare", "template_demo"}

    def pgctl(self, verb, *args, **env):
        extra = (FAST + (MEMORY_CONF if self.in_memory else "") + "\n"
                 + self.extra)
        done = subprocess.run(
            [PGCTL, verb, self.dir, *args], text=True, capture_output=True,
            stdin=subprocess.DEVNULL, env=clean_env(PG_EXTRA=extra, **env))
        if done.returncode != 0:
            raise RuntimeError(f"pgctl.sh {verb}: {done.stdout}{done.stderr}")
        return done.stdout

    # -- the server: tests stop, restart and kill it

    def start(self):
        with open(self.dir / "postgres.log", "ab") as log:
            self.process = spawn(
                ["/usr/lib/postgresql/15/bin/postgres", "-D",
                 self.dir / "data"], sig="INT", user=server_user(), cwd="/",
                stdout=log, stderr=log, env=clean_env())
        wait_until(self.is_up, 20, f"PostgreSQL: {self.dir}/postgres.log")

    def is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError("PostgreSQL ended at its start:\n"
                               + tail(self.dir / "postgres.log"))
        return subprocess.run(
            ["pg_isready", "-q", "-h", self.socket, "-U", "postgres", "-d",
             "postgres"]).returncode == 0

    def stop(self):
        """Fast: open connections are cut, nothing is lost."""
        if self.process:
            end(self.process, signal.SIGINT, 30)
            self.process = None

    def kill(self):
        """kill -9 of the server; its children see it and leave."""
        self.process.kill()
        self.process.wait()
        self.process = None
        self.pgctl("heal")

    def close(self):
        self.stop()
        if hasattr(self, "socket"):
            remove(self.socket)
        remove(self.dir)

    # -- databases

    def url(self, role, database):
        return f"postgresql://{role}@/{database}?host={self.socket}"

    def connect(self, database="postgres", role="postgres"):
        connection = psycopg2.connect(self.url(role, database))
        connection.autocommit = True
        return connection

    def sql(self, database, query, params=None, role="latchkey_owner"):
        """Rows of a query, or None for a statement that has none."""
        connection = self.connect(database, role)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, params)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def database(self, kind="demo"):
        """A fresh database: "empty", "bare" (migrated), or "demo" (with keys
        and the demo catalogue, under the cluster's master key)."""
        name = f"t{next(self.numbers)}"
        if kind != "empty":
            template = self.template(kind)
            connection = self.connect()
            try:
                with connection.cursor() as cursor:
                    cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}"
                                   " OWNER latchkey_owner")
            finally:
                connection.close()
        # Who may connect is not copied.
        self.pgctl("database", name)
        return name

    def drop(self, name):
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        finally:
            connection.close()

    def template(self, kind):
        name = f"template_{kind}"
        if name in self.templates:
            return name
        if kind == "bare":
            self.pgctl("database", name)
            self.pgctl("migrate", name)
        else:
            self.sql_super(f"CREATE DATABASE {name} TEMPLATE "
                           f"{self.template('bare')} OWNER latchkey_owner")
            self.pgctl("database", name)
            self.ctl(name, "init")
            self.ctl(name, "demo")
        self.templates.add(name)
        return name

    def sql_super(self, statement):
        return self.sql("postgres", statement, role="postgres")

    def ctl(self, database, *args):
        """latchkeyctl with no more settings than it needs."""
        done = subprocess.run(
            [self.build / "latchkeyctl", *args], text=True,
            capture_output=True, stdin=subprocess.DEVNULL,
            env=clean_env(**self.settings(database)))
        if done.returncode != 0:
            raise RuntimeError(f"latchkeyctl {' '.join(args)}: "
                               f"{done.stdout}{done.stderr}")
        return done.stdout

    def settings(self, database):
        return {
            "LATCHKEY_MODE": "development",
            "LATCHKEY_DATABASE_URL": self.url("latchkey_app", database),
            "LATCHKEY_PUBLIC_URL": "http://localhost:1",
            "LATCHKEY_LISTEN": "127.0.0.1:1",
            "LATCHKEY_GATEWAY_LISTEN": "127.0.0.1:2",
            "LATCHKEY_SMTP_URL": f"maildir:{self.dir}/mail",
            "LATCHKEY_MAIL_FROM": "latchkey@localhost",
            "LATCHKEY_SUPPORT_EMAIL": "support@localhost",
            "LATCHKEY_SITE_NAME": "Latchkey",
            "LATCHKEY_MASTER_KEY_FILE": str(self.master_key),
            "LATCHKEY_TEMPLATES": str(ROOT / "templates"),
            "LATCHKEY_ASSETS": str(self.build / "assets"),
        }

    def copy_master_key(self, to):
        shutil.copy(self.master_key, to)
        os.chmod(to, 0o600)
