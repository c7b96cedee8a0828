"""Figures of the gateway check, as ratios in one run: `make bench-gateway`.
About eight minutes on two cores, which portal, database, nginx and load share;
the first of them fills a database with a million keys.  The two of a ratio are
asked in turn with the same requests, in slices of some seconds, and the ratio is
the median of those of neighbours: so what else the machine does meanwhile meets
both, and a good moment of one of them counts for nothing."""

import http.client
import itertools
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import bench  # noqa: E402
from gateway_world import call, fill, number, write_calls, zipf  # noqa: E402
from lib import base  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.redis import Redis  # noqa: E402
from lib.server import Peer, Server  # noqa: E402

KEYS = int(os.environ.get("BENCH_KEYS", "1000000"))
SMALL = 10_000
CACHE = 100_000
EXPONENT = 1.0
DRAWN, LISTS = 100_000, 8
STARTS = 3
PAIRS = 6
LEAD_S, SLICE_S = 1, 3
CONNECTIONS = 32
REVOKE_FROM = KEYS - 100_000 if KEYS > 200_000 else KEYS // 2
PLAIN = ("X-Forwarded-Method", "X-Forwarded-Uri")
LUA = str(Path(__file__).resolve().parent / "check.lua")
NGINX = """daemon off;
{user}
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
	access_log off;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	keepalive_requests 1000000000;
	upstream api {{ server 127.0.0.1:{api}; keepalive 64;
		keepalive_requests 1000000000; }}
	server {{ listen 127.0.0.1:{api};
		location / {{ return 200 "ok"; }} }}
	server {{ listen 127.0.0.1:{constant};
		location / {{ return 204; }} }}
	{fronts}
}}
"""
FRONT = """upstream asked{n} {{ server 127.0.0.1:{asked}; keepalive 64;
		keepalive_requests 1000000000; }}
	server {{
		listen 127.0.0.1:{port};
		proxy_http_version 1.1;
		location / {{
			auth_request /ask;
			auth_request_set $tenant $upstream_http_x_latchkey_tenant;
			proxy_set_header X-Latchkey-Tenant $tenant;
			proxy_set_header Connection "";
			proxy_pass http://api;
		}}
		location = /ask {{
			internal;
			proxy_pass http://asked{n}/check/nginx;
			proxy_set_header Connection "";
			proxy_pass_request_body off;
			proxy_set_header Content-Length "";
			proxy_set_header X-Original-Method $request_method;
			proxy_set_header X-Original-URI $request_uri;
		}}
	}}
"""


def load(port, calls, target, headers=PLAIN, delay=0,
         connections=CONNECTIONS, seconds=SLICE_S):
    """Requests a second, and the 50th and 99th percentile in microseconds."""
    text = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s",
         LUA, f"http://127.0.0.1:{port}", "--", str(calls), target, *headers,
         str(delay)], text=True, capture_output=True, check=True).stdout
    assert "Non-2xx" not in text and "Socket errors" not in text, text
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
            *(float(found[0]) * bench.UNITS[found[1]] for found in (
                re.search(rf"{which}%\s+([\d.]+)(us|ms|s)", text).groups()
                for which in (50, 99))))


class Nginx:
    """One front that asks Latchkey, and one that asks a constant 204."""

    def __init__(self, folder, gateway_port):
        self.ports = [base.free_port() for _ in range(2)]
        api, constant = base.free_port(), base.free_port()
        fronts = "".join(FRONT.format(n=n, asked=asked, port=port)
                         for n, (asked, port) in enumerate(
                             zip((gateway_port, constant), self.ports)))
        (folder / "nginx.conf").write_text(NGINX.format(
            dir=folder, api=api, constant=constant, fronts=fronts,
            user="user www-data;" if os.getuid() == 0 else ""))
        with open(folder / "start.log", "ab") as log:
            self.process = base.spawn(
                ["/usr/sbin/nginx", "-p", str(folder), "-c",
                 str(folder / "nginx.conf"), "-e", str(folder / "start.log")],
                stdout=log, stderr=log, env=base.clean_env())
        base.wait_until((folder / "nginx.pid").exists, 10, "nginx")


