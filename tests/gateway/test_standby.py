"""A primary with a standby, both named in LATCHKEY_DATABASE_URL: the primary
is killed under load, the standby promoted."""

import signal
import subprocess
import threading

import psycopg2
import pytest

from lib import base, flows
from lib.gateway import Gateway

BIN = "/usr/lib/postgresql/15/bin"


class Standby:
    """A copy of a cluster that follows it."""

    def __init__(self, cluster):
        self.cluster, self.process = cluster, None
        self.dir = base.temp_dir("standby")
        if base.server_user() == "postgres":
            base.shutil.chown(self.dir, "postgres")
        with open(cluster.dir / "pg_hba.conf", "a") as hba:
            hba.write("local replication all peer map=latchkey\n")
        cluster.sql_super("SELECT pg_reload_conf()")
        copied = base.spawn([f"{BIN}/pg_basebackup", "-h", cluster.socket,
                             "-U", "postgres", "-D", self.dir / "data", "-R",
                             "-c", "fast", "-X", "stream"],
                            user=base.server_user(), cwd="/",
                            stderr=subprocess.PIPE, env=base.clean_env())
        _, errors = copied.communicate(timeout=120)
        assert copied.returncode == 0, errors.decode()
        # It includes that, from beside its folder.
        base.shutil.copy(cluster.dir / "cluster.conf", self.dir)
        with open(cluster.dir / "standby.log", "ab") as log:
            self.process = base.spawn(
                [f"{BIN}/postgres", "-D", self.dir / "data", "-c",
                 f"unix_socket_directories={self.dir}"], sig="INT",
                user=base.server_user(), cwd="/", stdout=log, stderr=log,
                env=base.clean_env())
        try:
            base.wait_until(self.follows, 60, "the standby")
        except AssertionError as error:
            log = base.tail(cluster.dir / "standby.log")
            self.close()
            raise AssertionError(log) from error

    def follows(self):
        return self.cluster.sql_super(
            "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' "
            "AND replay_lsn = pg_current_wal_lsn()")

    def sql(self, database, query, role="postgres"):
        link = psycopg2.connect(host=str(self.dir), dbname=database, user=role)
        link.autocommit = True
        try:
            with link.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall() if cursor.description else None
        finally:
            link.close()

    def close(self):
        if self.process:
            base.end(self.process, signal.SIGINT, 30)
        base.remove(self.dir)


@pytest.fixture
def standby(own_cluster):
    # What is made of templates is in the copy, too.
    own_cluster.template("demo")
    made = []

    def make():
        made.append(Standby(own_cluster))
        return made[-1]
    yield make
    for one in made:
        one.close()


def test_a_standby_is_promoted_under_load(make_server, own_cluster, standby):
    second = standby()
    server = make_server(on=own_cluster, workers=2, settings={
        "DATABASE_URL": "postgresql://latchkey_app@/t1?host="
        f"{second.dir},{own_cluster.socket}&target_session_attrs=read-write"})
    assert server.database == "t1"
    # A sequence that was copied with its database reaches the standby only
    # after a checkpoint: PostgreSQL logs it 32 numbers ahead.
    own_cluster.sql_super("CHECKPOINT")
    owner = flows.client_with_key(server)[0]
    server.sql("UPDATE product SET needs_api_user = false, "
               "calls_a_minute = 1000000, calls_a_day = NULL")
    key = flows.show_key(owner)
    gateways = [Gateway(server) for _ in range(8)]
    base.wait_until(lambda: all(one.check(key) == "allowed" for one in gateways
                                for _ in range(5)), 10, "the key")
    server.stop_courier()
    base.wait_until(second.follows, 20, "the last change")
    stop, known, unknown, lock = threading.Event(), set(), set(), \
        threading.Lock()
    errors = []

    def load(one):
        try:
            while not stop.is_set():
                right, wrong = one.check(key), one.check("e" * 32)
                with lock:
                    known.add(right)
                    unknown.add(wrong)
        except BaseException as error:  # pylint: disable=broad-except
            errors.append(error)
    threads = [threading.Thread(target=load, args=(one,)) for one in gateways]
    for thread in threads:
        thread.start()
    try:
        own_cluster.kill()
        base.wait_until(lambda: "unavailable" in unknown, 20, "the loss")
        # What is written meanwhile is not known to be done, and says so.
        page = owner.get("/profile")
        assert page.status == 503
        assert second.sql("postgres", "SELECT pg_promote()") == [(True,)]
        base.wait_until(server.is_ready, 30, "the new primary")
        unknown.clear()
        # Written by the portal, and told to every worker.
        assert flows.show_key(owner, "secondary") != key
        second.sql("t1", "UPDATE subscription SET expires_at = now()",
                   "latchkey_owner")
        base.wait_until(lambda: "expired" in known, 10, "the change")
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not errors
    # Not one call of the known key was denied before it expired.
    assert known == {"allowed", "expired"}
    assert unknown <= {"unknown_key", "unavailable", "rate_limited"}
    base.wait_until(lambda: all(one.check(key) == "expired" for one in gateways
                                for _ in range(3)), 5, "all workers")
    for one in gateways:
        one.close()
