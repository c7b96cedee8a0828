"""Figures of tokens: exchanges a second, and the check with a token beside that
with a key of a pair, in turn.  Half a minute, on the two cores that portal,
database and load share."""

import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import bench  # noqa: E402
from lib import base, flows, issued  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.server import Server  # noqa: E402

LEAST = 0.5
ROUNDS, SLICE_S, CONNECTIONS = 5, 2, 32
EXCHANGE = "/api/v1/auth/api-key/exchange"
LUA = str(Path(__file__).resolve().parent / "tokens.lua")


def load(server, *request):
    """A second, all of them right."""
    text = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SLICE_S}s", "-s", LUA,
         f"http://127.0.0.1:{server.gateway_port}", "--", *request], text=True,
        capture_output=True, check=True).stdout
    assert "Non-2xx" not in text and "Socket errors" not in text, text
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])


def token_of(server, key):
    text = subprocess.run(
        ["curl", "-s", f"http://127.0.0.1:{server.gateway_port}{EXCHANGE}",
         "-H", "Content-Type: application/json", "-d",
         json.dumps({"apiKey": key.text})], text=True, capture_output=True,
        check=True, env=base.clean_env()).stdout
    return json.loads(text)["data"]["token"]


def main():
    started = time.monotonic()
    cluster, server = Cluster(base.build_dir(), in_memory=False), None
    try:
        server = Server(cluster, workers=2)
        owner, _ = flows.client_with_key(server)
        pair = flows.show_key(owner)
        flows.client_with_key(server, "ACME", "Acme")
        issued.product(server, "psa-api", "exchange", {"/contacts": ["GET"]},
                       {"contacts:read": [("/contacts", "GET")]})
        key = issued.Key(server, flows.subscribe(
            server, "ACME", "psa-api"), "xk")
        server.sql("UPDATE product SET needs_api_user = false, "
                   "calls_a_minute = 1000000000, calls_a_day = NULL, "
                   "key_calls_a_minute = 1000000000")
        server.sql("INSERT INTO tenant_host SELECT 'acme.example', id FROM "
                   "tenant WHERE code = 'ACME'")
        body = json.dumps({"apiKey": key.text})
        token = token_of(server, key)
        asked = ["GET", "/check", "", "X-Forwarded-Method", "GET",
                 "X-Forwarded-Uri"]
        calls = {
            "pair": [*asked, "/contacts", "Ocp-Apim-Subscription-Key", pair],
            "token": [*asked, "/contacts", "Authorization",
                      f"Bearer {token}", "X-Revio-Host", "acme.example"],
        }
        exchanges = [load(server, "POST", EXCHANGE, body, "Content-Type",
                          "application/json") for _ in range(ROUNDS)]
        print(f"exchanges: {statistics.median(exchanges):,.0f} a second",
              flush=True)
        rates = {name: [] for name in calls}
        for _ in range(ROUNDS):
            for name, call in calls.items():
                rates[name].append(load(server, *call))
        ratio = statistics.median(
            t / p for t, p in zip(rates["token"], rates["pair"]))
        print(f"/check: {statistics.median(rates['token']):,.0f} a second "
              f"with a token, {statistics.median(rates['pair']):,.0f} with a "
              "key of a pair")
        bench.expect("/check with a token against a key of a pair",
                     ratio >= LEAST, f"{ratio:.2f} ({LEAST} or more)")
        print(f"took {time.monotonic() - started:.0f} s")
        return 0 if ratio >= LEAST else 1
    finally:
        if server:
            server.close()
        cluster.close()


if __name__ == "__main__":
    sys.exit(main())