class Revocations:
    """One by one, as fast as the primary does them, 1,000 a second at most:
    keys that nobody calls with."""

    def __init__(self, server):
        self.server, self.done, self.stop = server, 0, False
        self.thread = None

    def run(self):
        connection = self.server.cluster.connect(self.server.database)
        connection.autocommit = True
        before, started = self.done, time.monotonic()
        with connection.cursor() as c:
            while not self.stop:
                c.execute("UPDATE subscription_key SET state = 'ended', "
                          "ends_at = now() WHERE id = %s",
                          (number("ba", REVOKE_FROM + self.done),))
                assert c.rowcount == 1
                self.done += 1
                ahead = (self.done - before) / 1000 - (
                    time.monotonic() - started)
                if ahead > 0:
                    time.sleep(ahead)
        connection.close()

    def __enter__(self):
        self.stop = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()


def warm(port, calls, wanted):
    """Until each of the workers was asked for all of it, or most."""
    asked = 0
    for _ in range(20):
        asked += 3 * load(port, calls, "/check", seconds=3)[0]
        if asked >= wanted:
            break


def ask(port, key):
    uri, text, basic = call(key)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/check", headers={
            "X-Forwarded-Method": "GET", "X-Forwarded-Uri": uri,
            "Ocp-Apim-Subscription-Key": text,
            "Authorization": f"Basic {basic}"})
        status = connection.getresponse().status
        connection.close()
        return status
    except OSError:
        return None


