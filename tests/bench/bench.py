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

SECONDS = 7
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


def pgbench(cluster):
    """Primary-key reads a second by PostgreSQL's own load program."""
    cluster.sql_super("CREATE DATABASE pgbench")
    where = ["-h", cluster.socket, "-U", "postgres", "pgbench"]
    user = base.server_user()
    as_user = ["setpriv", f"--reuid={user}", f"--regid={user}",
               "--init-groups", "--"] if user else []
    subprocess.run(as_user + ["pgbench", "-i", "-q", "-s", "1"] + where,
                   check=True, capture_output=True, cwd="/")
    done = subprocess.run(
        as_user + ["pgbench", "-M", "prepared", "-S", "-n", "-c", "16", "-j",
                   "2", "-T", str(SECONDS)] + where,
        check=True, capture_output=True, text=True, cwd="/")
    return float(re.search(r"tps = ([\d.]+)", done.stdout)[1])


def pss_mib(server):
    """Memory of the portal's processes, shared pages divided among them."""
    total = 0
    for pid in [server.portal.pid] + server.workers():
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return total / 1024


class SignIns:
    """So many people who sign in without a pause."""

    def __init__(self, server, email):
        self.done = 0
        self.stop = False
        self.threads = [threading.Thread(target=self.run,
                                         args=(server.client(), email))
                        for _ in range(SIGN_INS)]

    def run(self, client, email):
        form = client.get("/signin").expect(200).form("/signin")
        cookies = dict(client.cookies)
        fields = dict(form.fields, email=email, password=flows.PASSWORD)
        while not self.stop:
            client.cookies = dict(cookies)
            answer = client.post("/signin", fields)
            if answer.status == 303:
                self.done += 1
            elif answer.status != 503:
                raise AssertionError(answer)

    def __enter__(self):
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


def main():
    started = time.monotonic()
    cluster = Cluster(base.build_dir())
    server = None
    try:
        server = Server(cluster, workers=2,
                        settings={"MODE": "development", "LOG_LEVEL": "warn"})
        browser = flows.client_with_key(server)[0]
        cookie = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
        signed_in = [f"Cookie: {cookie}"]
        url = server.url.replace("localhost", "127.0.0.1")

        print(f"{'':34} {'a second':>10} {'p50 ms':>8} {'p99 ms':>8}")
        live = wrk(url + "/livez")
        row("/livez, no database", *live)
        tps = pgbench(cluster)
        row("pgbench -M prepared -S", tps, 0, 0, livez=tps / live[0])
        form = wrk(url + "/signin")
        row("/signin, a template", *form, livez=form[0] / live[0])
        quiet = wrk(url + "/profile", signed_in)
        row("/profile, session and data", *quiet, livez=quiet[0] / live[0],
            pgbench=quiet[0] / tps)
        with SignIns(server, browser.email) as people:
            busy = wrk(url + "/profile", signed_in)
            memory = pss_mib(server)
            signed = people.done / SECONDS
        row(f"/profile beside {SIGN_INS} sign-ins", *busy,
            quiet=busy[0] / quiet[0])
        print(f"\np99 of /profile beside sign-ins: {busy[2] / quiet[2]:.1f} "
              f"times that without ({signed:.0f} sign-ins a second)\n"
              f"memory under that load: {memory:.1f} MiB PSS, portal and 2 "
              "workers with a hash thread each\n"
              f"took {time.monotonic() - started:.0f} s")
    finally:
        if server:
            server.close()
        cluster.close()


if __name__ == "__main__":
    main()
