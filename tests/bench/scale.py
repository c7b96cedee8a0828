"""The queue and the search for people among a million requests and among ten
thousand, in one run: `make bench-scale`.  Four to six minutes on two cores,
most of which is the loading.  The two are asked in turn, so that what else the
machine does shows in both; what counts is how many times longer the large one
takes.  At the end the audit is given a million rows and exported: the portal's
memory may not grow."""

import base64
import re
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import base, flows  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.server import Server  # noqa: E402
from load.load import World, load  # noqa: E402

TURNS = 40
MOST = 3.0
SMALL = World(tenants=1_000, accounts=3_000, past=9_400, open=600)
LARGE = World()


def world_server(cluster, world):
    """A portal with it, and somebody of staff signed in; seconds it took."""
    server = Server(cluster, courier=False,
                    settings={"LOG_LEVEL": "warn", "WORKERS": "1"})
    started = time.monotonic()
    connection = cluster.connect(server.database)
    load(connection, world)
    connection.close()
    return server, flows.staff(server), time.monotonic() - started


def cursor(server, depth, standing):
    """Of the row that deep in the order in which it was sent."""
    at, number = server.sql(
        "SELECT (extract(epoch FROM submitted_at) * 1000000)::bigint, id::text"
        " FROM request WHERE standing = %s ORDER BY submitted_at, id"
        " OFFSET %s LIMIT 1", (standing, depth - 1))[0]
    return base64.urlsafe_b64encode(f"o.{at}.{number}".encode()
                                    ).decode().rstrip("=")


def pages(server, world):
    deep = min(50_000, world.open - 100)
    past = min(50_000, world.past // 4 - 100)
    return {
        "the first page": "/staff/queue",
        "the page 50,000 rows deep":
            f"/staff/queue?after={cursor(server, deep, 'us')}",
        "50,000 deep among the approved":
            "/staff/queue?state=approved&after="
            + cursor(server, past, "approved"),
        "search: a name":
            "/staff/queue?q=" + world.name(353).replace(" ", "+"),
        "search: an address": "/staff/queue?q=person777@",
        "search: a word in every twentieth name": "/staff/queue?q=granite",
        "search: two letters": "/staff/queue?q=gr",
        "by name, one product":
            "/staff/queue?state=any&sort=name&product=load-second",
        "the latest of all, overdue": "/staff/queue?overdue=1&sort=due",
        "people: a name": "/staff/people?q=zofia",
        "people: a client":
            "/staff/people?q=" + world.name(353).replace(" ", "+"),
        "people: how all addresses begin": "/staff/people?q=person",
        "people: one letter": "/staff/people?q=p",
    }


# What looks at as many rows as there are, and is told beside.
WHOLE = {
    "people: what all addresses hold": "/staff/people?q=.example",
    "times of a year's decisions": "/staff/times",
}
AUDIT_ROWS = 1_000_000
AUDIT = f"""
    SET session_replication_role = replica;
    INSERT INTO audit (at, tenant_id, actor_kind, actor_id, action,
        subject_kind, subject_id, detail)
      SELECT now() - ({AUDIT_ROWS} - n) * interval '1 minute', t.id,
        'system', NULL, 'key.shown', 'subscription', t.id,
        '{{"slot": "primary"}}'
      FROM generate_series(1, {AUDIT_ROWS}) AS n
      JOIN (SELECT id, row_number() OVER (ORDER BY id) AS k FROM tenant
        LIMIT 1000) AS t ON t.k = n %% 1000 + 1"""


def memory(server):
    """kB of all the portal's processes."""
    return sum(int(re.search(r"^Pss:\s+(\d+)", Path(
        f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])
               for pid in [server.portal.pid, *server.workers()])


def export(server, keeper):
    """All rows of the audit as CSV, read as fast as they come."""
    server.sql(AUDIT.replace("%%", "%"), role="postgres")
    keeper.get("/staff/audit/export?format=csv&tenant=NOBODY").expect(200)
    before = highest = memory(server)
    raw = server.raw(timeout_s=60)
    cookies = "; ".join(f"{k}={v}" for k, v in keeper.cookies.items())
    began = looked = time.monotonic()
    raw.send("GET /staff/audit/export?format=csv HTTP/1.1\n"
             f"Host: localhost:{server.port}\nCookie: {cookies}\n\n")
    size, lines, rest = 0, 0, b""
    while data := raw.socket.recv(1 << 20):
        size += len(data)
        lines += data.count(b"\r\n\"20")
        rest = (rest + data)[-16:]
        if time.monotonic() - looked > 0.3:
            looked = time.monotonic()
            highest = max(highest, memory(server))
    took = time.monotonic() - began
    raw.close()
    assert rest.endswith(b"\r\n0\r\n\r\n"), "it was cut off"
    # A row may begin in one read and end in the next, or a chunk before it.
    assert size > AUDIT_ROWS * 100 and lines > AUDIT_ROWS * 0.9
    print(f"export of {AUDIT_ROWS:,} audit rows: {took:.0f} s, "
          f"{size >> 20} MB, memory {before >> 10} MB before, "
          f"{highest >> 10} MB at most")
    return highest - before < 16 * 1024


def ask(browser, path):
    started = time.perf_counter()
    page = browser.get(path).expect(200)
    took = time.perf_counter() - started
    return took, page.text.count('<tr role="row"') - 1


def main():
    started = time.monotonic()
    cluster = Cluster(base.build_dir(), in_memory=False)
    servers, poor = [], 0
    try:
        both = []
        for world in (SMALL, LARGE):
            server, keeper, took = world_server(cluster, world)
            servers.append(server)
            both.append((keeper, pages(server, world)))
            print(f"{world.tenants:,} tenants, {world.accounts:,} accounts, "
                  f"{world.past + world.open:,} requests: {took:.0f} s",
                  flush=True)
        print(f"{'':42} {'10,000':>9} {'1,000,000':>9}   times\n"
              f"{'':42} {'ms':>9} {'ms':>9}")
        for what in [*both[0][1], *WHOLE]:
            times = [[], []]
            for turn in range(TURNS + 5):
                for place, (keeper, paths) in enumerate(both):
                    took, rows = ask(keeper, paths.get(what) or WHOLE[what])
                    assert rows, f"{what}: nothing there"
                    if turn >= 5:
                        times[place].append(took * 1000)
            small, large = map(statistics.median, times)
            ratio = large / small
            word = "" if what in WHOLE else \
                "good" if ratio <= MOST else "POOR"
            poor += word == "POOR"
            print(f"{word:5} {what:36} "
                  f"{small:9.1f} {large:9.1f}   {ratio:.2f}", flush=True)
        poor += not export(servers[1], both[1][0])
        print(f"took {time.monotonic() - started:.0f} s")
    finally:
        for server in servers:
            server.close()
        cluster.close()
    return 1 if poor else 0


if __name__ == "__main__":
    sys.exit(main())
