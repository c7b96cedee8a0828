"""conf/dev/run.sh as a child, with everything that it starts."""

import os
import signal
import subprocess

from lib import base

RUN = base.ROOT / "conf/dev/run.sh"
# The first start migrates, which takes 5 s on a machine that is idle.
READY_S = 180


class Run:
    """One call of run.sh at a time, with VAR below the folder."""

    def __init__(self, folder, build=None):
        self.var = folder / "var"
        self.port, self.gateway_port = base.free_port(), base.free_port()
        self.build = build or base.build_dir()
        self.output = folder / "output"
        self.seed = None        # a VAR/data to begin with, of a server that is stopped
        self.env = base.clean_env(
            PORT=str(self.port), GATEWAY_PORT=str(self.gateway_port),
            VAR=str(self.var), O=str(self.build))
        self.process = None

    def start(self, ready=True):
        if ready and self.seed and not (self.var / "data").exists():
            self.var.mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", self.seed, self.var / "data"],
                           check=True)
        with open(self.output, "wb") as output:
            self.process = base.spawn(["bash", RUN], stdout=output,
                                      stderr=output, env=self.env)
        if ready:
            base.wait_until(self.is_ready, READY_S, "run.sh to be ready")
        return self

    def is_ready(self):
        assert self.process.poll() is None, self.said()
        return "Ctrl-C stops everything" in self.said()

    def said(self):
        return self.output.read_text(errors="replace")

    def ended(self, timeout_s=60):
        """Its status.  Each of three children has 10 s to end; what is over
        that is for a machine that is busy."""
        return self.process.wait(timeout_s)

    def children(self):
        """Every process that has this VAR in its command or environment."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                with open(f"/proc/{entry}/environ", "rb") as f:
                    environ = f.read()
                with open(f"/proc/{entry}/cmdline", "rb") as f:
                    command = f.read()
            except OSError:
                continue
            if not command:
                continue        # a zombie, whom only its parent can bury
            mark = str(self.var).encode()
            if mark in environ or mark in command:
                found.append((int(entry), command.replace(b"\0", b" ")))
        return found

    def pid_of(self, what):
        return next(pid for pid, command in self.children()
                    if what in command.decode()
                    and not command.startswith((b"setsid", b"setpriv")))

    def gone(self):
        try:
            base.wait_until(lambda: not self.children(), 10)
        except AssertionError:
            raise AssertionError(f"still there: {self.children()}") from None

    def close(self):
        if self.process:
            base.end(self.process)
        for pid, _ in self.children():
            os.kill(pid, signal.SIGKILL)
        left = self.var / "socket-dir"
        if left.exists():
            base.remove(left.read_text().strip())

    def setting(self, name):
        text = (self.var / "latchkey.env").read_text()
        return next(line.split("=", 1)[1].strip("'")
                    for line in text.splitlines()
                    if line.startswith(f"LATCHKEY_{name}="))
