"""What a check costs, and how soon a change is in force in every worker."""

import base64
import contextlib
import re
import signal
import subprocess
import sys
import time

import pytest

from lib import base, flows, issued
from lib.base import ROOT
from lib.gateway import KEY, Gateway

sys.path.insert(0, str(ROOT / "tests/apiusers"))
from world import Client, password_on  # noqa: E402

PATH = "/billing/api/v1/contacts"
CHANGES = 1000
# What is changed, and the answer before it is changed back.
KINDS = {
    "suspension": (
        "suspended", "UPDATE subscription SET state = 'suspended'",
        "UPDATE subscription SET state = 'active'"),
    "revocation": (
        # What is revoked stays so: another row of the same value comes.
        "unknown_key", "UPDATE subscription_key SET state = 'ended', ends_at "
        "= now()", "WITH gone AS (DELETE FROM subscription_key RETURNING *) "
        "INSERT INTO subscription_key (id, subscription_id, slot, sealed, "
        "mac, prefix_mac, mac_version, last4) SELECT gen_random_uuid(), "
        "subscription_id, slot, sealed, mac, prefix_mac, mac_version, last4 "
        "FROM gone"),
    "rotation": (
        "bad_api_user", "UPDATE api_user_password SET state = 'ended', "
        "ends_at = now()", "UPDATE api_user_password SET state = 'current', "
        "ends_at = NULL"),
    "permission": (
        "not_permitted", "DELETE FROM api_role_grant WHERE operation = 'GET'",
        "INSERT INTO api_role_grant (role_id, tenant_id, resource_id, "
        "operation) SELECT r.id, r.tenant_id, p.id, 'GET' FROM api_role r, "
        "product_resource p WHERE p.path = '" + PATH + "'"),
    "disabling": (
        "api_user_disabled", "UPDATE api_user SET state = 'disabled'",
        "UPDATE api_user SET state = 'enabled'"),
}


class Caller:
    """A client's key and API user."""

    def __init__(self, server):
        client = Client(server, flows.staff(server))
        password = password_on(client.make("SPEED").expect(200))
        login = f"SPEED@{client.code}:{password}".encode()
        server.sql("UPDATE product SET calls_a_minute = 1000000, "
                   "user_calls_a_minute = 1000000")
        self.key = flows.show_key(client.owner)
        self.basic = f"Basic {base64.b64encode(login).decode()}"

    def ask(self, ear):
        return ear.check(self.key, uri=PATH,
                         headers=[("Authorization", self.basic)])


