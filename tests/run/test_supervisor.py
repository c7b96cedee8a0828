"""conf/dev/run.sh, which `make run` becomes: starts all, stops all, however it
is ended, and heals what a killed run left.  Portal, courier and latchkeyctl
are stand-ins here, so that they can be made to misbehave; PostgreSQL and
Sqitch are real.  test_make_run.py has the real programs."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest
from lib import base
from lib import run as run_lib

PORTAL = """#!/usr/bin/python3
import http.server, os, signal, sys, time
if os.path.exists(os.environ["LATCHKEY_MASTER_KEY_FILE"] + ".deaf"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *a: os._exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
host, port = os.environ["LATCHKEY_LISTEN"].split(":")
leader = os.getpid()
if os.fork() == 0:
    while os.getppid() == leader:
        time.sleep(0.05)
    os._exit(0)
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""
COURIER = """#!/bin/sh
echo "courier of $LATCHKEY_DATABASE_URL"
exec sleep 1000
"""
CTL = """#!/bin/sh
case "$*" in
init) [ -e "$LATCHKEY_MASTER_KEY_FILE" ] || {
    umask 077; echo 1:made-$$ >"$LATCHKEY_MASTER_KEY_FILE"; } ;;
'staff link-first-admin') echo http://localhost/the-first-link ;;
esac
"""


def stand_in(folder):
    """With stand-ins for our programs."""
    build = folder / "build"
    (build / "assets").mkdir(parents=True, exist_ok=True)
    for name, text in (("latchkey", PORTAL), ("latchkeyctl", CTL),
                       ("latchkey-courier", COURIER)):
        (build / name).write_text(text)
        (build / name).chmod(0o755)
    return run_lib.Run(folder, build)


@pytest.fixture(scope="module")
def seed():
    """What the first start leaves in VAR/data: the others need not make it anew,
    which takes as long as all else that they do."""
    folder = base.temp_dir("seed")
    one = stand_in(folder).start()
    one.process.send_signal(signal.SIGINT)
    assert one.ended() == 130
    yield one.var / "data"
    one.close()
    base.remove(folder)


@pytest.fixture
def run(folder, seed):
    one = stand_in(folder)
    one.seed = seed
    yield one
    one.close()


@pytest.fixture(scope="module")
def running(seed):
    """One that runs, for tests that only look."""
    folder = base.temp_dir("running")
    one = stand_in(folder)
    one.seed = seed
    yield one.start()
    one.close()
    base.remove(folder)


def test_starts_everything_and_says_where(running):
    run = running
    said = run.said()
    assert f"http://localhost:{run.port}/" in said
    assert f"{run.var}/mail/" in said
    assert "http://localhost/the-first-link" in said
    assert stat.S_IMODE((run.var / "latchkey.env").stat().st_mode) == 0o600
    assert run.setting("PUBLIC_URL") == f"http://localhost:{run.port}"
    assert run.setting("SMTP_URL") == f"maildir:{run.var}/mail"
    assert run.setting("MODE") == "development"
    assert "latchkey_app@" in run.setting("DATABASE_URL")
    assert "courier of postgresql://latchkey_courier@" in (
        run.var / "log/courier.log").read_text()


def test_settings_can_be_sourced(running):
    run = running
    done = subprocess.run(
        ["sh", "-ec", f". {run.var}/latchkey.env; psql -XAtc 'select 1' "
         '"$LATCHKEY_DATABASE_URL"'], text=True, capture_output=True)
    assert done.stdout == "1\n", done.stderr


def test_the_portal_makes_no_tables(running):
    run = running
    done = subprocess.run(["psql", "-XAtc", "create table public.x ()",
                           run.setting("DATABASE_URL")], text=True,
                          capture_output=True)
    assert "permission denied" in done.stderr


def test_only_loopback(running):
    run = running
    pids = {pid for pid, _ in run.children()}
    inodes = set()
    for pid in pids:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                inodes.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except OSError:
                continue
    listening = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/net/{table}") as lines:
            for line in list(lines)[1:]:
                columns = line.split()
                if columns[3] == "0A" and f"socket:[{columns[9]}]" in inodes:
                    listening.append(columns[1].split(":")[0])
    assert listening
    assert set(listening) == {"0100007F"}


@pytest.mark.parametrize("sig,status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_stops_everything(run, sig, status):
    run.start()
    assert len(run.children()) > 4
    run.process.send_signal(sig)
    assert run.ended() == status
    run.gone()


def test_two_signals_are_like_one(run):
    run.start()
    run.process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    run.process.send_signal(signal.SIGINT)
    assert run.ended() == 130
    run.gone()


def test_a_deaf_portal_is_killed(run):
    run.var.mkdir()
    run.start()
    (run.var / "master.key.deaf").touch()
    run.process.send_signal(signal.SIGINT)
    run.ended()
    run.start()
    run.process.send_signal(signal.SIGINT)
    assert run.ended(30) == 130
    run.gone()


@pytest.mark.parametrize("what", ["build/latchkey", "sleep 1000", "postgres -D"])
def test_the_end_of_one_ends_all(run, what):
    run.start()
    os.kill(run.pid_of(what), signal.SIGKILL)
    assert run.ended() == 1
    assert "ended (status 137)" in run.said()
    run.gone()


def test_sigkill_leaves_nothing_running(run):
    run.start()
    pid = int((run.var / "run.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    run.gone()
    run.start()         # a stale pid file and lock are no hindrance
    assert "is taken" not in run.said()


def test_a_stale_postmaster_pid_is_healed(run):
    run.start()
    os.kill(int((run.var / "run.pid").read_text()), signal.SIGKILL)
    run.gone()
    # Somebody else has the number by now.
    pid_file = run.var / "data/postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{run.var}/data\n")
    run.start()


def test_running_again_keeps_the_data(run):
    run.start()
    url = run.setting("DATABASE_URL").replace("latchkey_app", "latchkey_owner")
    subprocess.run(["psql", "-Xqc", "create table kept as select 42 as n",
                    url], check=True)
    key = (run.var / "master.key").read_text()
    run.process.send_signal(signal.SIGINT)
    run.ended()
    run.start()
    url = run.setting("DATABASE_URL").replace("latchkey_app", "latchkey_owner")
    done = subprocess.run(["psql", "-XAtc", "select n from kept", url],
                          check=True, text=True, capture_output=True)
    assert done.stdout == "42\n"
    assert (run.var / "master.key").read_text() == key


def test_two_side_by_side(run, folder):
    run.start()
    second = stand_in(folder / "second")
    second.seed = run.seed
    try:
        second.start()
        assert not run.process.poll()
        assert second.setting("PUBLIC_URL") != run.setting("PUBLIC_URL")
    finally:
        second.close()


@pytest.mark.parametrize("which", ["port", "gateway_port"])
def test_a_taken_port_is_said_at_once(run, which):
    with socket.create_server(("127.0.0.1", getattr(run, which))):
        run.start(ready=False)
        assert run.ended() == 1
    assert f"port {getattr(run, which)} on 127.0.0.1 is taken" in run.said()
    assert "make run" in run.said()
    assert not (run.var / "data").exists()


def test_one_run_a_var(run, folder):
    run.start()
    second = stand_in(folder)
    second.output = folder / "second"
    second.start(ready=False)
    assert second.ended() == 1
    assert f"already running with VAR={run.var}" in second.said()
    assert run.process.poll() is None


@pytest.mark.parametrize("name,value,says", [
    ("PORT", "http", "PORT is 'http' and must be a port"),
    ("PORT", "70000", "must be a port"),
    ("GATEWAY_PORT", "0", "GATEWAY_PORT is '0'"),
])
def test_a_malformed_setting_is_named(run, name, value, says):
    run.env[name] = value
    run.start(ready=False)
    assert run.ended() == 1
    assert says in run.said()


def test_a_deep_and_odd_path(folder):
    deep = folder / ("a folder with spaces & more " + "x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    one = stand_in(deep)
    try:
        one.start()
        done = subprocess.run(
            ["sh", "-ec", f". '{one.var}/latchkey.env'; "
             'psql -XAtc "select 1" "$LATCHKEY_DATABASE_URL"; '
             'test -d "${LATCHKEY_SMTP_URL#maildir:}"'],
            text=True, capture_output=True)
        assert done.stdout == "1\n" and done.returncode == 0, done.stderr
    finally:
        one.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root has rights to drop; "
                    "the tests above run as this user")
class TestAsRoot:
    def test_everything_runs_as_postgres(self, run):
        run.start()
        owners = {os.stat(f"/proc/{pid}").st_uid
                  for pid, _ in run.children()}
        postgres = int(subprocess.run(["id", "-u", "postgres"], text=True,
                                      capture_output=True).stdout)
        assert owners == {postgres}

    def test_an_unreachable_var_is_said_and_replaced(self, folder):
        folder.chmod(0o700)
        one = stand_in(folder)
        try:
            one.start()
            assert f"can't reach {one.var}" in one.said()
            used = os.path.dirname(os.path.realpath(one.var / "mail"))
            assert used.startswith("/var/lib/latchkey-dev")
            assert f"{used}/mail/" in one.said()
            assert (one.var / "latchkey.env").read_text()
        finally:
            base.end(one.process)
            if "used" in locals():
                base.remove(used)
                with contextlib.suppress(OSError):
                    os.rmdir("/var/lib/latchkey-dev")

    def test_a_var_of_somebody_else_is_refused(self, run):
        (run.var / "data").mkdir(parents=True)
        run.start(ready=False)
        assert run.ended() == 1
        assert "belongs to root" in run.said()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become "
                    "somebody else; everybody else is an ordinary user "
                    "in all of the tests above")
def test_as_an_ordinary_user(folder):
    """Without sudo, and with nothing but one's own files."""
    one = stand_in(folder)
    folder.chmod(0o777)
    # A checkout of one's own: this one may lie where others can't read.
    own = folder / "checkout"
    for part in ("conf", "migrations", "templates"):
        shutil.copytree(base.ROOT / part, own / part)
    subprocess.run(["chmod", "-R", "a+rX", own], check=True)
    with open(one.output, "wb") as output:
        one.process = base.spawn(["bash", own / "conf/dev/run.sh"],
                                 stdout=output, stderr=output, user="games",
                                 env={**one.env, "HOME": str(folder)})
    try:
        base.wait_until(one.is_ready, run_lib.READY_S,
                        "run.sh to be ready")
        owners = {os.stat(f"/proc/{pid}").st_uid for pid, _ in one.children()}
        assert len(owners) == 1 and owners != {0}
    finally:
        base.end(one.process)
