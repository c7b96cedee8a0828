"""A Redis of a test's own: Debian's redis-server, on a free port of loopback and
on a Unix socket, with a password."""

import re
import signal
import subprocess

from lib import base

PASSWORD = "a long password"


class Redis:
    def __init__(self):
        self.dir = base.temp_dir("redis")
        self.port = base.free_port()
        self.socket = self.dir / "socket"
        self.process = None
        self.start()

    def url(self, password=PASSWORD):
        return (f"redis://:{password.replace(' ', '%20')}@localhost:"
                f"{self.port}/2")

    def unix_url(self):
        return f"unix://:{PASSWORD.replace(' ', '%20')}@{self.socket}?db=2"

    def start(self):
        with open(self.dir / "redis.log", "ab") as log:
            self.process = base.spawn(
                ["redis-server", "--port", str(self.port), "--unixsocket",
                 str(self.socket), "--unixsocketperm", "777", "--requirepass",
                 PASSWORD, "--save", "", "--appendonly", "no", "--dir",
                 str(self.dir)], stdout=log, stderr=log, env=base.clean_env())
        base.wait_until(self.answers, 20, "Redis")

    def answers(self):
        assert self.process.poll() is None, base.tail(self.dir / "redis.log")
        return self.ask("PING") == "PONG"

    def ask(self, *words):
        done = subprocess.run(
            ["redis-cli", "-p", str(self.port), "-n", "2", *words], text=True,
            capture_output=True, timeout=20,
            env=base.clean_env(REDISCLI_AUTH=PASSWORD))
        return done.stdout.strip()

    def _scripts(self):
        """Calls of a script, and the microseconds that they took."""
        line = re.search(r"^cmdstat_evalsha:calls=(\d+),usec=(\d+)",
                         self.ask("INFO", "commandstats"), re.M)
        return (int(line[1]), int(line[2])) if line else (0, 0)

    def calls(self):
        return self._scripts()[0]

    def script_us(self):
        calls, took = self._scripts()
        return took / calls

    def kill(self):
        process, self.process = self.process, None
        base.end(process, signal.SIGKILL)

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        if self.process:
            self.kill()
        base.remove(self.dir)
