"""Speeds, as ratios in one run: `make bench`.  About a minute on two cores,
which portal, database and load share; so a figure says how much of the machine
is left for one thing beside another, and not what a larger machine could do."""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import base, flows  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.server import Server  # noqa: E402

SECONDS = 5
ROUNDS = 2
CONNECTIONS = 32
SIGN_INS = 8
UNITS = {"us": 1, "ms": 1000, "s": 1000000}


def wrk(url, headers=(), seconds=SECONDS, connections=CONNECTIONS):
    """Requests a second and the 50th and 99th percentile in microseconds."""
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for header in headers:
        argv += ["-H", header]
    text = subprocess.run(argv + [url], text=True, capture_output=True,
                          check=True).stdout
    assert "Non-2xx" not in text, text
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])

    def percentile(which):
        number, unit = re.search(rf"{which}%\s+([\d.]+)(us|ms|s)", text).groups()
        return float(number) * UNITS[unit]
    return rate, percentile(50), percentile(99)


def best(runs):
    """What else the machine does only ever makes it slower."""
    return max(run[0] for run in runs), *(min(run[i] for run in runs)
                                          for i in (1, 2))


class PgBench:
    """PostgreSQL's own load program: primary-key reads a second."""

    def __init__(self, cluster):
        cluster.sql_super("CREATE DATABASE pgbench")
        self.where = ["-h", cluster.socket, "-U", "postgres", "pgbench"]
        self.run("-i", "-q", "-s", "1")

    def run(self, *arguments):
        return subprocess.run(["pgbench", *arguments, *self.where], check=True,
                              capture_output=True, text=True, cwd="/",
                              env=base.clean_env()).stdout

    def rate(self):
        text = self.run("-M", "prepared", "-S", "-n", "-c", "16", "-j", "2",
                        "-T", str(SECONDS))
        return float(re.search(r"tps = ([\d.]+)", text)[1]), 0, 0


def pss_mib(server):
    """Memory of the portal's processes, shared pages divided among them."""
    total = 0
    for pid in [server.portal.pid] + server.workers():
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return total / 1024


class SignIns:
    """So many people who sign in without a pause, each with an account and a
    browser that is known for it, so that no throttle is in the way.  They may
    begin and end several times."""

    def __init__(self, server):
        self.done = 0
        self.stop = False
        self.people = [self.form(flows.contact(server))
                       for _ in range(SIGN_INS)]
        self.threads = []

    @staticmethod
    def form(browser):
        flows.sign_out(browser)
        form = browser.get("/signin").expect(200).form("/signin")
        return browser, dict(browser.cookies), dict(
            form.fields, email=browser.email, password=flows.PASSWORD)

    def run(self, browser, cookies, fields):
        while not self.stop:
            browser.cookies = dict(cookies)
            answer = browser.post("/signin", fields)
            if answer.status == 303:
                self.done += 1
            elif answer.status != 503:
                raise AssertionError(answer)

    def __enter__(self):
        self.stop = False
        self.threads = [threading.Thread(target=self.run, args=person)
                        for person in self.people]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        for thread in self.threads:
            thread.join()


def row(what, rate, p50, p99, **ratios):
    text = "  ".join(f"{value:.2f} of {name}"
                     for name, value in ratios.items())
    latency = f"{p50 / 1000:8.2f} {p99 / 1000:8.2f}" if p50 else " " * 17
    print(f"{what:34} {rate:10,.0f} {latency}   {text}", flush=True)


def expect(what, ok, text):
    print(f"{'good' if ok else 'POOR':5} {what}: {text}")


def main():
    started = time.monotonic()
    cluster = Cluster(base.build_dir(), in_memory=False)
    server = None
    try:
        server = Server(cluster, workers=2,
                        settings={"MODE": "development", "LOG_LEVEL": "warn"})
        browser = flows.client_with_key(server)[0]
        cookie = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
        signed_in = [f"Cookie: {cookie}"]
        url = server.url.replace("localhost", "127.0.0.1")

        people = SignIns(server)
        reads = PgBench(cluster)
        rounds = [(wrk(url + "/livez"), reads.rate(), wrk(url + "/signin"),
                   wrk(url + "/profile", signed_in)) for _ in range(ROUNDS)]
        live, tps, form, quiet = map(best, zip(*rounds))
        print(f"{'best of ' + str(ROUNDS) + ' rounds':34} {'a second':>10} "
              f"{'p50 ms':>8} {'p99 ms':>8}")
        row("/livez, no database", *live)
        row("pgbench -M prepared -S", *tps, livez=tps[0] / live[0])
        row("/signin, a template", *form, livez=form[0] / live[0])
        row("/profile, session and data", *quiet, livez=quiet[0] / live[0],
            pgbench=quiet[0] / tps[0])
        with people:
            busy = wrk(url + "/profile", signed_in)
            memory = pss_mib(server)
            signed = people.done / SECONDS
        row(f"/profile beside {SIGN_INS} sign-ins", *busy,
            quiet=busy[0] / quiet[0])
        print()
        expect("/profile", quiet[0] / live[0] >= 0.35
               or quiet[0] / tps[0] >= 0.5,
               f"{quiet[0] / live[0]:.2f} of /livez (0.35 or more), "
               f"{quiet[0] / tps[0]:.2f} of pgbench (0.50 or more)")
        expect("p99 of /profile", busy[2] <= 5 * quiet[2],
               f"beside {signed:.0f} sign-ins a second "
               f"{busy[2] / quiet[2]:.1f} times that without (5 or less)")
        expect("memory", memory < 40 + 20 * 2,
               f"{memory:.1f} MiB PSS under that load, all processes "
               "(80 or less with 2 hash threads)")
        print(f"took {time.monotonic() - started:.0f} s")
    finally:
        if server:
            server.close()
        cluster.close()


if __name__ == "__main__":
    main()
