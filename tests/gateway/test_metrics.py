"""/metrics: what is in it, what is not, who may read it; alert rules and the
dashboard name nothing that isn't there."""

import json
import re
import subprocess

import pytest

from lib import base, flows
from lib.gateway import Gateway
from lib.server import Server

CONF = base.ROOT / "conf/prometheus"
SAMPLE = re.compile(r"([a-z0-9_]+)(?:\{(.*)\})? (-?[0-9.]+)")


def promtool(*args, text=None):
    done = subprocess.run(["/usr/bin/promtool", *args], input=text, text=True,
                          capture_output=True, env=base.clean_env())
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def server(cluster):
    one = Server(cluster, workers=2)
    yield one
    one.close()


def text_of(gateway, headers=()):
    answer = gateway.ask("/metrics", headers=headers)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"].startswith(
        "text/plain; version=0.0.4")
    return answer.text


def samples(gateway):
    found = {}
    for line in text_of(gateway).splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            found[name, labels or ""] = float(value)
    return found


def test_all_of_it(server, gateway, key):
    before = samples(gateway)
    for _ in range(5):
        assert gateway.check(key) == "allowed"
        assert gateway.check(None) == "missing_key"
        assert gateway.check("e" * 32) == "unknown_key"
    server.client().get("/products").expect(200)
    server.client().get("/nowhere").expect(404)
    now = samples(gateway)

    def grew(name, labels=""):
        return now[name, labels] - before.get((name, labels), 0)
    for verdict in ("allowed", "missing_key", "unknown_key"):
        assert grew("latchkey_gateway_checks_total",
                    f'verdict="{verdict}"') == 5
    # Over both workers, whichever answered.
    assert grew("latchkey_gateway_check_duration_seconds_count") == 15
    assert grew("latchkey_gateway_check_duration_seconds_sum") > 0
    assert grew("latchkey_gateway_cache_hits_total") + grew(
        "latchkey_gateway_cache_misses_total") == 15
    assert grew("latchkey_gateway_cache_misses_total") >= 1
    assert grew("latchkey_http_requests_total",
                'method="GET",route="/products",status="2xx"') == 1
    assert grew("latchkey_http_requests_total",
                'method="",route="",status="4xx"') == 1
    assert now["latchkey_worker_starts_total", ""] == 2
    for name, value in (("gateway_hears", 1), ("database_connections", 8),
                        ("gateway_grace_left_seconds", 60)):
        base.wait_until(lambda n=name, v=value: samples(gateway)[
            f"latchkey_{n}", ""] == v, 5, name)
    base.wait_until(lambda: samples(gateway)[
        "latchkey_gateway_cache_entries", 'kind="key"'] >= 1, 5, "a gauge")


def test_what_waits(server, gateway):
    """Requests and mail, from the database, once in ten seconds."""
    ada = flows.contact(server, client="Late Works")
    flows.request_key(ada, "Late Works-KEY")
    bob = flows.contact(server, client="Soon Works")
    flows.request_key(bob, "Soon Works-KEY")
    server.sql("UPDATE request SET submitted_at = submitted_at - interval "
               "'60 hours', due_at = due_at - interval '60 hours' WHERE name "
               "= 'Late Works-KEY'")
    server.stop_courier()
    server.sql("INSERT INTO outbox (kind, address, next_at) VALUES "
               "('signup', 'late@late.example', now() - interval '1 hour')")
    server.sql("INSERT INTO outbox (kind, address, state, ended_at) VALUES "
               "('signup', 'gone@late.example', 'failed', now())")

    def told():
        now = samples(gateway)
        return (now["latchkey_requests_waiting", ""],
                now["latchkey_requests_overdue", ""],
                now["latchkey_outbox_queued", ""],
                now["latchkey_outbox_failed", ""]) == (2, 1, 1, 1) \
            and now["latchkey_outbox_late_seconds", ""] >= 3600
    base.wait_until(told, 30, "both requests, one late, and the mails")
    server.sql("DELETE FROM outbox WHERE address LIKE %s", ("%@late.example",))
    server.start_courier()


def test_nothing_of_a_client_is_in_it(server, gateway, key):
    gateway.check(key)
    server.client().get("/verify/abcdefgh")
    text = text_of(gateway)
    for secret in (key, key[:8], key[-4:] + '"', "ALTWORX", "Altaworx",
                   "abcdefgh", "@"):
        assert secret not in text
    promtool("check", "metrics", text=text)


def test_rules_and_dashboard_know_what_there_is(gateway, key):
    promtool("check", "rules", str(CONF / "alerts.yaml"))
    there = set(re.findall(r"^# TYPE (\S+)", text_of(gateway), re.M))
    board = json.loads((CONF / "dashboard.json").read_text())
    asked = [target["expr"] for panel in board["panels"]
             for target in panel["targets"]]
    for text in (*asked, (CONF / "alerts.yaml").read_text()):
        for name in re.findall(r"latchkey_[a-z0-9_]+", text):
            assert re.sub("_(bucket|sum|count)$", "", name) in there, name
    # The expressions are Prometheus's own.
    rules = {"groups": [{"name": "board", "rules": [
        {"record": f"board:{i}", "expr": expr.replace("$__rate_interval",
                                                      "5m")}
        for i, expr in enumerate(asked)]}]}
    path = base.temp_dir("rules")
    (path / "board.json").write_text(json.dumps(rules))
    promtool("check", "rules", str(path / "board.json"))
    base.remove(path)


def test_who_may_read_it(make_server, folder):
    path = folder / "secret"
    path.write_text("a secret of the gateway\n")
    server = make_server(settings={"GATEWAY_SECRET_FILE": str(path)},
                         courier=False, workers=1)
    gateway = Gateway(server)
    for headers in ([], [("Authorization", "Bearer wrong")],
                    [("Authorization", "a secret of the gateway")],
                    [("X-Latchkey-Secret", "wrong")]):
        answer = gateway.ask("/metrics", headers=headers)
        assert answer.status == 403 and "latchkey_" not in answer.text
        assert json.loads(answer.text)["code"] == "not_permitted"
    text_of(gateway, [("Authorization", "Bearer a secret of the gateway")])
    text_of(gateway, [("X-Latchkey-Secret", "a secret of the gateway")])
    gateway.close()
    # Nor is it on the portal's listener.
    assert server.client().get("/metrics").status == 404


def test_grace_is_told(make_server, own_cluster):
    server = make_server(on=own_cluster, courier=False, workers=1)
    gateway = Gateway(server)
    base.wait_until(lambda: samples(gateway)["latchkey_gateway_hears", ""], 5,
                    "the ear")
    own_cluster.kill()
    base.wait_until(lambda: samples(gateway)[
        "latchkey_gateway_grace_left_seconds", ""] < 60, 10, "its loss")
    now = samples(gateway)
    assert now["latchkey_gateway_hears", ""] == 0
    assert now["latchkey_gateway_deaf_seconds", ""] > 0
    assert gateway.check("e" * 32) == "unavailable"
    own_cluster.start()
    base.wait_until(lambda: samples(gateway)["latchkey_gateway_hears", ""], 10,
                    "its return")
    assert samples(gateway)["latchkey_gateway_deaf_seconds", ""] == 0
    base.wait_until(lambda: {"gateway_deaf", "gateway_hears"} <= {
        line["event"] for line in server.log()}, 5, "the log")
    told = {line["event"]: line for line in server.log()}
    assert told["gateway_deaf"]["grace_s"] in (60, "60")
    assert int(told["gateway_hears"]["deaf_ms"]) > 0
    gateway.close()
