"""`make run` with the real programs, as somebody who just got the source."""

import os
import pty
import re
import signal
import stat
import subprocess

import pytest
from lib import base, flows, http
from lib.mail import Mailbox
from lib.run import Run

PASSWORD = flows.PASSWORD


@pytest.fixture
def run(folder):
    one = Run(folder)
    yield one
    one.close()


def client(run):
    return http.Client(f"http://localhost:{run.port}")


def ctl(run, *args):
    """As another terminal would, with the settings that were written."""
    return subprocess.run(
        ["sh", "-c", 'set -a; . "$0"; set +a; exec "$@"',
         f"{run.var}/latchkey.env", f"{run.build}/latchkeyctl", *args],
        text=True, capture_output=True, env=base.clean_env(),
        stdin=subprocess.DEVNULL)


def test_first_admin_then_again_with_the_data_kept(run):
    run.start()
    browser = client(run)
    assert browser.get("/livez").status == 200
    assert browser.get("/readyz").status == 200
    link = re.search(r"http://localhost:\d+(/verify/\S+)", run.said())
    assert link, run.said()
    page = browser.get(link.group(1)).expect(200)
    browser.submit(page, {"name": "Ada Admin", "password": PASSWORD},
                   "/verify/").expect(303)
    assert stat.S_IMODE((run.var / "master.key").stat().st_mode) == 0o600
    run.process.send_signal(signal.SIGINT)
    assert run.ended() == 130
    run.gone()

    run.start()
    # There is an admin now, so no link; and the session goes on.
    assert "/verify/" not in run.said()
    assert browser.get("/account").expect(200)
    doctor = ctl(run, "doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


def test_mail_lands_in_the_folder(run):
    run.start()
    browser = client(run)
    page = browser.get("/signup").expect(200)
    browser.submit(page, {"email": "ada@altaworx.example", "name": "Ada",
                          "client": "Altaworx"}, "/signup").expect(303)
    message = Mailbox(run.var / "mail").wait("ada@altaworx.example")
    link = message.link("/verify/")
    assert f"http://localhost:{run.port}{link}" in message.text
    assert browser.get(link).status == 200


def test_the_tool_works_from_another_terminal(run):
    run.start()
    for args in (("tenant", "list", "--json"),
                 ("subscription", "list", "--json")):
        done = ctl(run, *args)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(("[", "{")) or done.stdout == ""
    assert ctl(run, "no-such-verb").returncode == 2


@pytest.mark.skipif(base.build_dir().name != "build",
                    reason="make run builds into build/, and the suites "
                    "test another build now (make asan)")
def test_ctrl_c_in_a_terminal(run):
    """Through make and a real terminal, which signals the whole group."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(base.ROOT)
        env = {**run.env, "TERM": "dumb"}
        del env["O"]
        os.execvpe("make", ["make", "run"], env)
    said = b""
    try:
        def ready():
            nonlocal said
            said += os.read(terminal, 4096)
            return b"Ctrl-C stops everything" in said
        base.wait_until(ready, 180, "make run to be ready")
        assert client(run).get("/readyz").status == 200
        os.write(terminal, b"\x03")
        base.wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, 60,
                        "the end of make")
        run.gone()
    finally:
        os.close(terminal)
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
