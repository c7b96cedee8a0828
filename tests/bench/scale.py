"""The queue among a million requests and among ten thousand, in one run:
`make bench-scale`.  Three to five minutes on two cores, most of which is the
loading.  The two are asked in turn, so that what else the machine does shows in
both; what counts is how many times longer the large one takes."""

import base64
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
    }


def ask(browser, path):
    started = time.perf_counter()
    page = browser.get(path).expect(200)
    took = time.perf_counter() - started
    return took, page.text.count('<tr role="row" id="r-')


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
        for what in both[0][1]:
            times = [[], []]
            for turn in range(TURNS + 5):
                for place, (keeper, paths) in enumerate(both):
                    took, rows = ask(keeper, paths[what])
                    assert rows, f"{what}: nothing there"
                    if turn >= 5:
                        times[place].append(took * 1000)
            small, large = map(statistics.median, times)
            ratio = large / small
            poor += ratio > MOST
            print(f"{'good' if ratio <= MOST else 'POOR':5} {what:36} "
                  f"{small:9.1f} {large:9.1f}   {ratio:.2f}", flush=True)
        print(f"took {time.monotonic() - started:.0f} s")
    finally:
        for server in servers:
            server.close()
        cluster.close()
    return 1 if poor else 0


if __name__ == "__main__":
    sys.exit(main())
