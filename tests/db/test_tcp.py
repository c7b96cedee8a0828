"""PostgreSQL over TCP, with a password and with TLS: what libpq then asks of
the system must stand in the sandbox's list (app/main.c), or workers die."""

import os
import shutil

import pytest

from lib import flows
from lib.base import free_port, server_user, wait_until
from lib.cluster import Cluster
from lib.server import Server
from lib.tls import make_certificate

PASSWORD = "tcp-only-secret"


class TcpCluster(Cluster):
    """One that listens on a loopback port, too."""

    def pgctl(self, verb, *args, **env):
        if verb != "init":
            return super().pgctl(verb, *args, PGPORT=str(self.port), **env)
        self.port = free_port()
        done = super().pgctl(verb, *args, **env)
        cert, key = make_certificate(self.dir)
        if os.getuid() == 0:
            shutil.chown(key, server_user())
        with open(self.dir / "cluster.conf", "a", encoding="utf-8") as conf:
            conf.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\n"
                       f"ssl = on\nssl_cert_file = '{cert}'\n"
                       f"ssl_key_file = '{key}'\n")
        with open(self.dir / "pg_hba.conf", "a", encoding="utf-8") as hba:
            hba.write("host all all 127.0.0.1/32 scram-sha-256\n")
        return done

    def is_up(self):
        os.environ["PGPORT"] = str(self.port)
        try:
            return super().is_up()
        finally:
            del os.environ["PGPORT"]

    def url(self, role, database):
        return super().url(role, database) + f"&port={self.port}"


@pytest.fixture(scope="module")
def tcp(build):
    one = TcpCluster(build)
    one.template("demo")
    one.sql_super(f"ALTER ROLE latchkey_app PASSWORD '{PASSWORD}'")
    yield one
    one.close()


@pytest.fixture(params=["127.0.0.1 disable", "localhost disable",
                        "127.0.0.1 require", "localhost verify-full"])
def portal(request, tcp):
    host, mode = request.param.split()
    server = Server(tcp, workers=2, wait=False, settings={})
    server.stop_portal()
    server.settings["LATCHKEY_DATABASE_URL"] = (
        f"postgresql://latchkey_app:{PASSWORD}@{host}:{tcp.port}/"
        f"{server.database}?sslmode={mode}&sslrootcert={tcp.dir}/p256-1.crt")
    server.start_portal()
    server.mode = mode
    yield server
    server.close()


def connections(tcp):
    return tcp.sql("postgres", "SELECT count(*) FROM pg_stat_activity "
                   "WHERE usename = 'latchkey_app'", role="postgres")[0][0]


def test_reads_and_writes_and_a_restart(portal, tcp):
    workers = set(portal.workers())
    browser = flows.contact(portal)
    assert browser.get("/profile").status == 200
    over = tcp.sql("postgres", "SELECT DISTINCT host(a.client_addr), s.ssl "
                   "FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) "
                   "WHERE a.usename = 'latchkey_app'", role="postgres")
    assert over == [("127.0.0.1", portal.mode != "disable")]
    before = connections(tcp)
    assert before >= 2 * 3
    for gone in (tcp.stop, tcp.kill):
        gone()
        wait_until(lambda: browser.get("/profile").status == 503)
        assert browser.get("/livez").status == 200
        tcp.start()
        wait_until(lambda: browser.get("/profile").status == 200, 5)
        # Each worker has connections of its own for reads and writes.
        wait_until(lambda: connections(tcp) == before, 10, "all of them")
        flows.contact(portal)
    # Nobody died in the sandbox on the way.
    assert set(portal.workers()) == workers
    assert "sandbox" not in portal.raw_log()


def test_a_name_that_nobody_knows(make_server):
    """Resolving fails; the workers live and say so."""
    server = make_server(courier=False, wait=False, settings={
        "DATABASE_URL": "postgresql://latchkey_app@db.invalid/latchkey"})

    def alive():
        try:
            return server.client().get("/livez").status == 200
        except OSError:
            return False
    wait_until(alive, 40)
    workers = server.workers()
    assert server.client(timeout_s=40).get("/readyz").status == 503
    assert server.workers() == workers
    assert "sandbox" not in server.raw_log()


def test_a_wrong_password_is_in_the_log_without_it(tcp):
    server = Server(tcp, courier=False, wait=False, settings={
        "DATABASE_URL": f"postgresql://latchkey_app:wrong-{PASSWORD}"
                        f"@127.0.0.1:{tcp.port}/postgres"})
    def lives():
        try:
            return server.client().get("/livez").status == 200
        except OSError:
            return False
    try:
        wait_until(lambda: "password authentication failed"
                   in server.raw_log(), 10)
        # The start has said it, and serves a moment later all the same.
        wait_until(lives, 10)
        assert PASSWORD not in server.raw_log()
    finally:
        server.close()