def measure(server, ask, kinds, changes):
    """From the commit until the last of twelve connections, which all workers
    have some of, gets the new answer; over all kinds of change."""
    ears = [Gateway(server) for _ in range(12)]
    for ear in ears:
        base.wait_until(lambda ear=ear: ask(ear) == "allowed", 5,
                        "the key to be known")
    took = {kind: [] for kind in kinds}
    with contextlib.closing(server.cluster.connect(server.database)) as db:
        db.autocommit = True
        with db.cursor() as cursor:
            for turn in range(changes // 2):
                kind = list(kinds)[turn % len(kinds)]
                denied, change, back = kinds[kind]
                for sql, code in ((change, denied), (back, "allowed")):
                    cursor.execute(sql)
                    began = time.monotonic()
                    for ear in ears:
                        while (got := ask(ear)) != code:
                            assert time.monotonic() - began < 5, (kind, got)
                    took[kind].append((time.monotonic() - began) * 1000)
    for ear in ears:
        ear.close()
    everything = sorted(sum(took.values(), []))
    assert len(everything) == changes
    for kind, times in [*took.items(), ("all", everything)]:
        times = sorted(times)
        print(f"{kind}, {len(times)} changes, in ms: "
              f"p50 {times[len(times) // 2]:.1f}, "
              f"p99 {times[len(times) * 99 // 100]:.1f}, "
              f"maximum {times[-1]:.1f}")
    # Twelve answers one after the other are in each; the machine may be busy,
    # so the figures are for reading.


@pytest.mark.alone
def test_a_change_is_heard_by_all_workers(make_server):
    server = make_server(workers=2)
    measure(server, Caller(server).ask, KINDS, CHANGES)


# The same of a key that was issued.
ISSUED_KINDS = {
    "deactivation": (
        "key_inactive", "UPDATE issued_key SET state = 'inactive' "
        "WHERE state = 'active'", "UPDATE issued_key SET state = 'active' "
        "WHERE state = 'inactive'"),
    "revocation": (
        # Another key of the same value comes.
        "key_revoked", "UPDATE issued_key SET state = 'revoked' "
        "WHERE state = 'active'",
        "INSERT INTO issued_key (id, subscription_id, name, name_folded, "
        "maker_id, state) SELECT gen_random_uuid(), subscription_id, name, "
        "name_folded, maker_id, 'active' FROM issued_key LIMIT 1; "
        "INSERT INTO issued_key_scope SELECT k.id, c.id FROM issued_key k, "
        "product_scope c WHERE k.state = 'active'; "
        "WITH gone AS (DELETE FROM subscription_key WHERE key_id IS NOT NULL "
        "RETURNING *) INSERT INTO subscription_key (id, subscription_id, "
        "key_id, mac, prefix_mac, mac_version, last4) SELECT "
        "gen_random_uuid(), gone.subscription_id, k.id, mac, prefix_mac, "
        "mac_version, last4 FROM gone, issued_key k "
        "WHERE k.state = 'active'"),
    "its maker's loss": (
        "not_permitted", "UPDATE membership SET role = 'member'",
        "UPDATE membership SET role = 'owner'"),
    "its scopes": (
        "not_permitted", "DELETE FROM issued_key_scope",
        "INSERT INTO issued_key_scope SELECT k.id, c.id FROM issued_key k, "
        "product_scope c WHERE k.state = 'active'"),
}


@pytest.mark.alone
def test_a_change_of_an_issued_key_is_heard_by_all_workers(make_server):
    server = make_server(workers=2)
    flows.client_with_key(server, "STUDIO", "My Studio")
    issued.product(server, "people", "user-key")
    text = issued.Key(server, flows.subscribe(server, "STUDIO", "people"),
                      "ca", "speed", ["read:customer"]).text
    server.sql("UPDATE product SET key_calls_a_minute = 1000000")

    def ask(ear):
        return ear.ask("/check/envoy" + issued.CUSTOMERS, headers=[
            ("X-Api-Key", text), ("X-Tenant-Name", server.slug)]
        ).headers["x-latchkey-code"] or "allowed"
    server.slug = server.sql("SELECT slug FROM tenant")[0][0]
    measure(server, ask, ISSUED_KINDS, 200)


@pytest.mark.alone
def test_system_calls_of_a_hit(make_server, build, folder):
    """A hit waits for the network, reads and writes; nothing else.  What a
    worker does by the clock beside it is a call or two in a hundred hits."""
    if b"__asan_init" in (build / "latchkey").read_bytes():
        pytest.skip("AddressSanitizer makes system calls of its own, which "
                    "would be counted")
    server = make_server(workers=1)
    caller = Caller(server)
    with contextlib.closing(Gateway(server)) as ear:
        base.wait_until(lambda: caller.ask(ear) == "allowed", 5, "the key")
    script = folder / "call.lua"
    script.write_text(
        f'wrk.path = "/check"\n'
        f'wrk.headers["{KEY}"] = "{caller.key}"\n'
        f'wrk.headers["Authorization"] = "{caller.basic}"\n'
        f'wrk.headers["X-Forwarded-Method"] = "GET"\n'
        f'wrk.headers["X-Forwarded-Uri"] = "{PATH}"\n')
    counted = folder / "calls"
    with subprocess.Popen(
            ["wrk", "-t1", "-c32", "-d60s", "-s", str(script),
             f"http://127.0.0.1:{server.gateway_port}"],
            stdout=subprocess.DEVNULL) as load:
        try:
            with subprocess.Popen(
                    ["strace", "-c", "-o", str(counted), "-p",
                     str(server.workers()[0])],
                    stderr=subprocess.PIPE, text=True) as trace:
                # What stands here is longer than the connections take.
                assert "attached" in trace.stderr.readline()
                time_s = time.monotonic() + 3
                base.wait_until(lambda: time.monotonic() > time_s, 10)
                trace.send_signal(signal.SIGINT)
                trace.wait(10)
        finally:
            load.kill()
    found = {name: int(n) for n, name in re.findall(
        r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)(?:\s+\d+)?\s+(\w+)$",
        counted.read_text(), re.M) if name != "total"}
    answers = found.get("sendto", 0) + found.get("write", 0)
    assert answers > 500, found
    each = sum(found.values()) / answers
    print(f"{each:.2f} system calls a hit: {found}")
    others = sum(n for name, n in found.items() if name not in (
        "epoll_wait", "recvfrom", "read", "sendto", "write"))
    assert others < answers / 20
    assert each < 3.2