def start_s(server):
    server.stop_portal()
    started = time.monotonic()
    server.start_portal(wait=False)
    while ask(server.gateway_port, KEYS // 2) != 200:
        assert time.monotonic() - started < 60, server.raw_log()[-2000:]
    took = time.monotonic() - started
    server.wait_ready()
    return took


def slice_of(run):
    """What a call leaves to be written a second later is paid for by calls of
    the same kind: the first second's by those that are measured."""
    run(seconds=LEAD_S)
    return run(seconds=SLICE_S)


def in_turn(one, other):
    """The results of both, pair by pair, in an order that changes."""
    pairs = []
    for turn in range(PAIRS):
        if turn % 2 == 0:
            pairs.append((slice_of(one), slice_of(other)))
        else:
            pairs.append((slice_of(other), slice_of(one))[::-1])
    return pairs


def median_of(pairs, which, column):
    return statistics.median(pair[which][column] for pair in pairs)


def ratios_of(pairs, column):
    """One by other: the median, and all of them as text."""
    ratios = sorted(one[column] / other[column] for one, other in pairs)
    return statistics.median(ratios), f"pairs {ratios[0]:.2f} to {ratios[-1]:.2f}"


def say(good, what, value, wanted, *facts):
    print(f"{'good' if good else 'POOR':5} {what:44} {value:>6}  {wanted:14} "
          + ", ".join(facts), flush=True)
    return not good


def show(pairs, which):
    return (f"{median_of(pairs, which, 0):,.0f}/s p99 "
            f"{median_of(pairs, which, 2) / 1000:.2f} ms")


def compare(what, least, runs, names):
    pairs = in_turn(*runs)
    ratio, spread = ratios_of(pairs, 0)
    return say(ratio >= least, what, f"{ratio:.2f}", f"({least} or more)",
               spread, *(f"{name} {show(pairs, which)}"
                         for which, name in enumerate(names)))


def busy(server, calls, rate):
    """p99 at half load: quiet, and beside sign-ins and revocations."""
    port, connections = server.gateway_port, 1
    delay = 4
    while connections < 256 and connections < rate / 2 * (delay + 1) / 1000:
        connections += 1

    people, revoked = bench.SignIns(server), Revocations(server)
    disturbed_s = 0

    def half(seconds):
        return load(port, calls, "/check", delay=delay,
                    connections=connections, seconds=seconds)

    def disturbed(seconds):
        nonlocal disturbed_s
        began = time.monotonic()
        with people, revoked:
            result = half(seconds)
            disturbed_s += time.monotonic() - began
        return result
    pairs = in_turn(disturbed, half)
    times, spread = ratios_of(pairs, 2)
    return say(times <= 3, "p99 at half load, busy against quiet",
               f"{times:.1f}", "(3 or less)", spread,
               f"busy {show(pairs, 0)}", f"quiet {show(pairs, 1)}",
               f"{people.done / disturbed_s:.0f} sign-ins/s",
               f"{revoked.done / disturbed_s:.0f} revocations/s")


def shared(server, calls):
    """A second portal, whose limits Redis counts: the key's minute and the API
    user's; and one whose Redis is away."""
    redis, peers = Redis(), []
    try:
        peers = [Peer(server, REDIS_URL=url, REDIS_WAIT_MS=1000)
                 for url in (redis.unix_url(), "unix:/nowhere")]
        for peer in peers:
            warm(peer.gateway_port, calls, 10 * SMALL)
        count = redis.calls()
        poor = compare(
            "/check, limits counted by Redis, against here", 0.3,
            [lambda seconds, p=p: load(p.gateway_port, calls, "/check",
                                       seconds=seconds)
             for p in (peers[0], server)], ("Redis", "here"))
        count = redis.calls() - count
        assert count > 1000, count
        poor += compare(
            "the same with Redis away", 0.85,
            [lambda seconds, p=p: load(p.gateway_port, calls, "/check",
                                       seconds=seconds)
             for p in (peers[1], server)], ("away", "here"))
        print(f"      the script takes {redis.script_us():.1f} us of Redis")
        assert not any(line["event"] == "redis_away"
                       for line in peers[0].log())
        return poor
    finally:
        for peer in peers:
            peer.close()
        redis.close()


def memory(build):
    text = subprocess.run([build / "tests/gateway/cache_test"], text=True,
                          capture_output=True, check=True)
    found = int(re.search(r"(\d+) bytes a key", text.stdout + text.stderr)[1])
    return say(found <= 400, "bytes a cached key with its API user", found,
               "(400 or less)")


def main():
    started = time.monotonic()
    cluster, server, nginx, poor = Cluster(base.build_dir()), None, None, 0
    folder = base.temp_dir("bench")
    folder.chmod(0o755)
    try:
        server = Server(cluster, workers=2, settings={
            "MODE": "development", "LOG_LEVEL": "warn",
            "GATEWAY_CACHE": CACHE})
        fill(server, KEYS)
        print(f"{KEYS:,} keys loaded in {time.monotonic() - started:.0f} s",
              flush=True)
        few = folder / "few"
        many = [folder / f"many{n}" for n in range(LISTS)]
        write_calls(few, range(SMALL))
        drawn = zipf(REVOKE_FROM, LISTS * DRAWN, EXPONENT)
        for n, path in enumerate(many):
            write_calls(path, drawn[n * DRAWN:(n + 1) * DRAWN])
        port = server.gateway_port
        took = min(start_s(server) for _ in range(STARTS))
        poor += say(took <= 2, "seconds from start to the first right check",
                    f"{took:.2f}", "(2 or less)")
        poor += memory(server.build)
        warm(port, few, 10 * SMALL)
        poor += compare(
            "/check, 10,000 keys, against a constant 200", 0.75,
            [lambda seconds, to=to: load(port, few, to, seconds=seconds)
             for to in ("/check", "/livez")], ("check", "constant"))
        poor += shared(server, few)
        rate = load(port, few, "/check")[0]
        nginx = Nginx(folder, port)
        poor += compare(
            "nginx, Latchkey against a constant 204", 0.9,
            [lambda seconds, port=port: load(port, few, "=", ("-", "-"),
                                             seconds=seconds)
             for port in nginx.ports],
            ("Latchkey", "constant"))
        base.end(nginx.process)
        nginx = None
        poor += busy(server, few, rate)
        for path in many * 2:
            load(port, path, "/check")
        poor += compare(
            f"/check, {KEYS:,} keys, cache of {CACHE:,}, Zipf", 0.6,
            # Each slice asks what follows, and not what it asked before.
            [lambda seconds, to=to, turn=itertools.cycle(many): load(
                port, next(turn), to, seconds=seconds)
             for to in ("/check", "/livez")], ("check", "constant"))
        print(f"took {time.monotonic() - started:.0f} s")
    finally:
        if nginx:
            base.end(nginx.process)
        if server:
            server.close()
        cluster.close()
        base.remove(folder)
    return 1 if poor else 0


if __name__ == "__main__":
    sys.exit(main())
