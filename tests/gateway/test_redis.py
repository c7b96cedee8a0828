"""Two portals on one database share their limits by Redis: exactly while it is
there, each by its share while it is not, and again when it is back."""

import json
import re
import threading

import pytest

from lib import base, flows
from lib.gateway import KEY, Gateway
from lib.redis import PASSWORD, Redis
from lib.server import Background, Peer, Server

MEMBER = re.compile(r'"([a-z-]+)";([qr])=(\d+);([wt])=(\d+)')
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (-?[0-9.]+)")
# A machine that is busy for a moment is no outage here.
WAIT_MS = "3000"


@pytest.fixture(scope="module")
def redis():
    one = Redis()
    yield one
    one.close()


@pytest.fixture(scope="module")
def server(cluster, redis):
    one = Server(cluster, workers=2, settings={
        "REDIS_URL": redis.url(), "REDIS_WAIT_MS": WAIT_MS})
    yield one
    one.close()


@pytest.fixture(scope="module")
def portals(server, redis):
    """Both, by name and by path, in use."""
    peer = Peer(server, REDIS_URL=redis.unix_url())
    server.sql("UPDATE product SET needs_api_user = false, "
               "calls_a_minute = 1000000, calls_a_day = NULL")
    both = [server, peer]
    until(both, 1)
    yield both
    peer.close()


def metrics(portal):
    gateway = Gateway(portal)
    try:
        lines = gateway.ask("/metrics").text.splitlines()
    finally:
        gateway.close()
    return {(found[1], found[2] or ""): float(found[3]) for found in (
        SAMPLE.fullmatch(line) for line in lines if line[0] != "#")}


def until(portals, up):
    """All workers use Redis, or one of each portal does not."""
    def said(portal):
        try:
            now = metrics(portal)
        except OSError:
            return False
        return (now["latchkey_gateway_redis_up", ""] == up
                and now["latchkey_gateway_hears", ""] == 1)
    for portal in portals:
        base.wait_until(lambda p=portal: said(p), 20,
                        f"redis_up {up}\n{portal.log()[-3:]}")


def counted(portals, who):
    return sum(metrics(portal).get(
        ("latchkey_gateway_limited_total", f'by="{who}"'), 0)
        for portal in portals)


def client(server, code, **limits):
    """A client's key, with limits of its own."""
    owner = flows.client_with_key(server, code, code.title())[0]
    server.sql("UPDATE tenant SET " + ", ".join(
        f"{name} = {value}" for name, value in limits.items()) +
        " WHERE code = %s", (code,))
    return flows.show_key(owner)


def ask(gateway, key):
    return gateway.ask("/check/envoy/x", headers=[(KEY, key)])


def members(header):
    found = {}
    for item in header.split(", "):
        name, _, number, _, _ = MEMBER.fullmatch(item).groups()
        found[name] = int(number)
    return found


