"""Small things that everything here needs: where things are, how to wait, how
to end a process that we started."""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def build_dir():
    """The folder of the build under test: $LATCHKEY_BUILD, else build/."""
    return (ROOT / os.environ.get("LATCHKEY_BUILD", "build")).resolve()


def wait_until(condition, timeout_s=10, what=None, every_s=0.02):
    """Calls condition until it gives something true, and returns that."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: "
                                 f"{what or condition.__name__}")
        time.sleep(every_s)


def free_port():
    """A port on loopback that nobody has.  Below 32768, where the kernel takes
    the ports of outgoing connections from, so that none of them gets it."""
    for _ in range(200):
        port = random.randint(10000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port in 200 tries")


def temp_dir(prefix, where="/tmp"):
    """A short folder under /tmp that the user postgres may enter, too."""
    path = Path(tempfile.mkdtemp(prefix=f"latchkey-{prefix}-", dir=where))
    path.chmod(0o755)
    return path


def remove(path):
    shutil.rmtree(path, ignore_errors=True)


def server_user():
    """PostgreSQL refuses to run as root."""
    return "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name


def clean_env(**settings):
    """An environment without anything of the caller's LATCHKEY_* or PG*."""
    env = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "TZ",
                                      "ASAN_OPTIONS", "UBSAN_OPTIONS")
           if k in os.environ}
    env.setdefault("ASAN_OPTIONS", "abort_on_error=0:detect_leaks=0")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env.update(settings)
    return env


def spawn(argv, sig="TERM", user=None, **kwargs):
    """A child in a session of its own that ends with us, however we end."""
    prefix = ["setpriv", "--pdeathsig", sig]
    if user and os.getuid() == 0 and user != "root":
        prefix += [f"--reuid={user}", f"--regid={user}", "--init-groups"]
    return subprocess.Popen([*prefix, "--", *map(str, argv)],
                            stdin=subprocess.DEVNULL, start_new_session=True,
                            **kwargs)


def end(process, sig=signal.SIGTERM, timeout_s=15):
    """Ends a child of spawn() and what is left of its group; its status."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    return process.wait()


def tail(path, lines=25):
    try:
        text = Path(path).read_text(errors="replace")
    except OSError as error:
        return str(error)
    return "\n".join(text.splitlines()[-lines:])
