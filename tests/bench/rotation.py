"""Keys sealed and opened a second, and new master and data keys for 100,000
subscriptions while /profile is asked: `make bench-rotation`, two minutes.  The
rate of /profile beside the rotation and without it is taken in turn."""

import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import best, expect, wrk  # noqa: E402
from lib import base, flows  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.server import Server  # noqa: E402

SUBSCRIPTIONS = 100_000
ROUNDS = 3
LEAST = 0.7
FILL = """
SET session_replication_role = replica;
INSERT INTO tenant (id, code, name, name_folded, slug)
    SELECT g::text::uuid, 'T' || n, 'Tenant ' || n, 'tenant ' || n, 't-' || n
    FROM (SELECT n, lpad(to_hex(n), 32, '0') g
    FROM generate_series(1, %(n)s) n) x;
INSERT INTO subscription (id, tenant_id, product_id, one_key, name)
    SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    lpad(to_hex(n + 1), 32, '0')::uuid, (SELECT id FROM product LIMIT 1), true,
    'Tenant ' || n || '-KEY' FROM generate_series(0, %(n)s - 1) n;
"""


def fill(server):
    rows = subprocess.Popen(
        [base.build_dir() / "tests/bench/seal_rate", "rows",
         str(SUBSCRIPTIONS)], env=base.clean_env(**server.settings),
        stdout=subprocess.PIPE, text=True)
    connection = server.cluster.connect(server.database)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"n": SUBSCRIPTIONS})
        cursor.copy_expert(
            "COPY subscription_key (id, subscription_id, slot, sealed, mac, "
            "prefix_mac, mac_version, last4) FROM STDIN", rows.stdout)
        assert rows.wait() == 0
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def start(server, *words):
    return subprocess.Popen([server.build / "latchkeyctl", *words],
                            env=base.clean_env(**server.settings), text=True,
                            stdout=subprocess.PIPE)


def moved(server):
    return server.sql("SELECT count(*) FROM subscription_key WHERE "
                      "data_version = (SELECT max(data_version) FROM "
                      "sealed_key)")[0][0]


def main():
    started = time.monotonic()
    subprocess.run(["make", "--no-print-directory",
                    f"O={base.build_dir()}",
                    f"{base.build_dir()}/tests/bench/seal_rate"], check=True,
                   cwd=base.ROOT, stdout=subprocess.DEVNULL)
    cluster = Cluster(base.build_dir())
    server = None
    try:
        server = Server(cluster, workers=2, settings={"LOG_LEVEL": "warn"})
        browser = flows.client_with_key(server)[0]
        cookie = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
        headers = [f"Cookie: {cookie}"]
        url = server.url.replace("localhost", "127.0.0.1") + "/profile"
        sealed, opened = subprocess.run(
            [base.build_dir() / "tests/bench/seal_rate", "speed"], check=True,
            env=base.clean_env(**server.settings), text=True,
            capture_output=True).stdout.split()
        print(f"a second: {int(sealed):,} keys sealed, {int(opened):,} opened")
        fill(server)
        total = server.sql("SELECT count(*) FROM subscription_key")[0][0]
        print(f"{SUBSCRIPTIONS:,} subscriptions, {total:,} keys after "
              f"{time.monotonic() - started:.0f} s", flush=True)

        before = time.monotonic()
        out = start(server, "master-key", "rotate").communicate()[0]
        assert "sealed" in out, out
        print(f"master key: {time.monotonic() - before:.1f} s until every "
              "worker had it and the keys stood on it", flush=True)

        quiet, busy, rates = [], [], []
        for _ in range(ROUNDS):
            quiet.append(wrk(url, headers))
            process = start(server, "data-key", "rotate")
            base.wait_until(lambda: 0 < moved(server) < total, 60,
                            "it begins")
            at, then = moved(server), time.monotonic()
            busy.append(wrk(url, headers))
            assert process.poll() is None, "it was over too soon"
            rates.append((moved(server) - at) / (time.monotonic() - then))
            out = process.communicate()[0]
            assert process.returncode == 0, out
            alone = re.findall(r"(\d+) a second", out)[-1]
        ratio = best(busy)[0] / best(quiet)[0]
        print(f"data key: {int(alone):,} rows a second in all, "
              f"{max(rates):,.0f} while /profile is asked")
        print(f"/profile: {best(quiet)[0]:,.0f} a second without, "
              f"{best(busy)[0]:,.0f} beside it")
        expect("/profile beside a new data key", ratio >= LEAST,
               f"{ratio:.2f} of its rate without ({LEAST} or more)")
        print(f"took {time.monotonic() - started:.0f} s")
        return 0 if ratio >= LEAST else 1
    finally:
        if server:
            server.close()
        cluster.close()


if __name__ == "__main__":
    sys.exit(main())