def hammer(portals, key, each=10, calls=10):
    """How many of so many calls pass, at the same time over all portals."""
    gateways = [Gateway(portal) for portal in portals for _ in range(each)]
    statuses, lock = [], threading.Lock()

    def run(one):
        for _ in range(calls):
            status = ask(one, key).status
            with lock:
                statuses.append(status)
    threads = [threading.Thread(target=run, args=(one,)) for one in gateways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in gateways:
        one.close()
    assert len(statuses) == len(portals) * each * calls
    assert set(statuses) <= {200, 429}
    return statuses.count(200)


def test_one_limit_exactly(server, portals):
    key = client(server, "EXACT", all_calls_a_day=100)
    before = counted(portals, "redis")
    assert hammer(portals, key) == 100
    assert counted(portals, "redis") == before + 200
    assert counted(portals, "share") == 0


def test_one_quota_exactly(server, portals, redis):
    """Denied calls are none of it, and what Redis forgets is known from the
    database."""
    key = client(server, "QUOTA", calls_a_day=30, calls_a_month=1000)
    assert hammer(portals, key, each=5, calls=8) == 30
    gateways = [Gateway(portal) for portal in portals]
    for one in gateways:
        answer = ask(one, key)
        assert answer.status == 429
        assert json.loads(answer.text)["code"] == "quota_exceeded"
        # A month has what was allowed, and nothing of what was denied.
        assert members(answer.headers["ratelimit-policy"])["month"] == 1000
    base.wait_until(lambda: server.sql(
        "SELECT month_calls FROM usage_count c JOIN subscription s "
        "ON s.id = c.subscription_id JOIN tenant t ON t.id = s.tenant_id "
        "WHERE t.code = 'QUOTA'") == [(30,)], 10,
        "the database to have them")
    server.sql("UPDATE tenant SET calls_a_day = 40 WHERE code = 'QUOTA'")
    base.wait_until(lambda: all(members(ask(one, key).headers[
        "ratelimit-policy"])["day"] == 40 for one in gateways), 5, "the plan")
    left = [members(ask(one, key).headers["ratelimit"])["day"]
            for one in gateways][-1]
    redis.ask("FLUSHALL")
    redis.ask("SCRIPT", "FLUSH")
    # The first portal has not heard of the second's last call yet.
    assert hammer(portals, key, each=5, calls=4) in (left, left + 1)
    assert ask(gateways[0], key).status == 429
    server.sql("UPDATE tenant SET calls_a_day = NULL WHERE code = 'QUOTA'")
    month = base.wait_until(lambda: (found := members(ask(
        gateways[1], key).headers["ratelimit"])) and "day" not in found and
        found["month"], 5, "the month")
    assert 1000 - month in (41, 42)
    for one in gateways:
        one.close()


def test_the_same_is_said(server, portals):
    key = client(server, "SAYS", calls_a_minute=200, all_calls_a_day=50)
    gateways = [Gateway(portal) for portal in portals]
    left = []
    for one in gateways * 2:
        answer = ask(one, key)
        assert answer.status == 200
        assert answer.headers["ratelimit-policy"] == (
            '"minute";q=200;w=60, "client-day";q=50;w=86400')
        left.append(members(answer.headers["ratelimit"])["client-day"])
    assert left == [49, 48, 47, 46]
    for one in gateways:
        one.close()


def test_names_in_redis(server, portals, redis):
    key = client(server, "NAMES", calls_a_minute=100, calls_a_month=10)
    assert hammer(portals[:1], key, each=1, calls=1) == 1
    (number,), = server.sql("SELECT s.id FROM subscription s JOIN tenant t ON "
                            "t.id = s.tenant_id WHERE t.code = 'NAMES'")
    names = redis.ask("KEYS", "*").split()
    for name in names:
        assert re.fullmatch(r"latchkey:[0-9a-f]{16}:[a-z-]+:[0-9a-f-]{36}",
                            name)
        assert int(redis.ask("PTTL", name)) != -1
    assert {name.split(":")[2] for name in names if str(number) in name} == {
        "minute", "month"}
    assert len({name.split(":")[1] for name in names}) == 1


@pytest.mark.alone
def test_killed_under_load_and_back(server, portals, redis):
    busy = client(server, "BUSY", calls_a_minute=1000000)
    few = client(server, "FEW", all_calls_a_day=20)
    again = client(server, "AGAIN", all_calls_a_day=20)
    gateways = [Gateway(portal) for portal in portals for _ in range(4)]
    before = [len(portal.log()) for portal in portals]
    base.wait_until(lambda: all(ask(one, busy).status == 200
                                for one in gateways), 5, "the key")

    def load(number, stop):
        while not stop.is_set():
            assert ask(gateways[number], busy).status == 200
    running = Background(load, len(gateways))
    try:
        redis.kill()
        until(portals, 0)
        for portal in portals:
            assert metrics(portal)[
                "latchkey_gateway_redis_away_seconds", ""] >= 0
        # Half of it each: there are two portals, as there are by default.
        assert [hammer([portal], few, each=4, calls=5)
                for portal in portals] == [10, 10]
        one = Gateway(portals[0])
        answer = ask(one, few)
        one.close()
        assert answer.status == 429 and int(answer.headers["retry-after"]) > 1
        assert members(answer.headers["ratelimit-policy"])["client-day"] == 10
        shares = counted(portals, "share")
        assert shares > 0
        redis.start()
        until(portals, 1)
        assert hammer(portals, again, each=4, calls=5) == 20
    finally:
        running.join()
    for one in gateways:
        one.close()
    for portal, lines in zip(portals, before):
        base.wait_until(lambda p=portal, n=lines: {
            "redis_away", "redis_back"} <= {
                line["event"] for line in p.log()[n:]}, 5, "the log")


@pytest.mark.alone
def test_hangs(server, portals, redis):
    """Nobody waits for longer than is stated, and but once."""
    key = client(server, "HANGS", all_calls_a_day=50)
    gateways = [Gateway(portal) for portal in portals for _ in range(4)]
    base.wait_until(lambda: all(ask(one, key).status == 200
                                for one in gateways), 5, "the key")
    redis.hang()
    try:
        # Some hang up while they wait.
        for one in (Gateway(portal) for portal in portals * 3):
            one.http.putrequest("GET", "/check/envoy/x")
            one.http.putheader(KEY, key)
            one.http.endheaders()
            one.close()
        assert hammer(portals, key, each=2, calls=3) == 12
        until(portals, 0)
        for portal in portals:
            base.wait_until(lambda p=portal: any(
                line["event"] == "redis_away" and
                line["why"] == "a check was not answered in time"
                for line in p.log()), 5, "the log")
    finally:
        redis.go_on()
    until(portals, 1)
    before = counted(portals, "redis")
    assert hammer(portals, key, each=1, calls=2) == 4
    assert counted(portals, "redis") == before + 4
    for one in gateways:
        one.close()


def test_doctor(server, portals, redis):
    said = server.ctl("doctor").stdout
    assert re.search(r"^ok +redis +\S+ at localhost:\d+", said, re.M), said
    assert PASSWORD not in said


def test_wrong_password(make_server, redis):
    server = make_server(settings={
        "REDIS_URL": redis.url("not the password"), "GATEWAY_PORTALS": "4"})
    base.wait_until(lambda: any(
        line["event"] == "redis_away" and "WRONGPASS" in line["why"]
        for line in server.log()), 10, "the log")
    key = client(server, "WRONG", all_calls_a_day=20)
    server.sql("UPDATE product SET needs_api_user = false")
    base.wait_until(lambda: metrics(server)["latchkey_gateway_hears", ""] == 1,
                    5, "the ear")
    assert hammer([server], key, each=2, calls=10) == 5
    done = server.ctl("doctor", "--json", check=False)
    assert done.returncode == 1
    found, = (one for one in json.loads(done.stdout) if one["what"] == "redis")
    assert not found["ok"] and "WRONGPASS" in found["text"]
    for text in (done.stdout, done.stderr, server.raw_log()):
        assert "not the password" not in text
        assert "not%20the" not in text


def test_shares_without_redis(make_server):
    """Several portals can do without: each lets its share pass."""
    server = make_server(workers=2, settings={"GATEWAY_PORTALS": "2"})
    key = client(server, "SHARES", all_calls_a_day=30)
    server.sql("UPDATE product SET needs_api_user = false")
    base.wait_until(lambda: metrics(server)["latchkey_gateway_hears", ""] == 1,
                    5, "the ear")
    assert hammer([server], key, each=5, calls=8) == 15
    assert ("latchkey_gateway_redis_up", "") not in metrics(server)
    assert not re.search("^.* +redis ", server.ctl("doctor").stdout, re.M)
